"""The local cloud: AWS's own runtime client on the artifact, behind an HTTP API on 127.0.0.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bareboat.local.invocation import Invocation, Throttled
    from bareboat.local.invoke import invoke_local
    from bareboat.local.pool import Pool

__all__ = ["Invocation", "Pool", "Throttled", "invoke_local"]

_HOMES = {
    "Invocation": "bareboat.local.invocation",
    "Pool": "bareboat.local.pool",
    "Throttled": "bareboat.local.invocation",
    "invoke_local": "bareboat.local.invoke",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
