"""`.pipeline` file -> answers, through the kernel. Ships in artifacts, and a cold start pays for each import."""

from bareboat.errors import InputError, ModelError
from bareboat.runtime.forest import reader_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Row = Sequence[float] | Mapping[str, float]


def load_pipeline(path: str) -> "OpenPipeline":
    """Open a `.pipeline` file and check it wholly.

    Raises:
        ModelError: the file cannot be read or is damaged.
        ArtifactError: there is no kernel for this machine here, or the CPU has not the instructions asked for.
    """
    try:
        with open(path, "rb") as file:
            return OpenPipeline(file.read())
    except OSError as error:
        raise ModelError(f"cannot read the pipeline: {error}", where=path) from error


def open_pipeline(data: bytes) -> "OpenPipeline":
    """Open the bytes of a `.pipeline` file, which are copied; raises as `load_pipeline` does."""
    return OpenPipeline(data)


class OpenPipeline:
    """A loaded pipeline. Threads may share it.

    A row is n_features numbers: a code for a column that has values (its place among them, -1 for another one), NaN
    where a value is missing: a list or a tuple in the order of `feature_names`, a dict by these names, a buffer such as
    array.array, or any other iterable.

    Attributes:
        n_features: how many values a row has.
        n_classes: 0 for a regressor.
        n_outputs: how many numbers it answers with, the label aside; 0 for kind "label".
        n_columns: of `score_matrix`: n_outputs, and one more where `has_label`.
        has_label: whether it says which class it is: otherwise that is the first of the greatest outputs.
        feature_names: the model's own names, in its order.
        kind: what the outputs are: "proba", "decision", "label" (there are none) or "value".
        is_classifier: whether there are classes.
        n_trees: how many trees there are in all its forests.
        source: who made the model, such as `sklearn 1.7.2 Pipeline`.
        objective: in a few words what it predicts with.
    """

    def __init__(self, data: bytes) -> None:
        from importlib import import_module

        pipeline = import_module("bareboat.pipeline.file_reader").pipeline_from_bytes(data)
        self._evaluate = import_module("bareboat.pipeline.reference").evaluate
        self._numpy: "Any" = import_module("numpy")  # until the kernel runs pipelines
        self._pipeline = pipeline
        self.n_features: int = pipeline.n_features
        self.n_classes: int = pipeline.n_classes
        self.n_outputs: int = pipeline.n_outputs
        self.has_label: bool = pipeline.label is not None
        self.n_columns = self.n_outputs + self.has_label
        self.feature_names: "tuple[str, ...]" = pipeline.feature_names
        self.kind: str = pipeline.kind
        self.is_classifier: bool = pipeline.is_classifier
        self.n_trees: int = pipeline.n_trees
        self.source: str = pipeline.source
        self.objective: str = pipeline.objective
        self._read = reader_of(self.feature_names)

    def predict(self, row: "Row") -> "list[float]":
        """Return the outputs of a row: (n_outputs,).

        Raises:
            InputError: the row has not n_features values, a name is missing or unknown, a value is no number, or the
                model refuses a value.
        """
        return self.answer(row)[0]

    def predict_many(self, rows: "Iterable[Row]") -> "list[list[float]]":
        """Return `predict` of each row: (n, n_outputs)."""
        return [outputs for outputs, _ in self.answer_many(rows)]

    def answer(self, row: "Row") -> "tuple[list[float], int]":
        """Return the outputs of a row and the index of its class: -1 when that is the first of the greatest outputs,
        or there are no classes. Raises as `predict` does."""
        return self.answer_many([row])[0]

    def answer_many(self, rows: "Iterable[Row]") -> "list[tuple[list[float], int]]":
        """Return `answer` of each row."""
        np = self._numpy
        matrix = np.array([self._read(row) for row in rows], float).reshape(-1, self.n_features)
        outputs, labels = self._evaluate(self._pipeline, matrix)
        if not self.has_label:
            return [(row, -1) for row in outputs.tolist()]
        return list(zip(outputs.tolist(), labels.tolist(), strict=True))

    def score_matrix(self, matrix: "Any", *, out: "Any" = None, n_threads: "int | None" = 1) -> "Any":
        """Compute a matrix where it lies, without a copy.

        Args:
            matrix: (n, n_features) float64 or float32 with the buffer protocol, of any strides: numpy, Arrow, array.
            out: float64 to write to, contiguous, (n, n_columns) or as many in one dimension. Nobody else may change
                or read it meanwhile.
            n_threads: how many threads share the rows, -1 for all cores, None for as many as are worth it; the
                interpreter's lock is released.
        Returns:
            `out`, or else a memoryview of doubles, (n, n_columns), which numpy.asarray takes without a copy: the
            outputs of each row and, where `has_label`, the index of its class.
        Raises:
            InputError: matrix or out is of another shape or of other numbers, the model refuses a value, or n_threads
                is 0 or below -1.
        """
        np = self._numpy
        del n_threads
        matrix = np.asarray(matrix, float)
        if matrix.ndim != 2 or matrix.shape[1] != self.n_features:
            raise InputError(f"a matrix of shape {matrix.shape}", expected=f"(n, {self.n_features})")
        outputs, labels = self._evaluate(self._pipeline, matrix)
        made = np.column_stack([outputs, labels]) if self.has_label else outputs
        if out is None:
            return memoryview(np.ascontiguousarray(made).data)
        np.asarray(out).reshape(made.shape)[...] = made
        return out
