"""Identity sources: where in a request an authorizer finds who it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bareboat.local.addresses import domain_name
from bareboat.local.gateway.call import header_text

if TYPE_CHECKING:
    from bareboat.local.access.guard import RouteLike
    from bareboat.local.gateway.call import Call

Source = Callable[["Call", "RouteLike"], str]  # "" when the request lacks it


def source_of(written: str) -> Source | None:
    """Return what reads an identity source, as an HTTP API or a REST API writes it; None when it is neither.

    Known are `$request.header.X`, `$request.querystring.X`, `$context.X`, `$stageVariables.X`, and REST's
    `method.request.header.X`, `method.request.querystring.X`, `context.X`, `stageVariables.X`. A header or parameter
    that is sent more than once has its values joined with a comma.
    """
    text = written.strip().removeprefix("$").removeprefix("method.")
    kind, _, name = text.partition(".")
    if kind == "request":
        kind, _, name = name.partition(".")
    if not name:
        return None
    if kind == "header":
        lower = name.lower()
        return lambda call, _route: header(call, lower)
    if kind == "querystring":
        return lambda call, _route: ",".join(call.query().get(name, ()))
    if kind == "stageVariables":
        return lambda call, _route: call.api.stage_variables.get(name, "")
    if kind == "context":
        return CONTEXT.get(name)
    return None


def header(call: Call, name: str) -> str:
    """Return the values of a header, joined with a comma; "" when it was not sent.

    Args:
        name: in lower case.
    """
    found = [value for sent, value in call.request.headers if sent.lower() == name]
    return header_text(",".join(found).strip()) if found else ""


def all_headers(call: Call, name: str) -> list[str]:
    """Return each value of a header, as often as it was sent."""
    return [header_text(value.strip()) for sent, value in call.request.headers if sent.lower() == name]


def header_name(written: str) -> str:
    """Return the header that an identity source reads, in lower case; "" when it reads something else."""
    _, found, name = written.rpartition("request.header.")
    return name.strip().lower() if found else ""


# The context variables that a request decides; what AWS has more has no meaning here.
CONTEXT: dict[str, Source] = {
    "accountId": lambda call, _route: call.api.account_id,
    "apiId": lambda call, _route: call.api.api_id,
    "domainName": lambda call, _route: domain_name(header(call, "host") or call.api.domain),
    "httpMethod": lambda call, _route: call.request.method,
    "http.method": lambda call, _route: call.request.method,
    "identity.sourceIp": lambda call, _route: call.request.peer[0],
    "identity.userAgent": lambda call, _route: header(call, "user-agent"),
    "path": lambda call, _route: call.decoded_path,
    "protocol": lambda _call, _route: "HTTP/1.1",
    "requestId": lambda call, _route: call.request_id,
    "resourcePath": lambda _call, route: route.path,
    "routeKey": lambda _call, route: route.key,
    "stage": lambda call, _route: call.api.stage,
}
