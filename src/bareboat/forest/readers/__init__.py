"""Readers of model files (`files.py` lists them) and openers of model objects. Importing it imports nothing (PEP 562):
the child process that opens pickles needs the openers alone."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.forest.readers.files import READERS, ensemble_from_model, read_ensemble

__all__ = ["READERS", "ensemble_from_model", "read_ensemble"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from bareboat.forest.readers import files

        return getattr(files, name)
    raise AttributeError(f"module 'bareboat.forest.readers' has no attribute {name!r}")
