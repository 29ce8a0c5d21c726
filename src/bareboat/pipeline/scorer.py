"""An open pipeline and its rows -> labels, probabilities, decisions and values as scikit-learn returns them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.answers import label_array, squeezed
from bareboat.forest.ir import Floats
from bareboat.pipeline.file import pipeline_bytes
from bareboat.pipeline.ir import Pipeline
from bareboat.pipeline.rows import Reader
from bareboat.runtime.pipeline import OpenPipeline, open_pipeline


class PipelineScorer:
    """A pipeline that answers rows of any kind. Threads may share it.

    Attributes:
        pipeline: what the answers are computed by.
        file: the bytes of its `.pipeline` file.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.file = pipeline_bytes(pipeline)
        self._reader = Reader(pipeline)

    @cached_property
    def kernel(self) -> OpenPipeline:
        """The pipeline as the kernel has checked it."""
        return open_pipeline(self.file)

    @cached_property
    def labels(self) -> NDArray[Any]:
        """The labels of the classes: (n_classes,)."""
        return label_array(self.pipeline.classes)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The names of the columns, where the model was trained with names."""
        return self.pipeline.feature_names if self._reader.schema.is_named else None

    def predict(self, X: Any, n_threads: int | None) -> NDArray[Any]:  # noqa: N803
        """Return the label or the value of each row: (n,), or (n, n_outputs) of several values."""
        found = self._computed(X, n_threads)
        if not self.pipeline.is_classifier:
            return squeezed(found)
        places = found[:, -1] if self.kernel.has_label else found.argmax(axis=1)
        labels: NDArray[Any] = self.labels[places.astype(np.intp)]
        return labels

    def outputs(self, X: Any, n_threads: int | None) -> Floats:  # noqa: N803
        """Return the outputs of each row, probabilities or decisions: (n, n_outputs)."""
        found = self._computed(X, n_threads)
        return np.ascontiguousarray(found[:, : self.pipeline.n_outputs]) if self.kernel.has_label else found

    def _computed(self, X: Any, n_threads: int | None) -> Floats:  # noqa: N803
        matrix = self._reader.matrix(X)
        out = np.empty((len(matrix), self.kernel.n_columns))
        if len(matrix):
            self.kernel.score_matrix(matrix, out=out, n_threads=n_threads)
        return out
