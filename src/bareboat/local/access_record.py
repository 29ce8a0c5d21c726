"""One request to an API, and what became of it."""

from __future__ import annotations

import msgspec

from bareboat.local.messages import Request, Response


class AccessRecord(msgspec.Struct, frozen=True):
    """One request and what became of it.

    Args:
        method, path: as sent, the path without its query; both "" when the request could not be read.
        function: "" when no function was called.
        request_id: the gateway's, as in `Apigw-Requestid`; "" when the request could not be read.
        cold: whether the request waited for a new process.
        error: why the gateway answered 500 or 503; "" otherwise.
        at: when it arrived, in seconds since 1970.
        api: "httpApi", "http" (REST) or "url" (a function URL).
        route: the key of the route, `POST /predict`; "" when there is none.
        authorizer: the name of the one that was asked; "" where none was.
        refused: why the request did not reach the function, as REST names it: "UNAUTHORIZED", "ACCESS_DENIED",
            "INVALID_API_KEY", "THROTTLED", "QUOTA_EXCEEDED", "BAD_REQUEST_BODY", ...; "" when it was let in.
        api_key: the name of the API key that was used; never its value.
        invocation_id: the function's request id; "" when none was called.
        request, response: as they came and went; None when the request could not be read. Secrets are in them.
    """

    method: str
    path: str
    status: int
    latency_ms: float
    function: str
    request_id: str
    cold: bool
    error: str = ""
    at: float = 0.0
    api: str = "httpApi"
    route: str = ""
    authorizer: str = ""
    refused: str = ""
    api_key: str = ""
    invocation_id: str = ""
    request: Request | None = None
    response: Response | None = None
