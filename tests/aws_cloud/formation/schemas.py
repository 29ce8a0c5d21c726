"""The schemas of resource types that CloudFormation publishes, as cfn-lint ships them."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, ValidationError

from aws_cloud.moto import REGION


def _data() -> Path:
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "schemas"


@cache
def _files() -> dict[str, str]:
    index: dict[str, str] = json.loads((_data() / "providers" / f"{REGION}.json").read_text())
    return index


@cache
def schema(kind: str) -> dict[str, Any] | None:
    """Return the schema of `AWS::S3::Bucket`; None where there is no such type."""
    name = _files().get(kind)
    if name is None:
        return None
    found: dict[str, Any] = json.loads((_data() / "resources" / f"{name}.json").read_text())
    return found


@cache
def _validator(kind: str) -> Draft7Validator:
    return Draft7Validator(_readable(schema(kind) or {}))


def _readable(value: Any) -> Any:
    """Return a schema without the patterns that Python's `re` cannot read."""
    if isinstance(value, list):
        return [_readable(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _readable(one) for key, one in value.items() if key != "pattern" or _compiles(one)}


def _compiles(pattern: Any) -> bool:
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        return not isinstance(pattern, str)
    return True


def complaint(kind: str, properties: dict[str, Any]) -> str:
    """Return what CloudFormation says of properties that its schema refuses; "" for none."""
    document = schema(kind)
    if document is None:
        return ""
    texts = [_said(error) for error in _validator(kind).iter_errors(_as_sent(properties)) if _counts(error)]
    return "\n".join(sorted(text for text in texts if text))


def _counts(error: ValidationError) -> bool:
    return error.validator in {"additionalProperties", "required", "enum", "pattern", "maxLength", "minLength"}


def _said(error: ValidationError) -> str:
    place = "#" + "".join(f"/{one}" for one in error.absolute_path)
    if error.validator == "additionalProperties":
        extra = sorted(set(error.instance) - set(error.schema.get("properties", ())))
        return "\n".join(f"#: extraneous key [{one}] is not permitted" for one in extra) if extra else ""
    if error.validator == "required":
        missing = [one for one in error.validator_value if one not in error.instance]
        return "\n".join(f"{place}: required key [{one}] not found" for one in missing)
    if error.validator == "enum":
        return f"{place}: {error.instance} is not a valid enum value"
    if error.validator == "pattern":
        return f"{place}: failed validation constraint for keyword [pattern]"
    return f"{place}: expected {error.validator}: {error.validator_value}, actual: {len(error.instance)}"


def _as_sent(value: Any) -> Any:
    """CloudFormation takes "30" for 30: only structure and texts are checked."""
    return value


@cache
def create_only(kind: str) -> frozenset[str]:
    """Return the properties of which a change replaces the resource, such as `BucketName`."""
    return frozenset(_top(kind, "createOnlyProperties"))


@cache
def conditionally_create_only(kind: str) -> frozenset[str]:
    """Return the properties of which a change may replace the resource."""
    return frozenset(_top(kind, "conditionalCreateOnlyProperties"))


@cache
def can_update(kind: str) -> bool:
    """Whether the type can be changed in place at all."""
    return "update" in ((schema(kind) or {}).get("handlers") or {"update": {}})


def _top(kind: str, key: str) -> list[str]:
    return [one.removeprefix("/properties/").split("/")[0] for one in (schema(kind) or {}).get(key, ())]
