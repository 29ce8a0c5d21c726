"""What an OpenAPI operation demands of requests -> `request` of an `http` event, where a validator is named."""

from __future__ import annotations

import copy
from typing import Any

from bareboat.service.nodes import Node, plain, to_node

_VALIDATOR = "x-amazon-apigateway-request-validator"
_PARTS = {"query": "querystrings", "header": "headers", "path": "paths"}


def request_node(document: Node, item: Node, operation: Node) -> Node | None:
    """Return `request` of an event, None where the document has no validator for the operation.

    Args:
        item: the path of the operation.
    """
    named = operation.get(_VALIDATOR) or document.get(_VALIDATOR)
    validator = document.get(f"{_VALIDATOR}s", str(named.value)) if named is not None else None
    if named is None or validator is None:
        return None
    found: dict[str, Any] = {}
    wanted = plain(validator)
    if wanted.get("validateRequestParameters"):
        parameters = _parameters(document, item, operation)
        if parameters:
            found["parameters"] = parameters
    if wanted.get("validateRequestBody"):
        schemas = _schemas(document, item, operation)
        if schemas:
            found["schemas"] = schemas
    return to_node(found, operation.place) if found else None


def _listed(document: Node, *nodes: Node) -> list[dict[str, Any]]:
    """Return the parameters of nodes, references resolved; later ones win over earlier ones of the same name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for node in nodes:
        said = node.get("parameters")
        for each in said.value if said is not None and isinstance(said.value, list) else ():
            entry = _resolved(document, plain(each))
            found[str(entry.get("in")), str(entry.get("name"))] = entry
    return list(found.values())


def _resolved(document: Node, value: Any) -> dict[str, Any]:
    reference = value.get("$ref") if isinstance(value, dict) else None
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return value if isinstance(value, dict) else {}
    node = document.get(*reference[2:].split("/"))
    return plain(node) if node is not None and node.is_mapping else {}


def _parameters(document: Node, item: Node, operation: Node) -> dict[str, dict[str, bool]]:
    found: dict[str, dict[str, bool]] = {}
    for entry in _listed(document, item, operation):
        part = _PARTS.get(str(entry.get("in")))
        if part:
            found.setdefault(part, {})[str(entry.get("name"))] = bool(entry.get("required"))
    return found


def _schemas(document: Node, item: Node, operation: Node) -> dict[str, Any]:
    """Return the schemas of the body by content type; Swagger 2.0 has one, as a parameter."""
    body = operation.get("requestBody")
    if body is not None:
        content = _resolved(document, plain(body)).get("content") or {}
        return {kind: _whole(document, said["schema"]) for kind, said in content.items() if (said or {}).get("schema")}
    bodies = [entry for entry in _listed(document, item, operation) if entry.get("in") == "body"]
    consumed = operation.get("consumes") or document.get("consumes")
    kinds = plain(consumed) if consumed is not None else ["application/json"]
    return {kind: _whole(document, entry["schema"]) for entry in bodies if entry.get("schema") for kind in kinds}


def _whole(document: Node, schema: Any) -> dict[str, Any]:
    """Return a schema that stands alone: what it refers to in the document is under its own `definitions`."""
    found: dict[str, Any] = {}
    alone = _moved(document, copy.deepcopy(schema), found)
    alone = {"allOf": [alone]} if "$ref" in alone else alone
    return {**alone, "definitions": found} if found else alone


def _moved(document: Node, value: Any, found: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_moved(document, each, found) for each in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and reference.startswith(("#/components/schemas/", "#/definitions/")):
        name = reference.rpartition("/")[2]
        node = document.get(*reference[2:].split("/"))
        if name not in found and node is not None:
            found[name] = {}
            found[name] = _moved(document, plain(node), found)
        return {"$ref": f"#/definitions/{name}"}
    return {key: _moved(document, each, found) for key, each in value.items()}
