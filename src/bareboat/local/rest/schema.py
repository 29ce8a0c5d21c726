"""A compiled JSON schema that no body can keep busy for long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from bareboat.local.patterns import search


@cache
def draft_4() -> Any:
    """Return jsonschema's class for draft 4 with keywords that come to an end.

    `uniqueItems` looks at each item once and does not compare it with each other; patterns have `patterns.LIMIT_S`.
    Imported late: half of a start-up's time would be its.
    """
    from jsonschema import Draft4Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend

    def unique_items(validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if not wanted or not validator.is_type(instance, "array"):
            return
        if len({canonical(item) for item in instance}) < len(instance):
            yield ValidationError(f"{instance!r} has non-unique elements")

    def pattern(validator: Any, wanted: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if validator.is_type(instance, "string") and not search(wanted, instance):
            yield ValidationError(f"{instance!r} does not match {wanted!r}")

    def pattern_properties(
        validator: Any, wanted: dict[str, Any], instance: Any, _schema: Any
    ) -> Iterator[ValidationError]:
        if validator.is_type(instance, "object"):
            for each, schema in wanted.items():
                for name, value in instance.items():
                    if search(each, name):
                        yield from validator.descend(value, schema, path=name, schema_path=each)

    def additional_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not validator.is_type(instance, "object"):
            return
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        extra = [
            name for name in instance if name not in known and not any(search(pattern, name) for pattern in patterns)
        ]
        if validator.is_type(wanted, "object"):
            for name in extra:
                yield from validator.descend(instance[name], wanted, path=name)
        elif not wanted and extra:
            names = ", ".join(map(repr, sorted(extra)))
            are = "was" if len(extra) == 1 else "were"
            yield ValidationError(f"Additional properties are not allowed ({names} {are} unexpected)")

    own = {
        "uniqueItems": unique_items,
        "pattern": pattern,
        "patternProperties": pattern_properties,
        "additionalProperties": additional_properties,
    }
    return extend(Draft4Validator, own)  # type: ignore[no-untyped-call]


def canonical(value: Any) -> str:
    """Return one text for all that JSON Schema counts as equal: 1 and 1.0, objects in any order; not true and 1."""
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{json.dumps(name)}:{canonical(of)}" for name, of in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)
