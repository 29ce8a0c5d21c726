"""A call -> the event of payload format 2.0. What does not apply is absent, never null."""

from __future__ import annotations

from typing import Any

from bareboat.local.addresses import domain_name
from bareboat.local.gateway.call import FORWARDED, HOP_BY_HOP, Call, header_text
from bareboat.local.gateway.routes import Route

LEFT_OUT = HOP_BY_HOP | FORWARDED | {"cookie"}


def build_event(call: Call, route: Route, parameters: dict[str, str]) -> dict[str, Any]:
    """Return the event of one request, payload format 2.0.

    Header names are in lower case, repeated headers and query parameters joined with ",", cookies apart from the
    headers, the path decoded, the query string as sent.

    Source:
        AWS's guide "Create AWS Lambda proxy integrations for HTTP APIs"; events seen on AWS (docs/fidelity.md).
    """
    headers, cookies = _headers(call)
    request, api = call.request, call.api
    host = headers.get("host") or api.domain
    domain = domain_name(host)
    body, is_base64 = call.body(headers.get("content-type", ""))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": call.decoded_path,
        "rawQueryString": call.query_string,
        "headers": headers,
        "requestContext": {
            "accountId": api.account_id,
            "apiId": api.api_id,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": call.decoded_path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.peer[0],
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": call.request_id,
            "routeKey": route.key,
            "stage": api.stage,
            "time": call.time,
            "timeEpoch": call.time_epoch,
        },
        "isBase64Encoded": is_base64,
    }
    if call.access is not None and call.access.context is not None:
        event["requestContext"]["authorizer"] = call.access.context
    if cookies:
        event["cookies"] = cookies
    if call.query_string:
        query = call.query()
        if query:
            event["queryStringParameters"] = {name: ",".join(values) for name, values in query.items()}
    if body is not None:
        event["body"] = body
    if parameters:
        event["pathParameters"] = parameters
    if api.stage_variables:
        event["stageVariables"] = dict(api.stage_variables)
    return event


def _headers(call: Call) -> tuple[dict[str, str], list[str]]:
    request = call.request
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for sent, raw in request.headers:
        name = sent.lower()
        value = raw if raw.isascii() else header_text(raw)
        if name in LEFT_OUT:
            if name == "cookie":
                cookies += [piece for part in value.split(";") if (piece := part.strip())]
            else:
                call.forward(name, value)
        elif name in headers:
            headers[name] = f"{headers[name]},{value}"
        else:
            headers[name] = value
    if "content-length" not in headers:
        headers["content-length"] = str(len(request.body))
    headers["x-amzn-trace-id"] = call.trace_id
    headers["x-forwarded-for"] = call.forwarded_for
    headers["x-forwarded-port"] = call.api.port
    headers["x-forwarded-proto"] = call.api.scheme
    return headers, cookies
