"""A call -> the event that a REST API's proxy integration hands to a function. What does not apply is null."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from bareboat.local.addresses import domain_name
from bareboat.local.gateway.call import FORWARDED, header_text
from bareboat.local.rest.binary import BinaryTypes
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.methods import Method

# Headers that do not reach the function (recorded, docs/local-rest-api.md); None is "left out".
# The others are named as here whatever the client wrote: CloudFront, in front of the API, does so. Seen in events.
NAMED: dict[str, str | None] = dict.fromkeys(
    (
        "connection", "content-length", "content-md5", "expect", "keep-alive", "max-forwards", "proxy-authenticate",
        "proxy-connection", "server", "te", "trailer", "transfer-encoding", "upgrade", "www-authenticate",
    )
)  # fmt: skip
NAMED |= {
    "accept": "Accept",
    "accept-encoding": "Accept-Encoding",
    "accept-language": "Accept-Language",
    "authorization": "Authorization",
    "host": "Host",
    "referer": "Referer",
    "user-agent": "User-Agent",
    "via": "Via",
}
NOBODY: dict[str, str | None] = dict.fromkeys(
    (
        "cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "sourceIp", "principalOrgId", "accessKey",
        "cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "userAgent", "user",
    )
)  # fmt: skip


def build_event(call: RestCall, method: Method, binary: BinaryTypes, deployment_id: str) -> dict[str, Any]:
    """Return the event of one request.

    `path` and path parameters are as sent, percent-encoded; query parameters are decoded, `+` being a space. A header
    or query parameter that is repeated has its last value in the plain twin, all of them in the `multiValue...` one.

    Source:
        Events recorded on AWS, edge-optimised and regional (docs/local-rest-api.md); without CloudFront's own headers.
    """
    lists, headers = read_headers(call)
    domain = domain_name(_last(lists, "host") or call.api.domain)
    body, is_base64 = read_body(call, _last(lists, "content-type"), binary)
    query = call.query()
    return {
        "resource": method.path,
        "path": call.path,
        "httpMethod": call.request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": call.parameters or None,
        "stageVariables": dict(call.api.stage_variables) or None,
        "requestContext": request_context(call, method, domain, _last(lists, "user-agent") or None, deployment_id),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def request_context(
    call: RestCall, method: Method, domain: str, user_agent: str | None, deployment_id: str
) -> dict[str, Any]:
    """Return `requestContext`; its values are also the `$context` of templates."""
    api, request = call.api, call.request
    identity = {**NOBODY, "sourceIp": request.peer[0], "userAgent": user_agent}
    context: dict[str, Any] = {
        "resourceId": method.resource_id,
        "resourcePath": method.path,
        "httpMethod": request.method,
        "extendedRequestId": call.extended_id,
        "requestTime": call.time,
        "path": call.stage_path,
        "accountId": api.account_id,
        "protocol": "HTTP/1.1",
        "stage": api.stage,
        "domainPrefix": domain.partition(".")[0],
        "requestTimeEpoch": call.time_epoch,
        "requestId": call.request_id,
        "identity": identity,
        "domainName": domain,
        "deploymentId": deployment_id,
        "apiId": api.api_id,
    }
    if call.access is not None:
        identity.update(call.access.identity)
        if call.access.context is not None:
            context["authorizer"] = call.access.context
    return context


def read_headers(call: RestCall) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the headers that a function sees, by lower-case names and by the names it sees them under."""
    by_lower: dict[str, list[str]] = {}
    headers: dict[str, list[str]] = {}
    for sent, raw in call.request.headers:
        lower = sent.lower()
        value = raw if raw.isascii() else header_text(raw)
        values = by_lower.get(lower)
        if values is not None:
            values.append(value)
        elif lower in FORWARDED:
            call.forward(lower, value)
        else:
            name = NAMED.get(lower, sent)
            if name is not None:
                by_lower[lower] = headers[name] = [value]
    headers["X-Amzn-Trace-Id"] = [call.trace_id]
    headers["X-Forwarded-For"] = [call.forwarded_for]
    headers["X-Forwarded-Port"] = [call.api.port]
    headers["X-Forwarded-Proto"] = [call.api.scheme]
    return by_lower, headers


def read_body(call: RestCall, content_type: str, binary: BinaryTypes) -> tuple[str | None, bool]:
    """Return the body as the event has it and whether that is base64; (None, False) when there is none.

    Bodies are text, and bytes that are no UTF-8 are lost, unless the API lists their type as binary.
    """
    data = call.request.body
    if not data:
        return None, False
    if binary.has(content_type):
        return b64encode(data).decode(), True
    return data.decode("utf-8", "replace"), False


def _last(lists: dict[str, list[str]], name: str) -> str:
    values = lists.get(name)
    return values[-1] if values else ""
