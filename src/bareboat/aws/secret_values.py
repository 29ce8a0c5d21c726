"""Which values may be secrets, by the names of what holds them, and how they are shown instead."""

from __future__ import annotations

import re
from typing import Any

from bareboat.service.secret_names import has_secret_name

NOT_SHOWN = "(not shown)"
_VARIABLE = re.compile(r"(^|\.)(Stage)?Variables\.|(^|\.)Environment(Variables)?\[\d+\]\.Value\Z|(^|\.)UserData\b")
_VALUES = {
    "AWS::ApiGateway::ApiKey": "Value",
    "AWS::SSM::Parameter": "Value",
}
"""Types of which one property is the secret, whatever it is called."""


def is_secret(type_: str, path: str) -> bool:
    """Return whether a property may hold a secret: a variable of a function, the value of an API key, a password.

    Args:
        type_: of the resource; "" for what is none.
        path: dotted: `Environment.Variables.LEVEL`, with `Properties.` before it or without.
    """
    path = path.removeprefix("Properties.")
    return _VALUES.get(type_) == path or bool(_VARIABLE.search(path)) or has_secret_name(path)


def without_secrets(type_: str, path: str, value: Any) -> Any:
    """Return a value as it may be shown: names as they are, secrets below it as NOT_SHOWN.

    Args:
        type_, path: of the value, as `is_secret` takes them; for a resource as a whole the path is "".
        value: JSON-like; anything else comes back as it is, unless it is a secret itself.
    """
    if path and is_secret(type_, path) and not (isinstance(value, dict) and value and not _is_intrinsic(value)):
        return NOT_SHOWN
    if isinstance(value, dict):
        return {key: without_secrets(type_, f"{path}.{key}" if path else key, child) for key, child in value.items()}
    if isinstance(value, list):
        return [without_secrets(type_, f"{path}[{place}]", child) for place, child in enumerate(value)]
    return value


def _is_intrinsic(value: dict[str, Any]) -> bool:
    return any(key == "Ref" or key.startswith("Fn::") for key in value)
