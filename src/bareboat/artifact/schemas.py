"""The inputs and outputs of a model document -> JSON schemas (2020-12) of rows, requests and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bareboat.runtime.signature import VALUE_ENGINES

Schema = dict[str, Any]

_MOMENT = (
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"([Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?)?$"
)
_TYPES: dict[str, Schema] = {
    "float": {"type": ["number"]},
    "int": {"type": ["integer"], "format": "int64"},
    "bool": {"type": ["boolean", "integer"], "enum": [False, True, 0, 1]},
    "string": {"type": ["string"]},
    "category": {"type": ["string", "number", "boolean"]},
    "datetime": {"type": ["string"], "pattern": _MOMENT},
    "any": {},
}

_LONG: Schema = {"minimum": -(2**63), "maximum": 2**63 - 1}
_LONG_AS_FLOAT: Schema = {"minimum": -(2**63) - 1024, "maximum": 2**63 - 513}
"""The whole numbers whose nearest float64 is a long."""

ERROR: Schema = {
    "type": "object",
    "description": "What does not fit; errors names each field.",
    "properties": {
        "message": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {key: {"type": "string"} for key in ("field", "found", "expected")},
                "required": ["field", "found", "expected"],
            },
        },
    },
    "required": ["message"],
}
"""The body of a 400."""


def value_schema(declared: Mapping[str, Any], *, bounds: str = "error", exact: bool = False) -> Schema:
    """Return the schema of an input's values: what is accepted.

    Args:
        declared: an input of a model document.
        bounds: unless it is error, minimum, maximum and enum are only told of.
        exact: whether whole numbers go to the model as they are, and not as float64.
    """
    strict = bounds == "error"
    if declared.get("shape") is not None:
        return _tensor_schema(declared["shape"], nullable=declared["nullable"])
    schema = {key: list(each) if isinstance(each, list) else each for key, each in _TYPES[declared["dtype"]].items()}
    if declared["dtype"] == "int":
        schema |= _LONG if exact else _LONG_AS_FLOAT
    enum, values, others = declared["enum"], declared["values"], declared["others"]
    if declared["dtype"] == "category" and values is not None:
        schema["type"] = _kinds(values, texts=declared.get("unknown") != "missing")
    if enum is not None and (strict or not others):
        schema["enum"] = _with_numbers(enum) if declared["dtype"] == "bool" else list(enum)
    elif values is not None and not others and declared["dtype"] != "bool":
        schema["enum"] = [value for value in values if value is not None]
    ends = {key: declared[key] for key in ("minimum", "maximum") if declared[key] is not None}
    if ends and strict and declared["dtype"] != "datetime":
        schema |= {key: _inner(key, end, schema) for key, end in ends.items()}
    elif ends or (enum is not None and "enum" not in schema):
        said = [f"{key} {end}" for key, end in ends.items()] + ([f"one of {enum}"] if enum is not None else [])
        schema["description"] = f"Expected: {', '.join(said)}."
    if (declared["nullable"] or declared["default"] is not None) and "type" in schema:
        schema["type"].append("null")
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    if len(schema.get("type", ())) == 1:
        schema["type"] = schema["type"][0]
    if declared["default"] is not None:
        schema["default"] = declared["default"]
    if declared["aliases"]:
        schema["x-aliases"] = list(declared["aliases"])
    return schema


def _inner(key: str, end: Any, schema: Mapping[str, Any]) -> Any:
    """Return the narrower one of a declared end and of what the type has."""
    if key not in schema:
        return end
    return max(end, schema[key]) if key == "minimum" else min(end, schema[key])


def _tensor_schema(shape: Sequence[int | None], *, nullable: bool) -> Schema:
    schema: Schema = {"type": "number"}
    for length in reversed(shape):
        limits = {} if length is None else {"minItems": length, "maxItems": length}
        schema = {"type": "array", "items": schema, **limits}
    return {"anyOf": [schema, {"type": "null"}]} if nullable else schema


def row_schema(document: Mapping[str, Any]) -> Schema:
    """Return the schema of one row as an object, by the names of its inputs."""
    inputs, bounds, exact = document["inputs"], document["bounds"], document.get("engine") in VALUE_ENGINES
    return {
        "type": "object",
        "properties": {each["name"]: value_schema(each, bounds=bounds, exact=exact) for each in inputs},
        "required": [each["name"] for each in inputs if not each["nullable"] and each["default"] is None],
        "additionalProperties": False,
    }


def list_schema(document: Mapping[str, Any]) -> Schema:
    """Return the schema of one row as a list, in the model's order."""
    inputs, bounds, exact = document["inputs"], document["bounds"], document.get("engine") in VALUE_ENGINES
    return {
        "type": "array",
        "prefixItems": [{"title": each["name"], **value_schema(each, bounds=bounds, exact=exact)} for each in inputs],
        "minItems": len(inputs),
        "maxItems": len(inputs),
    }


def request_schema(document: Mapping[str, Any], max_rows: int, *, row: Schema | None = None) -> Schema:
    """Return the schema of a request: one row of either form, or many as `instances`.

    Args:
        row: stands for the object form, such as a `$ref` to it; None writes it out.
    """
    forms = [row or row_schema(document), list_schema(document)]
    if any("instances" in (each["name"], *each["aliases"]) for each in document["inputs"]):
        return {"anyOf": forms}
    many = {
        "type": "object",
        "properties": {"instances": {"type": "array", "items": {"anyOf": forms}, "minItems": 1, "maxItems": max_rows}},
        "required": ["instances"],
        "additionalProperties": False,
    }
    return {"anyOf": [*forms, many]}


def answer_schema(document: Mapping[str, Any]) -> Schema:
    """Return the schema of the answer to one row."""
    outputs = {each["name"]: _output_schema(each) for each in document["outputs"]}
    return {"type": "object", "properties": outputs, "required": list(outputs), "additionalProperties": False}


def _output_schema(output: Mapping[str, Any]) -> Schema:
    schema: Schema = {"type": _TYPES[output["dtype"]]["type"][0]} if output["dtype"] != "category" else {}
    schema |= {key: output[key] for key in ("minimum", "maximum", "enum") if key in output}
    for length in reversed(output.get("shape", ())):
        schema = {"type": "array", "items": schema, "minItems": length, "maxItems": length}
    return schema


def _kinds(values: Sequence[Any], *, texts: bool) -> list[str]:
    """Return the types that a vocabulary has.

    Args:
        texts: whether they are taken where it has none.
    """
    present = [value for value in values if value is not None and not isinstance(value, str)]
    numbers = ["number"] if any(not isinstance(value, bool) for value in present) else []
    has_texts = texts or not present or any(isinstance(value, str) for value in values)
    return [
        *(["string"] if has_texts else []),
        *numbers,
        *(["boolean"] if any(isinstance(value, bool) for value in present) else []),
    ]


def _with_numbers(enum: Sequence[Any]) -> list[Any]:
    """Add 0 for false and 1 for true, which are taken for them."""
    return [made for value in enum for made in (bool(value), int(value))]
