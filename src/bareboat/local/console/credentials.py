"""A route -> what a caller must show to get through: an API key, a token. Made or told only when somebody asks."""

from __future__ import annotations

from typing import Any

from bareboat.errors import LocalError
from bareboat.service.model import Service


def credential(service: Service, route: str) -> dict[str, Any]:
    """Return `{"headers": [[name, value], ...], "notes": [...]}` for a route.

    Raises:
        LocalError: nothing is known that would let a caller in.
    """
    raise LocalError(f"no credential is known for {route} of {service.name}", fix="type it into the headers")
