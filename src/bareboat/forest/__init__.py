"""Model files -> Ensemble -> `.forest` files. Importing it imports nothing else (PEP 562)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.forest.file import forest_bytes, write_forest
    from bareboat.forest.file_reader import read_forest_file
    from bareboat.forest.ir import Ensemble, Tree, Trees
    from bareboat.forest.readers.files import ensemble_from_model, read_ensemble

_HOMES = {
    "Ensemble": "bareboat.forest.ir",
    "Tree": "bareboat.forest.ir",
    "Trees": "bareboat.forest.ir",
    "ensemble_from_model": "bareboat.forest.readers.files",
    "forest_bytes": "bareboat.forest.file",
    "read_ensemble": "bareboat.forest.readers.files",
    "read_forest_file": "bareboat.forest.file_reader",
    "write_forest": "bareboat.forest.file",
}

__all__ = [
    "Ensemble",
    "Tree",
    "Trees",
    "ensemble_from_model",
    "forest_bytes",
    "read_ensemble",
    "read_forest_file",
    "write_forest",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'bareboat.forest' has no attribute {name!r}")
