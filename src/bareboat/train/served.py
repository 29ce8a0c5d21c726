"""A model file -> its answers as the artifact will give them: from bareboat's own tables, without the library."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble
from bareboat.runtime.answers import Answers

if TYPE_CHECKING:
    from bareboat.pipeline.ir import Pipeline
    from bareboat.train.columns import Category


class Served:
    """A model file, read back.

    Attributes:
        model: what it compiles into.
    """

    def __init__(self, data: bytes, file_name: str) -> None:
        """Read the bytes of a model file; a pickle is one that was written here a moment ago.

        Raises:
            ModelError: it cannot be read, which is a fault of bareboat's and told as such.
        """
        from bareboat.pipeline.reading import read_model

        with tempfile.TemporaryDirectory(prefix="bareboat-train-") as folder:
            path = Path(folder) / file_name
            path.write_bytes(data)
            try:
                self.model: Ensemble | Pipeline = read_model(path)
            except ModelError as error:
                raise ModelError(
                    f"the model was trained, but cannot be served: {error.problems[0].found}",
                    expected="a model that compiles",
                    fix="--library lightgbm",
                ) from error

    def outputs(self, frame: Any) -> NDArray[np.float64]:
        """Return the answers to a data frame of plain values: (n, n_classes) probabilities, or (n,) values."""
        if isinstance(self.model, Ensemble):
            from bareboat.forest.estimator import Forest

            forest = Forest.from_ensemble(self.model)
            found = forest.predict_proba(frame) if self.model.is_classifier else forest.predict(frame)
            return np.asarray(found, np.float64)
        from bareboat.pipeline.file import pipeline_bytes
        from bareboat.pipeline.rows import Reader
        from bareboat.runtime.pipeline import open_pipeline

        matrix = Reader(self.model).matrix(frame)
        scores = np.asarray(open_pipeline(pipeline_bytes(self.model)).score_matrix(matrix), np.float64)
        outputs = scores[:, : self.model.n_outputs]
        return outputs if self.model.is_classifier else outputs[:, 0]

    def answers(self, outputs: NDArray[np.float64], labels: Sequence[Category] | None) -> list[dict[str, Any]]:
        """Return what a client gets for each row: `{"proba": [...], "label": ...}` or `{"prediction": x}`."""
        n_classes = outputs.shape[1] if outputs.ndim == 2 else 0
        made = Answers(kind="proba" if n_classes else "value", n_classes=n_classes, labels=labels)
        rows = outputs.tolist() if n_classes else [[value] for value in outputs.tolist()]
        return [made.object(row, -1) for row in rows]
