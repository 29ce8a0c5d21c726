"""The inputs of a model -> YAML for serverless.yml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from bareboat.service.model import Bounds, Feature
from bareboat.service.scalars import read_scalar

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.()/-]*(?: [A-Za-z0-9_.()/-]+)*")
_RESERVED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def signature_text(inputs: Iterable[Feature], bounds: Bounds | None, indent: int = 0) -> str:
    """Write `bounds` and `inputs` of a signature, one input a line.

    Args:
        bounds: None where no input has any.
        indent: how many spaces each line begins with.
    """
    lines = (
        [] if bounds is None else [f"bounds: {bounds} # a value outside minimum, maximum or enum: error, warn, ignore"]
    )
    lines += ["inputs:", *(f"  - {entry(each)}" for each in inputs)]
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def entry(feature: Feature) -> str:
    """Write one input as a flow mapping, or as its name when nothing more is said."""
    said = {
        "dtype": feature.dtype,
        "nullable": feature.nullable,
        "enum": None if feature.enum is None else list(feature.enum),
        "minimum": feature.minimum,
        "maximum": feature.maximum,
        "default": feature.default,
        "unknown": feature.unknown,
        "column": feature.column,
    }
    more = {key: value for key, value in said.items() if value is not None}
    if not more:
        return scalar(feature.name)
    return "{" + ", ".join(f"{key}: {_written(value)}" for key, value in {"name": feature.name, **more}.items()) + "}"


def _written(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)


def scalar(text: str) -> str:
    """Write a text as a YAML scalar that reads back as this text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED and read_scalar(text) == text:
        return text
    return json.dumps(text, ensure_ascii=False)
