"""A model of any kind -> an open forest, with its trees as arrays when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from bareboat.forest.answers import row_answer
from bareboat.forest.file import forest_bytes
from bareboat.forest.file_reader import ensemble_from_bytes
from bareboat.forest.ir import Ensemble
from bareboat.forest.layout import MAGIC
from bareboat.forest.readers import ensemble_from_model
from bareboat.forest.schema import Schema
from bareboat.forest.scoring import Scorer
from bareboat.runtime.forest import OpenForest, load_forest, open_forest


class Opened:
    """An open forest and what is worked out from it once. Threads may share it.

    Attributes:
        kernel: the forest that the kernel has checked.
        scorer: hands matrices to it.
    """

    def __init__(self, kernel: OpenForest) -> None:
        self.kernel = kernel
        self.scorer = Scorer(kernel)

    @property
    def file(self) -> bytes:
        """The bytes of the `.forest` file."""
        return bytes(self.kernel.file)

    @cached_property
    def ensemble(self) -> Ensemble:
        """The trees as arrays, leaves from left to right."""
        return ensemble_from_bytes(self.file)

    @cached_property
    def schema(self) -> Schema:
        """What the model says of its features."""
        return Schema.of(self.ensemble)

    @cached_property
    def answer(self) -> Callable[[Any], Any]:
        """Answers one row of numbers with a label or a value."""
        return row_answer(self.ensemble, self.kernel)


def open_model(model: Any) -> Opened:
    """Open a `.forest` file, a model file of any known format, or a fitted estimator or Booster.

    Raises:
        ModelError: it cannot be read, is of no known kind, or has what bareboat does not know.
    """
    if isinstance(model, str | os.PathLike) and is_forest_file(Path(model)):
        return Opened(load_forest(os.fspath(model)))
    return open_ensemble(ensemble_from_model(model))


def open_ensemble(ensemble: Ensemble) -> Opened:
    """Open what a reader returned."""
    return Opened(open_forest(forest_bytes(ensemble)))


def is_forest_file(path: Path) -> bool:
    """Whether a file starts as a `.forest` file does; what cannot be read is none."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False
