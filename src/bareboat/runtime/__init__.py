"""What ships in the artifact of a `model:` function: stdlib only. Importing it imports nothing else (PEP 562)."""

_HOMES = {
    "InputError": "bareboat.errors",
    "load_forest": "bareboat.runtime.forest",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'bareboat.runtime' has no attribute {name!r}")


def __dir__() -> "list[str]":
    return [*globals(), *_HOMES]
