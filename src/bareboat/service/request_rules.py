"""`request` of an `http` event -> RequestRules: parameters that must be there, and JSON schemas of the body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from bareboat.service.api import RequestRules, Schema
from bareboat.service.keys.apis import ModelKeys, RequestKeys
from bareboat.service.model import Place
from bareboat.service.nodes import Node, plain
from bareboat.service.problems import listed, nearest
from bareboat.service.report import Report

_PARTS = (("querystrings", "querystring"), ("headers", "header"), ("paths", "path"))
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_NOT_PROXY = ("template", "passThrough", "contentHandling", "method", "uri")


def schemas_of(keys: Mapping[str, ModelKeys], node: Node | None, report: Report) -> dict[str, Schema]:
    """Return `provider.apiGateway.request.schemas` by key; API Gateway takes JSON with each."""
    found = {}
    for name, each in keys.items():
        child = node.value.get(name) if node is not None and node.is_mapping else None
        if child is None or each is None:
            continue
        inner, path = child.get("schema"), f"provider.apiGateway.request.schemas.{name}"
        if inner is None or not inner.is_mapping:
            if each.schema is None and not (inner is not None and inner.state) and child.is_mapping:
                report.problems.add(child.place, f"{path} has no schema", expected="a JSON schema under schema")
            continue
        check_schema(inner, f"{path}.schema", report)
        found[name] = Schema("application/json", plain(inner), inner.place, name=each.name or name)
    return found


def rules_of(
    keys: RequestKeys | None,
    node: Node | None,
    path: str,
    shared: Mapping[str, Schema],
    integration: str,
    report: Report,
) -> RequestRules:
    """Return what a method demands of a request.

    Args:
        path: `functions.NAME.events[0].http.request`.
        shared: the schemas that the API has by name.
        integration: of the method; AWS_PROXY has no templates.
    """
    if keys is None or node is None:
        return RequestRules()
    for key in _NOT_PROXY:
        if integration == "AWS_PROXY" and node.get(key) is not None:
            report.warn(
                f"{path}.{key} has no meaning with the integration lambda-proxy, on AWS as here", node.key_place(key)
            )
    parameters: dict[str, bool] = {}
    for plural, singular in _PARTS:
        for name, said in (getattr(keys.parameters, plural, None) or {}).items():
            required = said if isinstance(said, bool) else said is None or said.required is not False
            parameters[f"{singular}.{name}"] = required
    schemas: dict[str, Schema] = {}
    if node.get("schema") is not None:
        report.info(f"{path}.schema is the older form of schemas; read as such", node.key_place("schema"))
    for key in ("schema", "schemas"):
        child = node.get(key)
        for content_type, each in child.items() if child is not None else ():
            found = _schema(content_type, each, f"{path}.{key}.{content_type}", shared, report)
            if found is not None:
                schemas[content_type] = found
    return RequestRules(parameters, tuple(schemas.values()))


def _schema(content_type: str, node: Node, path: str, shared: Mapping[str, Schema], report: Report) -> Schema | None:
    if "/" not in content_type:
        report.problems.add(
            node.place, f"{path}: '{content_type}' is no content type", expected="one such as application/json"
        )
        return None
    if node.is_mapping:
        inner = node.get("schema")
        if inner is not None and inner.is_mapping:
            check_schema(inner, f"{path}.schema", report)
            name = node.get("name")
            return Schema(content_type, plain(inner), inner.place, name=str(name.value) if name is not None else "")
        check_schema(node, path, report)
        return Schema(content_type, plain(node), node.place)
    if not isinstance(node.value, str) or node.state:
        return None
    if node.value in shared:
        found = shared[node.value]
        return Schema(content_type, found.schema, found.where, name=found.name)
    return _written_out(content_type, node, path, shared, report)


def _written_out(
    content_type: str, node: Node, path: str, shared: Mapping[str, Schema], report: Report
) -> Schema | None:
    """A text is a schema as JSON, where it is no name."""
    try:
        value = json.loads(node.value)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return Schema(content_type, value, node.place)
    near = nearest(node.value, shared)
    report.problems.add(
        node.place,
        f"{path} is '{node.value if len(node.value) < 60 else node.value[:57] + '...'}'",
        expected="a JSON schema, or a name under provider.apiGateway.request.schemas"
        + (f": {listed(shared)}" if shared else ""),
        fix=f"write {near}" if near else "",
    )
    return None


def check_schema(node: Node, path: str, report: Report, root: Node | None = None) -> None:
    """Note what JSON Schema does not have, at any depth, each with its place: types, patterns, places referred to.

    Args:
        root: the whole schema, when `node` is a part of it.
    """
    root = root or node
    for key, child in node.items():
        if key == "type" and not child.state and not child.is_mapping:
            _check_type(child, f"{path}.type", report)
        elif key in ("properties", "patternProperties", "definitions"):
            if not child.is_mapping and not child.state:
                report.problems.add(
                    child.place, f"{path}.{key} is {plain(child)!r:.60}", expected="a JSON schema for each name"
                )
            for name, inner in child.items():
                if key == "patternProperties":
                    _check_pattern(name, child.key_place(name), f"{path}.{key}", report)
                check_schema(inner, f"{path}.{key}.{name}", report, root)
        elif key in ("items", "additionalProperties", "not", "allOf", "anyOf", "oneOf"):
            for inner in child.value if isinstance(child.value, list) else [child]:
                check_schema(inner, f"{path}.{key}", report, root)
        elif key == "pattern" and isinstance(child.value, str) and not child.state:
            _check_pattern(child.value, child.place, f"{path}.pattern", report)
        elif key == "$ref" and isinstance(child.value, str) and not child.state:
            _check_reference(child, path, root, report)
        elif key == "required" and not isinstance(child.value, list) and not child.state:
            report.problems.add(child.place, f"{path}.required is {plain(child)!r}", expected="a list of names")


def _check_pattern(pattern: str, place: Place, path: str, report: Report) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        report.problems.add(place, f"{path}: '{pattern}' is no regular expression: {error}", expected="one")


def _check_reference(node: Node, path: str, root: Node, report: Report) -> None:
    """Note a reference within the schema to a place that it does not have; models of the API are looked for later."""
    if not node.value.startswith("#/"):
        return
    found: Node | None = root
    for part in node.value[2:].split("/"):
        name = unquote(part).replace("~1", "/").replace("~0", "~")
        inner = None if found is None else found.value
        if isinstance(inner, list):
            found = inner[int(name)] if name.isdecimal() and int(name) < len(inner) else None
        else:
            found = inner.get(name) if isinstance(inner, dict) else None
    if found is None:
        report.problems.add(
            node.place, f"{path} refers to {node.value}, which the schema does not have", expected="a place in it"
        )


def _check_type(node: Node, path: str, report: Report) -> None:
    said: Any = plain(node)
    for each in said if isinstance(said, list) else [said]:
        if each in _TYPES or each is None:
            continue
        near = nearest(str(each), _TYPES)
        report.problems.add(
            node.place,
            f"{path} is '{each}'",
            expected=f"one of {listed(_TYPES)}",
            fix=f"write {near}" if near else "",
        )
