"""An attribute of a framework's object, whose properties may raise what they like."""

from __future__ import annotations

from typing import Any


def attribute(model: Any, name: str) -> Any:
    """Return an attribute; None where it is missing, or cannot be told, as of a model that is not fitted."""
    try:
        return getattr(model, name, None)
    except Exception:  # noqa: BLE001 - a framework's own code
        return None
