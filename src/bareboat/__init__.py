"""bareboat runs trained Python models without servers. Importing it imports nothing else (PEP 562)."""

__version__ = "0.1.0"

_HOMES = {
    "Service": "bareboat.service.model",
    "load_service": "bareboat.service",
    "Artifact": "bareboat.artifact.model",
    "build": "bareboat.artifact",
    "open_artifact": "bareboat.artifact",
    "Forest": "bareboat.forest.estimator",
    "Model": "bareboat.pipeline.estimator",
    "serve": "bareboat.project.session",
    "package": "bareboat.project.package",
    "sample_mask": "bareboat.forest.sampling",
    "BareboatError": "bareboat.errors",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'bareboat' has no attribute {name!r}")


def __dir__() -> "list[str]":
    return [*globals(), *_HOMES]
