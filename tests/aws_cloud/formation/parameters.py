"""Parameters of a stack: what was sent, the template's defaults, and the values of before."""

from __future__ import annotations

import re
from typing import Any

from aws_cloud.formation.template import Template
from aws_cloud.messages import Refused


def effective(template: Template, sent: list[dict[str, Any]], before: dict[str, str] | None = None) -> dict[str, str]:
    """Return name -> text of every parameter of a template.

    Raises:
        Refused: one is missing, unknown, or not what the template allows.
    """
    given = {one["ParameterKey"]: one for one in sent}
    unknown = sorted(set(given) - set(template.parameters))
    if unknown:
        raise Refused("ValidationError", f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values: dict[str, str] = {}
    missing = []
    for name, rule in template.parameters.items():
        entry = given.get(name)
        if entry is not None and entry.get("UsePreviousValue"):
            if before is None or name not in before:
                raise Refused(
                    "ValidationError", f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as "
                    "true for a parameter key not in the previous template"
                )  # fmt: skip
            values[name] = before[name]
        elif entry is not None and "ParameterValue" in entry:
            values[name] = entry["ParameterValue"]
        elif "Default" in rule:
            default = rule["Default"]
            values[name] = str(default).lower() if isinstance(default, bool) else str(default)
        else:
            missing.append(name)
            continue
        _check(name, rule, values[name])
    if missing:
        raise Refused("ValidationError", f"Parameters: [{', '.join(missing)}] must have values")
    return values


def _check(name: str, rule: dict[str, Any], value: str) -> None:
    told = rule.get("ConstraintDescription")
    if "AllowedValues" in rule and value not in [str(one) for one in rule["AllowedValues"]]:
        listed = ", ".join(str(one) for one in rule["AllowedValues"])
        raise Refused("ValidationError", told or f"Parameter '{name}' must be one of AllowedValues: [{listed}]")
    if "AllowedPattern" in rule and not re.fullmatch(rule["AllowedPattern"], value):
        raise Refused(
            "ValidationError", told or f"Parameter {name} failed to satisfy constraint: {rule['AllowedPattern']}"
        )


def as_values(template: Template, texts: dict[str, str]) -> dict[str, Any]:
    """Return what `Ref` gives: lists for list types."""
    values: dict[str, Any] = {}
    for name, text in texts.items():
        kind = template.parameters[name].get("Type", "String")
        listed = kind == "CommaDelimitedList" or kind.startswith("List<")
        values[name] = [one.strip() for one in text.split(",")] if listed else text
    return values
