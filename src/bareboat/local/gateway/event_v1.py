"""A call -> the event of payload format 1.0. What does not apply is null, never absent."""

from __future__ import annotations

from typing import Any

from bareboat.local.addresses import domain_name
from bareboat.local.gateway.call import FORWARDED, HOP_BY_HOP, Call, header_text
from bareboat.local.gateway.routes import Route

LEFT_OUT = HOP_BY_HOP | FORWARDED
# An HTTP API names these as below whatever the client wrote, the other common ones (HTTP/2's static table) in lower
# case, and leaves any other name as it was sent. Seen in events published from AWS, see docs/fidelity.md.
NAMED = {
    "content-length": "Content-Length",
    "content-type": "Content-Type",
    "host": "Host",
    "user-agent": "User-Agent",
}
NAMED |= {
    name: name
    for name in (
        "accept", "accept-charset", "accept-encoding", "accept-language", "accept-ranges", "authorization",
        "cache-control", "content-disposition", "content-encoding", "content-language", "content-location",
        "content-range", "cookie", "date", "etag", "from", "if-match", "if-modified-since", "if-none-match",
        "if-range", "if-unmodified-since", "link", "max-forwards", "origin", "pragma", "range", "referer", "via",
    )
}  # fmt: skip
NOBODY: dict[str, None] = dict.fromkeys(
    (
        "accessKey", "accountId", "caller", "cognitoAmr", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
        "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn",
    )
)  # fmt: skip


def build_event(call: Call, route: Route, parameters: dict[str, str]) -> dict[str, Any]:
    """Return the event of one request, payload format 1.0 as an HTTP API makes it.

    A repeated header or query parameter has its last value in `headers` and `queryStringParameters`, all of them in
    the `multiValue...` twin; `path` is as sent, `requestContext.path` decoded.

    Source:
        AWS's guide "Create AWS Lambda proxy integrations for HTTP APIs"; events seen on AWS (docs/fidelity.md).
    """
    request, api = call.request, call.api
    headers = _headers(call)
    domain = domain_name(_last(headers, "Host") or api.domain)
    body, is_base64 = call.body(_last(headers, "Content-Type"))
    query = call.query()
    resource = "$default" if route.path == "*" else route.path
    event: dict[str, Any] = {
        "version": "1.0",
        "resource": resource,
        "path": call.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "accountId": api.account_id,
            "apiId": api.api_id,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "extendedRequestId": call.request_id,
            "httpMethod": request.method,
            "identity": {
                **NOBODY,
                "sourceIp": request.peer[0],
                "userAgent": _last(headers, "User-Agent"),
            },
            "path": call.decoded_path,
            "protocol": "HTTP/1.1",
            "requestId": call.request_id,
            "requestTime": call.time,
            "requestTimeEpoch": call.time_epoch,
            "resourceId": route.key,
            "resourcePath": resource,
            "stage": api.stage,
        },
        "pathParameters": parameters or None,
        "stageVariables": dict(api.stage_variables) or None,
        "body": body,
        "isBase64Encoded": is_base64,
    }
    if call.access is not None:
        if call.access.context is not None:
            event["requestContext"]["authorizer"] = call.access.context
        event["requestContext"]["identity"].update(call.access.identity)
    return event


def _headers(call: Call) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for sent, raw in call.request.headers:
        lower = sent.lower()
        value = raw if raw.isascii() else header_text(raw)
        if lower in FORWARDED:
            call.forward(lower, value)
        elif lower not in LEFT_OUT:
            name = names.setdefault(lower, NAMED.get(lower, sent))
            headers.setdefault(name, []).append(value)
    if "Content-Length" not in headers:
        headers["Content-Length"] = [str(len(call.request.body))]
    headers["X-Amzn-Trace-Id"] = [call.trace_id]
    headers["X-Forwarded-For"] = [call.forwarded_for]
    headers["X-Forwarded-Port"] = [call.api.port]
    headers["X-Forwarded-Proto"] = [call.api.scheme]
    return headers


def _last(headers: dict[str, list[str]], name: str) -> str:
    values = headers.get(name)
    return values[-1] if values else ""
