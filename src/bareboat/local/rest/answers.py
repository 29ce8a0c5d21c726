"""What a REST API says itself (gateway responses), as AWS words it or as the service does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from bareboat.local.gateway.call import header_text
from bareboat.local.messages import Request, Response
from bareboat.local.rest.response import JSON
from bareboat.service.api import GatewayResponse

_encode = msgspec.json.Encoder().encode
_VARIABLE = re.compile(r"\$\{?(context|stageVariables)\.([A-Za-z0-9_.-]*[A-Za-z0-9_-])\}?")


class Kind(NamedTuple):
    """One kind of gateway response: its status, what it says, and the X-Amzn-ErrorType that goes with it."""

    status: int
    message: str | None
    error_type: str


# The statuses are recorded (test_gateway_response_crud). Of the error types Missing..., InternalServerError... and
# those of bad requests are recorded; docs/fidelity.md has the source of each of the others.
KINDS = {
    "ACCESS_DENIED": Kind(403, "User is not authorized to access this resource", "AccessDeniedException"),
    "API_CONFIGURATION_ERROR": Kind(500, "Internal server error", "InternalServerErrorException"),
    "AUTHORIZER_CONFIGURATION_ERROR": Kind(500, None, "AuthorizerConfigurationException"),
    "AUTHORIZER_FAILURE": Kind(500, None, "AuthorizerFailureException"),
    "BAD_REQUEST_BODY": Kind(400, "Invalid request body", "BadRequestException"),
    "BAD_REQUEST_PARAMETERS": Kind(400, "Missing required request parameters", "BadRequestException"),
    "DEFAULT_4XX": Kind(400, "Bad Request", "BadRequestException"),
    "DEFAULT_5XX": Kind(500, "Internal server error", "InternalServerErrorException"),
    "EXPIRED_TOKEN": Kind(403, "The security token included in the request is expired", "ExpiredTokenException"),
    "INTEGRATION_FAILURE": Kind(504, "Internal server error", "InternalServerErrorException"),
    "INTEGRATION_TIMEOUT": Kind(504, "Endpoint request timed out", "InternalServerErrorException"),
    "INVALID_API_KEY": Kind(403, "Forbidden", "ForbiddenException"),
    "INVALID_SIGNATURE": Kind(403, "The request signature is invalid", "InvalidSignatureException"),
    "MISSING_AUTHENTICATION_TOKEN": Kind(403, "Missing Authentication Token", "MissingAuthenticationTokenException"),
    "QUOTA_EXCEEDED": Kind(429, "Limit Exceeded", "LimitExceededException"),
    "REQUEST_TOO_LARGE": Kind(413, "Request Too Long", "RequestTooLargeException"),
    "RESOURCE_NOT_FOUND": Kind(404, "Not Found", "NotFoundException"),
    "THROTTLED": Kind(429, "Too Many Requests", "TooManyRequestsException"),
    "UNAUTHORIZED": Kind(401, "Unauthorized", "UnauthorizedException"),
    "UNSUPPORTED_MEDIA_TYPE": Kind(415, "Unsupported Media Type", "BadRequestException"),
    "WAF_FILTERED": Kind(403, "Forbidden", "ForbiddenException"),
}  # fmt: skip

# Those of the part of the gateway that is behind access control have a space after the colon. Recorded for 500 by the
# length of the body (test_apigateway_header_remapping_aws[AWS_PROXY]), the others seen in reports.
SPACED = frozenset(
    {
        "API_CONFIGURATION_ERROR", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_5XX", "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT", "UNSUPPORTED_MEDIA_TYPE",
    }
)  # fmt: skip


class Asked(NamedTuple):
    """What a gateway response may speak of besides its own message.

    Args:
        context: gives `$context`; called only where a template asks.
        parameters: of the path.
        query: gives the query's names and values.
    """

    request: Request
    context: Callable[[], Mapping[str, Any]]
    stage_variables: Mapping[str, str]
    parameters: Mapping[str, str]
    query: Callable[[], Mapping[str, list[str]]]


class Answers:
    """The gateway responses of one API. One that the service words itself is taken before DEFAULT_4XX and _5XX.

    Args:
        responses: those that the service configures.
    Source:
        AWS's guide "Gateway responses for REST APIs"; that a default takes the place of each kind that is not
        configured, with its status, is recorded (test_gateway_response_put).
    """

    def __init__(self, responses: Iterable[GatewayResponse] = ()) -> None:
        self._own = {response.kind: response for response in responses}

    def make(
        self,
        kind: str,
        message: str | None = "",
        *,
        status: int = 0,
        asked: Asked | None = None,
        validation: str = "",
    ) -> Response:
        """Return the answer of one kind.

        Args:
            message: "" for AWS's own words; None is a null.
            status: 0 for the kind's own.
            asked: None when there is no request to speak of.
            validation: why the body was refused, `$context.error.validationErrorString`.
        """
        known = KINDS.get(kind) or KINDS["DEFAULT_4XX" if 0 < status < 500 else "DEFAULT_5XX"]
        status = status or known.status
        text = known.message if message == "" else message
        headers = [JSON, ("x-amzn-ErrorType", known.error_type)]
        # AWS words this kind with a capital letter, though its template shows a small one (reports, docs/fidelity.md).
        name = b"Message" if kind == "ACCESS_DENIED" else b"message"
        body = b'{"%s":%s%s}' % (name, b" " if kind in SPACED else b"", _encode(text))
        own = self._own.get(kind) or self._own.get("DEFAULT_4XX" if status < 500 else "DEFAULT_5XX")
        if own is None:
            return Response(status, headers, body)
        values = _Values(kind, text, asked, validation)
        if own.templates:
            content_type, template = _chosen(own.templates, asked)
            headers[0] = ("Content-Type", content_type)
            body = values.fill(template).encode()
        return Response(own.status or status, with_headers(headers, values.headers(own.headers)), body)


class _Values:
    """What the variables of a template stand for, for one request."""

    def __init__(self, kind: str, message: str | None, asked: Asked | None, validation: str) -> None:
        self._asked = asked
        self._context: dict[str, Any] | None = None
        self._error = {
            "message": message or "",
            "messageString": _encode(message).decode(),
            "responseType": kind,
            "validationErrorString": validation,
        }

    def fill(self, template: str) -> str:
        return _VARIABLE.sub(lambda found: self._value(found[1], found[2]), template)

    def headers(self, mapped: Mapping[str, str]) -> list[tuple[str, str]]:
        lines = []
        for name, value in mapped.items():
            sent = self._mapped(value)
            if sent and "\r" not in sent and "\n" not in sent:
                lines.append((name, sent))
        return lines

    def _mapped(self, value: str) -> str:
        if value.startswith(("context.", "stageVariables.")):
            return self._value(*value.split(".", 1))
        if not value.startswith("method.request."):
            return value
        place, _, name = value.removeprefix("method.request.").partition(".")
        if self._asked is None:
            return ""
        if place == "header":
            return header_text(self._asked.request.header(name.lower()))
        if place == "querystring":
            return (self._asked.query().get(name) or [""])[-1]
        if place == "path":
            return self._asked.parameters.get(name, "")
        return ""

    def _value(self, root: str, path: str) -> str:
        value: Any
        if root == "stageVariables":
            value = {} if self._asked is None else self._asked.stage_variables
        else:
            if self._context is None:
                self._context = {**({} if self._asked is None else self._asked.context()), "error": self._error}
            value = self._context
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            return ""
        return value if isinstance(value, str) else _encode(value).decode()


def _chosen(templates: Mapping[str, str], asked: Asked | None) -> tuple[str, str]:
    """Return the template of the type that the client accepts first, else the JSON one, else the first."""
    accepted = "" if asked is None else asked.request.header("accept")
    for kind in (*(part.partition(";")[0].strip() for part in accepted.split(",")), JSON[1]):
        if kind in templates:
            return kind, templates[kind]
    return next(iter(templates.items()))


def with_headers(headers: Iterable[tuple[str, str]], more: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers with more of them, which take the place of those of the same names."""
    more = list(more)
    replaced = {name.lower() for name, _ in more}
    return [pair for pair in headers if pair[0].lower() not in replaced] + more
