"""Service -> OpenAPI 3.1: the routes of its model functions, what they take and what they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bareboat.artifact.fetch import fetched
from bareboat.artifact.models import MAX_ROWS, model_files
from bareboat.artifact.schemas import ERROR, answer_schema, list_schema, request_schema, row_schema
from bareboat.errors import ConfigurationError
from bareboat.service.model import Function, Service
from bareboat.service.triggers import HttpApiEvent, HttpEvent

_JSON = "application/json"
_GREEDY = re.compile(r"/\{[^{}]*\+\}\Z")
_WITH_BODY = ("post", "put", "patch")


class Route(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    about: str


class _Extra(NamedTuple):
    """A path of a protocol: what comes behind the route's own, its method and what it is."""

    method: str
    path: str
    about: str


_PROTOCOLS: dict[str, tuple[_Extra, ...]] = {
    "mlflow": (
        _Extra("post", "/invocations", "predict"),
        _Extra("get", "/ping", "status"),
        _Extra("get", "/health", "status"),
        _Extra("get", "/version", "status"),
    ),
    "sagemaker": (_Extra("post", "/invocations", "predict"), _Extra("get", "/ping", "status")),
    "oip": (
        _Extra("get", "/v2", "status"),
        _Extra("get", "/v2/health/live", "status"),
        _Extra("get", "/v2/health/ready", "status"),
        _Extra("get", "/v2/models/{model}", "status"),
        _Extra("post", "/v2/models/{model}/infer", "predict"),
    ),
}
_SEVERAL = (
    _Extra("get", "/models", "status"),
    _Extra("get", "/models/{name}", "status"),
    _Extra("post", "/models/{name}", "predict"),
)
"""The paths behind a route that ends with `{proxy+}`, or of the catch-all."""


def openapi(service: Service, function: str | None = None) -> dict[str, Any]:
    """Describe the model functions of a service.

    Args:
        function: only this one.
    Returns:
        An OpenAPI 3.1 document. A function with `before` takes what that takes, and one with `after` answers what that
        returns, of which nothing is known.
    Raises:
        ConfigurationError: there is no such function, it serves no model, or what is declared does not fit a model.
        ModelError: a model cannot be read.
    """
    _chosen(service, function)  # before anything is fetched
    service = fetched(service, function=function, write=False)
    chosen = _chosen(service, function)
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"Error": ERROR}
    for one in chosen:
        signature = model_files(one, folder=service.folder).signature
        documents = {name: next(iter(versions.values())) for name, versions in signature["models"].items()}
        for name, document in documents.items():
            key = _key(one, name)
            schemas[f"{key}.Row"] = row_schema(document)
            schemas[f"{key}.Request"] = request_schema(document, MAX_ROWS, row=_ref(f"{key}.Row"))
            schemas[f"{key}.Answer"] = answer_schema(document)
        for number, route in enumerate(_routes(one)):
            operation = _operation(one, route, documents, signature["default"])
            operation["operationId"] = f"{one.name}_{route.method}_{number}"
            parameters = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in re.findall(r"\{([^{}]+)\}", route.path)
            ]
            if parameters:
                operation["parameters"] = [*operation.get("parameters", []), *parameters]
            paths.setdefault(route.path, {})[route.method] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": service.name, "version": service.provider.stage},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _chosen(service: Service, function: str | None) -> list[Function]:
    if function is None:
        found = [one for one in service.functions.values() if one.serves_models]
        if not found:
            raise ConfigurationError(
                f"{service.name} has no model functions", expected="a function with model:", where=str(service.path)
            )
        return found
    one = service.functions[function]
    if not one.serves_models:
        raise ConfigurationError(
            f"functions.{function} has a handler of its own",
            expected="a function with model:, whose inputs are known",
            where=str(one.where),
        )
    return [one]


def _routes(function: Function) -> Iterator[Route]:
    """Yield the routes of a function, those of its protocol in place of a path that takes any."""
    for event in function.events:
        if not isinstance(event, (HttpApiEvent, HttpEvent)):
            continue
        methods = ("get", "post") if event.method == "*" else (event.method.lower(),)
        takes_any = event.path == "*" or _GREEDY.search(event.path) is not None
        base = "" if event.path == "*" else _GREEDY.sub("", "/" + event.path.lstrip("/"))
        extras = _SEVERAL if function.models and function.protocol == "bareboat" else _PROTOCOLS.get(function.protocol)
        if takes_any and extras:
            yield from (Route(each.method, base + each.path, each.about) for each in extras if each.method in methods)
            continue
        path = base or "/"
        for method in methods:
            yield Route(method, path, _about(function, path, method))


def _about(function: Function, path: str, method: str) -> str:
    """Tell whether a route of a protocol predicts or tells a status, by the end of its path."""
    extras = _SEVERAL if function.models else _PROTOCOLS.get(function.protocol, ())
    for extra in extras:
        end = extra.path.rpartition("/")[2]
        if extra.method == method and path.rpartition("/")[2] == end and not end.startswith("{"):
            return extra.about
    return "predict"


def _operation(function: Function, route: Route, documents: Mapping[str, Any], default: str) -> dict[str, Any]:
    if route.about == "status":
        return {"summary": "Tell what is there.", "responses": {"200": {"description": "It is there."}}}
    keys = [_key(function, name) for name in documents]
    key = _key(function, default)
    about: dict[str, Any] = {"summary": f"Ask the model of {function.name}.", "tags": [function.name]}
    if function.description:
        about["description"] = function.description
    if route.method in _WITH_BODY:
        body: dict[str, Any] = {}
        if function.protocol != "bareboat":
            body = _protocol_body(function.protocol, documents[default], key)
        elif function.before is None:
            requests = [_ref(f"{each}.Request") for each in keys]
            body = {_JSON: {"schema": requests[0] if len(requests) == 1 else {"anyOf": requests}}}
        about["requestBody"] = {"required": True, "content": body or {_JSON: {"schema": {}}}}
    elif function.before is None and function.protocol == "bareboat":
        about["parameters"] = _query(documents[default])
    return about | {"responses": _responses(function, keys)}


def _query(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    row = row_schema(document)
    return [
        {"name": name, "in": "query", "required": name in row["required"], "schema": schema}
        for name, schema in row["properties"].items()
    ]


def _responses(function: Function, keys: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if function.after is None and function.protocol == "bareboat":
        single = [_ref(f"{key}.Answer") for key in keys]
        many = [
            {
                "type": "object",
                "properties": {"predictions": {"type": "array", "items": each}},
                "required": ["predictions"],
            }
            for each in single
        ]
        answer = {"anyOf": [*single, *many]}
    headers = {
        "X-Model-Version": {"description": "Which version of the model has answered.", "schema": {"type": "string"}}
    }
    if any(model.bounds == "warn" for model in function.served_models):
        headers["x-bareboat-warning"] = {
            "description": "The inputs that were outside their bounds.",
            "schema": {"type": "string"},
        }
    refused = _ref("Error") if function.protocol in ("bareboat", "sagemaker") else {}
    return {
        "200": {"description": "The answer.", "headers": headers, "content": {_JSON: {"schema": answer}}},
        "400": {"description": "The request does not fit.", "content": {_JSON: {"schema": refused}}},
        "500": {"description": "An error inside the function."},
    }


def _protocol_body(protocol: str, document: Mapping[str, Any], key: str) -> dict[str, Any]:
    rows = {"type": "array", "items": {"anyOf": [_ref(f"{key}.Row"), list_schema(document)]}, "minItems": 1}
    if protocol == "mlflow":
        names = {"type": "array", "items": {"type": "string"}}
        split = {"type": "object", "properties": {"columns": names, "data": {"type": "array"}}, "required": ["data"]}
        forms = {
            "dataframe_split": split,
            "dataframe_records": {"type": "array", "items": _ref(f"{key}.Row")},
            "instances": rows,
            "inputs": {},
        }
        said = [{"type": "object", "properties": {name: form}, "required": [name]} for name, form in forms.items()]
        return {_JSON: {"schema": {"anyOf": said}}, "text/csv": {"schema": {"type": "string"}}}
    if protocol == "sagemaker":
        return {_JSON: {"schema": {}}, "text/csv": {"schema": {"type": "string"}}}
    tensor = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "datatype": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "data": {"type": "array"},
        },
        "required": ["name", "datatype", "shape"],
    }
    properties = {"id": {"type": "string"}, "inputs": {"type": "array", "items": tensor}}
    return {_JSON: {"schema": {"type": "object", "properties": properties, "required": ["inputs"]}}}


def _key(function: Function, model: str) -> str:
    return function.name if not function.models else f"{function.name}.{re.sub(r'[^A-Za-z0-9._-]', '_', model)}"


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
