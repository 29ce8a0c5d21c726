"""A call -> the event of `integration: lambda` and of `async: true`: what Serverless's own request template makes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from bareboat.local.addresses import domain_name
from bareboat.local.messages import Response
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.event import read_headers, request_context
from bareboat.local.rest.methods import Method
from bareboat.local.rest.response import JSON

FORM = "application/x-www-form-urlencoded"
# Which status an error's message means, in the order of the statuses; no pattern that fits is 200.
PATTERNS = (
    *((status, re.compile(rf"[\s\S]*\[{status}\][\s\S]*")) for status in (400, 401, 403, 404, 422)),
    (500, re.compile(r"[\s\S]*(Process\s?exited\s?before\s?completing\s?request|\[500\])[\s\S]*")),
    (502, re.compile(r"[\s\S]*\[502\][\s\S]*")),
    (504, re.compile(r"([\s\S]*\[504\][\s\S]*)|(.*Task timed out after \d+\.\d+ seconds$)")),
)


def build_template_event(call: RestCall, method: Method) -> dict[str, Any] | None:
    """Return the event; None when there is no template for the body's type, which is a 415.

    Source:
        The Serverless Framework's request templates for JSON and for forms, which every `lambda` integration gets.
        Values are strings there; a null is an empty one.
    """
    lists, headers = read_headers(call)
    kind = (lists.get("content-type") or [""])[-1].partition(";")[0].strip().lower() or JSON[1]
    if kind == JSON[1]:
        body = _document(call.request.body)
    elif kind == FORM:
        body = _form(call.request.body.decode("utf-8", "replace"))
    else:
        return None
    domain = domain_name((lists.get("host") or [call.api.domain])[-1])
    user_agent = (lists.get("user-agent") or [""])[-1]
    context = request_context(call, method, domain, user_agent, "")
    authorizer = context.get("authorizer") or {}
    claims = authorizer.get("claims") if isinstance(authorizer, Mapping) else None
    return {
        "body": body,
        "method": call.request.method,
        "principalId": _text(authorizer.get("principalId")),
        "stage": call.api.stage,
        "cognitoPoolClaims": {"sub": _text((claims or {}).get("sub"))},
        "enhancedAuthContext": _texts(authorizer),
        "headers": {name: values[-1] for name, values in headers.items()},
        "query": {name: values[-1] for name, values in call.query().items()},
        "path": dict(call.parameters),
        "identity": _texts(context["identity"]),
        "stageVariables": dict(call.api.stage_variables),
        "requestPath": method.path,
    }


def template_response(payload: bytes, *, failed: bool) -> Response:
    """Return what a client gets: the function's answer as it is, with the status that an error's message names."""
    status = 200
    if failed:
        try:
            document = msgspec.json.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            document = None
        said = str(document.get("errorMessage") or "") if isinstance(document, dict) else ""
        status = next((status for status, pattern in PATTERNS if pattern.fullmatch(said)), 200)
    return Response(status, [JSON], payload)


def _document(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _form(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split("&"))
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
