"""A service -> for each route the requests that try it, of its samples or made up; or why there are none."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from bareboat.artifact.proof.events import sample_events
from bareboat.local.events.requests import Asked
from bareboat.local.gateway.routes import Route, RouteTable
from bareboat.service.triggers import HttpApiEvent, HttpEvent

if TYPE_CHECKING:
    from bareboat.aws.deployed import ApiKind
    from bareboat.service.api import Authorizer
    from bareboat.service.model import Function, Service

Json = dict[str, Any]
GENERATED, PLAIN = "made up", "plain"
_VARIABLE = re.compile(r"\{([^{}+]+)(\+?)\}")
_OWN = re.compile(
    r"host|content-length|connection|transfer-encoding|authorization|cookie|via|user-agent|accept-encoding|"
    r"x-forwarded-.*|x-amzn-.*|x-amz-.*|cloudfront-.*|x-api-key",
    re.IGNORECASE,
)
"""Headers that are of the way a recorded request came, or of who sent it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One route, as serverless.yml has it.

    Args:
        key: `POST /items/{id}`, `$default`; `ANY /` for a function URL.
        path: "*" for `$default`.
    """

    api: ApiKind
    key: str
    method: str
    path: str
    function: str
    authorizer: Authorizer | None = None
    needs_key: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """One request to a route.

    Args:
        sample: where it comes from.
        asked: the path is without the stage.
    """

    target: Target
    sample: str
    asked: Asked


@dataclass(frozen=True, slots=True)
class Untried:
    """A route that cannot be tried, and why."""

    target: Target
    why: str
    fix: str = ""


def targets(service: Service, function: str = "") -> Iterator[Target]:
    """Yield the routes of a service, function by function.

    Args:
        function: only those of this one.
    """
    for one in (*service.functions.values(), *service.image_functions.values()):
        if function and one.name != function:
            continue
        for event in one.events:
            if isinstance(event, HttpApiEvent):
                yield Target("httpApi", event.route_key, event.method, event.path, one.name, event.authorizer)
            elif isinstance(event, HttpEvent):
                private = event.private
                yield Target("http", event.route_key, event.method, event.path, one.name, event.authorizer, private)
        if one.url is not None:
            from bareboat.service.api import IamAuthorizer

            signed = IamAuthorizer(one.url.where) if one.url.auth == "AWS_IAM" else None
            yield Target("url", "ANY /", "*", "/", one.name, signed)


def trials_of(service: Service, target: Target, signature: Mapping[str, Any] | None) -> Sequence[Trial | Untried]:
    """Return the requests that try a route; one Untried where there are none.

    Args:
        signature: what the artifact's manifest says of the function; None unless it serves models.
    """
    if target.function in service.image_functions:
        return [Untried(target, "its function is a container image, which is not run here")]
    function = service.functions[target.function]
    found: list[Trial | Untried] = []
    why = ""
    for sample in sample_events(service, function):
        if sample.problem:
            why = f"{sample.name}: {sample.problem}"
            continue
        asked = _asked(json.loads(sample.event), target, function)
        if isinstance(asked, Asked):
            found.append(Trial(target, sample.name, asked))
        else:
            why = f"{sample.name} {asked}"
    if found:
        return found
    made = _made_up(target, function, signature)
    if isinstance(made, Asked):
        return [Trial(target, GENERATED if made.body or made.query else PLAIN, made)]
    fix = f"samples of functions.{function.name}: an event with pathParameters, queryStringParameters and body"
    return [Untried(target, why or made, fix)]


def _asked(event: Any, target: Target, function: Function) -> Asked | str:
    """Return the request that a sample stands for, or why it is none of this route."""
    if isinstance(event, dict) and ("requestContext" in event or "httpMethod" in event):
        return _of_gateway(event, target)
    if isinstance(event, dict) and ("body" in event or "queryStringParameters" in event or "pathParameters" in event):
        path = _filled(target, event.get("pathParameters"), function)
        if not path:
            return f"has no pathParameters for {target.path}"
        body = _body(event)
        method = _method(target, has_body=bool(body))
        return Asked(method, path, _query(event), _headers(event), body)
    path = _filled(target, None, function)
    if not path:
        return f"says nothing of {', '.join(_names(target))} in {target.path}"
    method = _method(target, has_body=True)
    if method in {"GET", "HEAD", "DELETE", "OPTIONS"}:
        if not isinstance(event, dict) or any(isinstance(value, list | dict) for value in event.values()):
            return f"does not fit into the query of a {method}"
        return Asked(method, path, tuple((name, _text(value)) for name, value in event.items()))
    return Asked(method, path, body=json.dumps(event).encode())


def _of_gateway(event: Json, target: Target) -> Asked | str:
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    if isinstance(http, dict):
        method, path = str(http.get("method", "GET")), str(event.get("rawPath") or http.get("path") or "/")
        query = tuple(parse_qsl(str(event.get("rawQueryString") or ""), keep_blank_values=True))
    else:
        method, path = str(event.get("httpMethod", "GET")), str(event.get("path") or "/")
        query = _query(event)
    if target.api != "url":
        route = Route(target.key, target.method, target.path, target.function)
        table = RouteTable([route])
        if table.find(method, path) is None:
            stage = context.get("stage") if isinstance(context, dict) else None
            path = path.removeprefix(f"/{stage}") or "/"  # of a named stage, which stands in the path
            if table.find(method, path) is None:
                return f"is {method} {path}"
    return Asked(method, path, query, _headers(event), _body(event))


def _made_up(target: Target, function: Function, signature: Mapping[str, Any] | None) -> Asked | str:
    path = _filled(target, None, function)
    if not path:
        return f"nothing says what {', '.join(_names(target))} is in {target.path}"
    if target.method in {"GET", "HEAD"} and (signature is None or function.protocol != "bareboat"):
        return Asked(target.method, path)
    if signature is None or function.protocol != "bareboat":
        return "there is no sample of a request"
    row = made_up_row(signature)
    if row is None:
        return "there is no sample, and a row cannot be made up for its model"
    method = _method(target, has_body=True)
    if method in {"GET", "HEAD"}:
        return Asked(method, path, tuple((name, _text(value)) for name, value in row.items()))
    return Asked(method, path, body=json.dumps(row).encode())


def made_up_row(signature: Mapping[str, Any]) -> Json | None:
    """Return a row that a function's default model takes; None where one cannot be made up.

    Args:
        signature: of the function, in the manifest of its artifact.
    """
    versions = signature.get("models", {}).get(signature.get("default", ""), {})
    document = next(iter(versions.values()), None)
    if document is None:
        return None
    row: Json = {}
    for each in document["inputs"]:
        row[each["name"]] = _value(each)
    return row


_PLAIN = {
    "float": 1.5,
    "int": 1,
    "bool": True,
    "string": "a",
    "category": "a",
    "datetime": "2026-01-02T03:04:05Z",
    "any": 1,
}


def _value(declared: Mapping[str, Any]) -> Any:
    if declared.get("shape") is not None:
        value: Any = 0.5
        for length in reversed(declared["shape"]):
            value = [value] * (length or 1)
        return value
    for key in ("enum", "values"):
        listed = [value for value in declared.get(key) or () if value is not None]
        if listed:
            return listed[0]
    if declared.get("default") is not None:
        return declared["default"]
    low, high = declared.get("minimum"), declared.get("maximum")
    if low is not None and high is not None and not isinstance(low, str):
        middle = low + (high - low) / 2
        return int(middle) if declared["dtype"] == "int" else middle
    end = low if low is not None else high
    return _PLAIN[declared["dtype"]] if end is None else end


def _filled(target: Target, given: Any, function: Function) -> str:
    """Return the path with its variables filled in; "" where one is not known."""
    if target.path == "*":
        return "/"
    values = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    if function.serves_models:
        model = function.served_models[0].name
        values = {"name": model, "model": model, "model_name": model} | values
    if any(not values.get(name) for name in _names(target)):
        return ""
    return _VARIABLE.sub(lambda found: quote(values[found[1]], safe="/" if found[2] else ""), target.path)


def _names(target: Target) -> list[str]:
    """Return the names of the variables of a path."""
    return [name for name, _ in _VARIABLE.findall(target.path)]


def _method(target: Target, *, has_body: bool) -> str:
    if target.method != "*":
        return target.method
    return "POST" if has_body else "GET"


def _query(event: Json) -> tuple[tuple[str, str], ...]:
    several = event.get("multiValueQueryStringParameters")
    if isinstance(several, dict):
        return tuple((name, str(value)) for name, values in several.items() for value in values)
    single = event.get("queryStringParameters")
    return tuple((name, str(value)) for name, value in single.items()) if isinstance(single, dict) else ()


def _headers(event: Json) -> tuple[tuple[str, str], ...]:
    headers = event.get("headers")
    if not isinstance(headers, dict):
        return ()
    return tuple((name, str(value)) for name, value in headers.items() if not _OWN.fullmatch(name))


def _body(event: Json) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    return base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()


def _text(value: Any) -> str:
    """Return a value as a query string has it: as JSON, texts as they are, nothing for null."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def shown_path(asked: Asked) -> str:
    """Return a request as a person reads it: `POST /items/7`."""
    return f"{asked.method} {quote(asked.path, safe='/%~!$&()*+,;=:@-._')}"
