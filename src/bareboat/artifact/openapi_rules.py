"""What a REST method demands of a request -> parameters and bodies of an OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bareboat.service.api import RequestRules

_PLACES = {"querystring": "query", "header": "header", "path": "path"}
_MODEL = re.compile(r"/models/([A-Za-z0-9]+)\Z")
_TAKES_NAMES = frozenset({"properties", "patternProperties", "definitions", "dependencies", "$defs"})
_DATA = frozenset({"enum", "const", "default", "example", "examples"})


def parameters_of(rules: RequestRules) -> list[dict[str, Any]]:
    """Return the query strings and headers that a method tells of; those of the path come with the path.

    One that is required must not be blank, as AWS has it.
    """
    found = []
    for name, is_required in rules.parameters.items():
        place, _, what = name.partition(".")
        if place in {"querystring", "header"} and what.lower() not in {"accept", "content-type", "authorization"}:
            schema: dict[str, Any] = {"type": "string"}
            if is_required:
                schema |= {"minLength": 1} if place == "querystring" else {"pattern": r"\S"}  # HTTP trims headers
            found.append({"name": what, "in": _PLACES[place], "required": is_required, "schema": schema})
    return found


def body_of(rules: RequestRules, key: str, schemas: dict[str, Any]) -> dict[str, Any] | None:
    """Return the body that a method demands; None where it has no model.

    Args:
        key: what to call a model that has no name.
        schemas: of the document; the models are added.
    """
    content = {}
    for schema in rules.schemas:
        name = schema.name or f"{key}.{re.sub(r'[^A-Za-z0-9]+', '_', schema.content_type)}"
        schemas[name] = as_2020_12(schema.schema, f"#/components/schemas/{name}")
        content[schema.content_type] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    return {"required": True, "content": content} if content else None


def as_2020_12(schema: Any, place: str, *, is_data: bool = False, are_names: bool = False) -> Any:
    """Return a schema of draft 4 as one of 2020-12, which OpenAPI 3.1 has.

    Args:
        place: where the whole schema is in the document: what `#` points to.
        is_data: inside an enum or a default.
        are_names: whether the keys are names of properties and not of the schema's own.
    """
    if isinstance(schema, list):
        return [as_2020_12(each, place, is_data=is_data) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    if is_data:
        return {key: as_2020_12(each, place, is_data=True) for key, each in schema.items()}
    made = {
        key: as_2020_12(
            each, place, is_data=not are_names and key in _DATA, are_names=not are_names and key in _TAKES_NAMES
        )
        for key, each in schema.items()
        if are_names or key not in {"$schema", "id"}
    }
    return made if are_names else _renamed(made, place)


def _renamed(made: dict[str, Any], place: str) -> dict[str, Any]:
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(exclusive), bool):
            is_exclusive = made.pop(exclusive)
            if is_exclusive and limit in made:
                made[exclusive] = made.pop(limit)
    if isinstance(made.get("items"), list):
        made["prefixItems"] = made.pop("items")
        if "additionalItems" in made:
            made["items"] = made.pop("additionalItems")
    reference = made.get("$ref")
    if isinstance(reference, str):
        model = _MODEL.search(reference)
        if model is not None:
            made["$ref"] = f"#/components/schemas/{model[1]}"
        elif reference.startswith("#"):
            made["$ref"] = place + reference[1:]
    return made
