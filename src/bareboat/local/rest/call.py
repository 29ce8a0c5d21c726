"""A request to a REST API -> what its events say of it: the stage taken off the path, the ids that are longer here."""

from __future__ import annotations

from bareboat.local.gateway.call import Api, Call
from bareboat.local.ids import request_id
from bareboat.local.messages import Request


class RestCall(Call):
    """One request as a REST API sees it.

    Attributes:
        path: without the stage, percent-encoded as sent, beginning with one slash; "" when the stage is another one.
        stage_path: with the stage, as sent.
        request_id: a UUID, X-Amzn-RequestId; `extended_id` is the 16 characters of X-Amz-Apigw-Id.
    Source:
        Recorded: slashes before the stage and between stage and path are one in `path`, those between stage and path
        stay in `requestContext.path` (test_lambda_aws_proxy_integration).
    """

    __slots__ = ("extended_id", "stage_path", "trace")

    def __init__(self, request: Request, api: Api) -> None:
        super().__init__(request, api)
        self.extended_id = self.request_id
        self.request_id = request_id()
        self.trace = ""
        path = self.path
        if path[:2] == "//":
            path = "/" + path.lstrip("/")
        self.stage_path = path
        stage, slash, rest = path[1:].partition("/")
        if stage != api.stage:
            self.path = ""
        else:
            self.path = "/" + (rest.lstrip("/") if slash else "")

    @property
    def resource_path(self) -> str:
        """The path by which the resource is found: slashes at its end do not count (recorded)."""
        return self.path.rstrip("/") or "/"

    @property
    def lambda_trace(self) -> str:
        """The trace, with a parent, as the function and the client are told it: the same each time."""
        if not self.trace:
            self.trace = super().lambda_trace
        return self.trace
