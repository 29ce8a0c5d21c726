"""Service -> OpenAPI 3.1: the routes of its HTTP API and its REST API, what they take and what they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bareboat.artifact.fetch import fetched
from bareboat.artifact.openapi_access import requirement
from bareboat.artifact.openapi_answers import MESSAGE, http_api_answers, joined, rest_answers
from bareboat.artifact.openapi_models import Models
from bareboat.artifact.openapi_rules import body_of, parameters_of
from bareboat.artifact.schemas import ERROR
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function, Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent

_METHODS = ("get", "put", "post", "delete", "patch")
"""Of ANY. HEAD and OPTIONS reach the function too, but nobody builds a client from them."""
_SPOKEN = frozenset({*_METHODS, "head", "options", "trace"})
_WITH_BODY = frozenset({"post", "put", "patch"})
_NAME = re.compile(r"\{([^{}]+)\}")


class Route(NamedTuple):
    """One method of one path, as the document has it.

    Args:
        path: of a REST API it begins with the stage.
    """

    function: Function
    event: HttpApiEvent | HttpEvent
    method: str
    path: str


def openapi(service: Service, function: str | None = None, *, urls: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Describe the APIs of a service.

    Of a model function it is known what it takes and answers; of a handler, what the gateway demands before it is
    called. A function with `before` takes what that takes, and one with `after` answers what that returns, of which
    nothing is known.

    Args:
        function: only this one.
        urls: where the APIs are, as `LocalCloud.urls` has them: "httpApi", and "rest" with its stage. None is where
            `bareboat serve` puts them by default.
    Returns:
        An OpenAPI 3.1 document. The paths of a REST API begin with its stage.
    Raises:
        ConfigurationError: there is nothing to describe, or what is declared does not fit a model.
        ModelError: a model cannot be read.
    """
    chosen = _chosen(service, function)  # before anything is fetched
    if any(one.serves_models for one in chosen):
        service = fetched(service, function=function, write=False)
        chosen = _chosen(service, function)
    schemas: dict[str, Any] = {"Message": MESSAGE}
    if any(one.serves_models for one in chosen):
        schemas["Error"] = ERROR
    schemes: dict[str, Any] = {}
    servers = _servers(service, urls)
    paths: dict[str, dict[str, Any]] = {}
    shapes: dict[str, str] = {}
    taken_by_any: set[tuple[str, str]] = set()
    for one in chosen:
        models = Models(one, service.folder, schemas) if one.serves_models else None
        for number, route in enumerate(_routes(one, models, service.provider.stage)):
            path = shapes.setdefault(_NAME.sub(_shape, route.path), route.path)  # {id} and {name} are one path
            item = paths.setdefault(path, {})
            is_any = route.event.method == "*"
            if route.method not in item or (not is_any and (path, route.method) in taken_by_any):
                taken_by_any.discard((path, route.method))
                if is_any:  # until a route says the method
                    taken_by_any.add((path, route.method))
                item[route.method] = _operation(service, route._replace(path=path), models, number, schemas, schemes)
            if isinstance(route.event, HttpEvent) and len(servers) > 1:
                item["servers"] = [servers["rest"]]
    first = servers.get("httpApi") or servers.get("rest")
    return {
        "openapi": "3.1.0",
        "info": {"title": service.name, "version": service.provider.stage},
        **({"servers": [first]} if first else {}),
        "paths": paths,
        "components": {"schemas": schemas, **({"securitySchemes": schemes} if schemes else {})},
    }


def _chosen(service: Service, function: str | None) -> list[Function]:
    found = [one for one in service.functions.values() if function in {None, one.name}]
    described = [one for one in found if one.serves_models or any(_is_route(event) for event in one.events)]
    if not described:
        what = service.name if function is None else f"functions.{function}"
        raise ConfigurationError(
            f"{what} has no route and no model",
            expected="a function with an httpApi or http event, or with model:",
            where=str(service.path if function is None else service.functions[function].where),
        )
    return described


def _is_route(event: object) -> bool:
    return isinstance(event, (HttpApiEvent, HttpEvent))


def _servers(service: Service, urls: Mapping[str, str] | None) -> dict[str, dict[str, str]]:
    """Return the APIs that the service has -> where they are, without the stage."""
    kinds = {
        "httpApi" if isinstance(event, HttpApiEvent) else "rest"
        for function in service.functions.values()
        for event in function.events
        if _is_route(event)
    }
    ports = {"httpApi": 3000, "rest": 3001 if "httpApi" in kinds else 3000}
    default = {kind: f"http://127.0.0.1:{port}" for kind, port in ports.items()}
    stage = f"/{service.provider.stage}"
    return {
        kind: {"url": (urls or default).get(kind, default[kind]).removesuffix(stage)}
        for kind in ("httpApi", "rest")
        if kind in kinds
    }


def _routes(function: Function, models: Models | None, stage: str) -> Iterator[Route]:
    for event in function.events:
        if not isinstance(event, (HttpApiEvent, HttpEvent)):
            continue
        before = f"/{stage}" if isinstance(event, HttpEvent) else ""
        method = event.method.lower()
        if models is not None:
            found = list(models.routes(method, event.path))
        else:
            path = "/{proxy+}" if event.path == "*" else "/" + event.path.lstrip("/")
            found = [(each, path) for each in (_METHODS if method == "*" else (method,))]
        if isinstance(event, HttpEvent) and event.cors is not None and method not in {"*", "options"}:
            found += [("options", path) for path in dict.fromkeys(path for _, path in found)]
        for each, path in found:
            if each in _SPOKEN:
                yield Route(function, event, each, before + path)


def _operation(
    service: Service,
    route: Route,
    models: Models | None,
    number: int,
    schemas: dict[str, Any],
    schemes: dict[str, Any],
) -> dict[str, Any]:
    function, event, method = route.function, route.event, route.method
    about: dict[str, Any] = {"operationId": f"{function.name}_{method}_{number}", "tags": [function.name]}
    is_preflight = isinstance(event, HttpEvent) and method == "options" and event.method not in {"*", "OPTIONS"}
    if is_preflight:
        about |= {"summary": "The preflight of CORS.", "responses": {"200": {"description": "What is allowed."}}}
    elif models is not None:
        inner = route.path.removeprefix(f"/{service.provider.stage}") if isinstance(event, HttpEvent) else route.path
        about |= models.operation(method, inner)
    else:
        about |= _of_handler(route, schemas)
    if function.description:
        about["description"] = function.description
    if not is_preflight:
        about |= _of_gateway(service, route, about, schemes)
    known = {} if models is None else models.names(route.path)
    named = [
        {"name": name, "in": "path", "required": True, "schema": _segment(known.get(name))}
        for name in _NAME.findall(route.path)
    ]
    parameters = [*about.pop("parameters", []), *named]
    return about | ({"parameters": parameters} if parameters else {})


def _of_handler(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    event = route.event
    about: dict[str, Any] = {
        "summary": f"Call {route.function.name}.",
        "responses": {"default": {"description": "What the function answers."}},
    }
    if isinstance(event, HttpEvent):
        body = body_of(event.rules, f"{route.function.name}.{route.method}", schemas)
        if body is not None:
            return about | {"requestBody": body}
    if route.method in _WITH_BODY:
        about["requestBody"] = {"content": {"application/json": {"schema": {}}}}
    return about


def _of_gateway(service: Service, route: Route, about: dict[str, Any], schemes: dict[str, Any]) -> dict[str, Any]:
    """Return what the gateway adds: its own answers, what it demands."""
    event, provider = route.event, service.provider
    parameters = list(about.get("parameters", []))
    if isinstance(event, HttpEvent):
        answers = rest_answers(event, provider.rest_api)
        needs_key = event.private and provider.rest_api.key_source == "HEADER"
        parameters += parameters_of(event.rules)
    else:
        answers, needs_key = http_api_answers(event, provider.http_api), False
    added: dict[str, Any] = {"responses": joined(about["responses"], answers)}
    asked = requirement(event.authorizer, event.scopes, schemes, needs_key=needs_key)
    if asked:
        added["security"] = [asked]
    return added | ({"parameters": parameters} if parameters else {})


def _segment(names: list[str] | None) -> dict[str, Any]:
    return {"type": "string", "minLength": 1} if names is None else {"type": "string", "enum": names}


def _shape(name: re.Match[str]) -> str:
    return "{+}" if name[1].endswith("+") else "{}"
