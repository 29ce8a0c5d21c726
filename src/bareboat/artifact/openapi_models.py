"""Model functions -> the operations of an OpenAPI document: what they take and what they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bareboat.artifact.models import MAX_ROWS, model_files
from bareboat.artifact.schemas import answer_schema, list_schema, request_schema, row_schema
from bareboat.service.model import Function

_JSON = "application/json"
_GREEDY = re.compile(r"/\{[^{}]*\+\}\Z")
_WITH_BODY = ("post", "put", "patch")


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


class Models:
    """The models of one function, as the document speaks of them.

    Args:
        schemas: of the document; those of the models are added.
    Raises:
        ModelError: a model cannot be read.
    """

    def __init__(self, function: Function, folder: Path, schemas: dict[str, Any]) -> None:
        self.function = function
        signature = model_files(function, folder=folder).signature
        self.default: str = signature["default"]
        self.documents = {name: next(iter(versions.values())) for name, versions in signature["models"].items()}
        for name, document in self.documents.items():
            key = _key(function, name)
            schemas[f"{key}.Row"] = row_schema(document)
            schemas[f"{key}.Request"] = request_schema(document, MAX_ROWS, row=_ref(f"{key}.Row"))
            schemas[f"{key}.Answer"] = answer_schema(document)

    def routes(self, method: str, path: str) -> Iterator[tuple[str, str]]:
        """Yield the methods and paths that are behind a route: those of a protocol in place of a path that takes any.

        Args:
            method: lower case; "*" is any.
            path: "*" is any.
        """
        methods = ("get", "post") if method == "*" else (method,)
        takes_any = path == "*" or _GREEDY.search(path) is not None
        base = "" if path == "*" else _GREEDY.sub("", "/" + path.lstrip("/"))
        if takes_any and self._extras:
            yield from ((each.method, base + each.path) for each in self._extras if each.method in methods)
            return
        for each_method in methods:
            yield each_method, path if takes_any and path != "*" else base or "/"

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """Describe one of them."""
        return _operation(self.function, method, _about(self.function, path, method), self.documents, self.default)

    def names(self, path: str) -> dict[str, list[str]]:
        """Return the parameters of a path that name a model -> the names that there are."""
        inside = [each.path.rpartition("{")[2].partition("}")[0] for each in self._extras if path.endswith(each.path)]
        return {name: list(self.documents) for name in inside if name}

    @property
    def _extras(self) -> tuple[_Extra, ...]:
        function = self.function
        if function.models and function.protocol == "bareboat":
            return _SEVERAL
        return _PROTOCOLS.get(function.protocol, ())


def _about(function: Function, path: str, method: str) -> str:
    """Tell whether a route of a protocol predicts or tells a status, by the end of its path."""
    extras = _SEVERAL if function.models else _PROTOCOLS.get(function.protocol, ())
    for extra in extras:
        end = extra.path.rpartition("/")[2]
        if extra.method == method and path.rpartition("/")[2] == end and not end.startswith("{"):
            return extra.about
    return "predict"


def _operation(
    function: Function, method: str, what: str, documents: Mapping[str, Any], default: str
) -> dict[str, Any]:
    if what == "status":
        return {
            "summary": "Tell what is there.",
            "responses": {
                "200": {"description": "It is there."},
                "404": {"description": "There is no such model."},
                "503": {"description": "It cannot answer now."},
            },
        }
    keys = [_key(function, name) for name in documents]
    key = _key(function, default)
    about: dict[str, Any] = {"summary": f"Ask the model of {function.name}."}
    if method in _WITH_BODY:
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
    content = {_JSON: {"schema": refused}}
    answers: dict[str, Any] = {
        "200": {"description": "The answer.", "headers": headers, "content": {_JSON: {"schema": answer}}},
        "400": {"description": "The request does not fit.", "content": content},
        "404": {"description": "There is no such model, version or path.", "content": content},
        "405": {"description": "The method is not one of this path.", "content": content},
    }
    if function.protocol in {"mlflow", "sagemaker"}:
        told = {"text/plain": {"schema": {"type": "string"}}} if function.protocol == "mlflow" else content
        answers["415"] = {"description": "The content type is not taken.", "content": told}
    if function.protocol == "sagemaker":
        answers["406"] = {"description": "No type that is asked for can be answered.", "content": content}
    return answers


def _protocol_body(protocol: str, document: Mapping[str, Any], key: str) -> dict[str, Any]:
    rows = {"type": "array", "items": {"anyOf": [_ref(f"{key}.Row"), list_schema(document)]}, "minItems": 1}
    if protocol == "mlflow":
        names = {"type": "array", "items": {"type": "string"}}
        split = {
            "type": "object",
            "properties": {"columns": names, "data": {"type": "array", "minItems": 1}},
            "required": ["data"],
        }
        forms = {
            "dataframe_split": split,
            "dataframe_records": {"type": "array", "items": _ref(f"{key}.Row"), "minItems": 1},
            "instances": rows,
            "inputs": {},
        }
        said = [{"type": "object", "properties": {name: form}, "required": [name]} for name, form in forms.items()]
        return {_JSON: {"schema": {"anyOf": said}}, "text/csv": {"schema": {"type": "string", "minLength": 1}}}
    if protocol == "sagemaker":
        return {_JSON: {"schema": {}}, "text/csv": {"schema": {"type": "string", "minLength": 1}}}
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
