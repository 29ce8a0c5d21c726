"""`.forest` file -> scores, through the prebuilt kernel. Ships in artifacts, and a cold start pays for each import."""

import ctypes
import mmap
import os
from struct import Struct

from bareboat.errors import ArtifactError, InputError, ModelError
from bareboat.runtime.kernel import (
    ERRORS,
    FIX,
    PATHS,
    RowMemory,
    is_matrix,
    kernel_path,
    load_kernel,
    map_file,
    opened,
    wanted_path,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Row = Sequence[float] | Mapping[str, float]

# docs/forest-format.md, "Header" and "Sections"
_HEADER = Struct("<8sHHBBHQIIIIIId")
_ENTRY = Struct("<HBBII")
_SINGLE = Struct("=f")
_SINGLE_SUM = 8  # the flag
_NAMES = 16

_RAW, _PREDICT = 0, 1
_FLOAT64 = 0
_SECTIONS = (
    "thresholds",
    "threshold_start",
    "columns",
    "leaf_start",
    "nodes",
    "leaf_values",
    "category_codes",
    "category_start",
    "set_start",
    "set_offset",
    "sets",
    "linear_constant",
    "linear_start",
    "linear_feature",
    "linear_coefficient",
    "names",
    "category_names",
    "base",
    "tree_output",
    "parameters",
    "leaf_row",
    "class_names",
    "leaf_id",
    "leaf_cover",
    "split_cover",
    "split_gain",
)


def load_forest(path: str) -> "OpenForest":
    """Open a `.forest` file and check it wholly.

    The environment variable BAREBOAT_KERNEL names the instructions to use: best (what the CPU has), scalar, neon, avx2
    or avx512. Scores are the same to the bit.

    Raises:
        ModelError: the file cannot be read or is damaged.
        ArtifactError: there is no kernel for this machine here, or the CPU has not the instructions asked for.
    """
    return _class()(path, load_kernel(kernel_path()), wanted_path())


def open_forest(data: bytes) -> "OpenForest":
    """Open the bytes of a `.forest` file, which are copied; raises as `load_forest` does."""
    memory = mmap.mmap(-1, max(len(data), 1))
    memory.write(data)
    return _class()("", load_kernel(kernel_path()), wanted_path(), memory)


def _class() -> "type[OpenForest]":
    """Return OpenForest, with the extension as its door where it is built for this interpreter."""
    wanted = os.environ.get("BAREBOAT_DOOR", "")
    if wanted not in {"", "ctypes"}:
        raise ArtifactError(f"BAREBOAT_DOOR is {wanted!r}", expected="ctypes", fix="unset it for the fastest one")
    if wanted:
        return OpenForest
    try:
        import bareboat.runtime._door  # noqa: F401 - most processes have none, and need not load the next one either
    except ImportError:
        return OpenForest
    from bareboat.runtime.door import DoorForest

    return DoorForest


class OpenForest(RowMemory):
    """A loaded forest. Threads may share it.

    A row is n_features numbers, NaN where a value is missing and its code for a category: a list or a tuple in the
    order of `feature_names`, a dict by these names, a buffer such as array.array, or any other iterable.

    Attributes:
        n_features: how many values a row has.
        n_trees: how many trees there are.
        n_classes: 0 for a regressor, 2 for a binary classifier.
        n_outputs: columns of the raw score; 1 for a binary classifier.
        feature_names: the model's own names, in its order.
        objective: the framework's word for what was learned, such as `multiclass`.
        source: who wrote the model, such as `lightgbm v4`.
        is_classifier: whether `predict` returns probabilities.
        is_single: whether it sums and transforms in float32, as XGBoost does.
        path: the instructions that score, such as `avx2`.
        door: how one row gets to the kernel: `ctypes`, or `extension` where that is built.
        file: the file's bytes, mapped.
        kernel, address: the library, and its `forest` (kernel.h): for those who hand it matrices themselves.
    """

    __slots__ = (
        "_memory",
        "_start",
        "address",
        "file",
        "is_classifier",
        "is_single",
        "kernel",
        "n_classes",
        "n_outputs",
        "n_trees",
        "objective",
        "path",
        "source",
    )

    door = "ctypes"

    def __init__(
        self, path: str, kernel: "ctypes.CDLL", instructions: int = 0, file: "mmap.mmap | None" = None
    ) -> None:
        self.file = map_file(path) if file is None else file
        self.kernel = kernel
        self._start, self._memory, self.address, _ = opened(
            self.file,
            kernel.bareboat_memory,
            kernel.bareboat_open,
            instructions,
            lambda error: _damaged(path, error),
        )
        self.path = PATHS[kernel.bareboat_path(self.address)]
        header = _HEADER.unpack_from(self.file)
        self.n_features: int = header[7]
        self.n_trees: int = header[8]
        self.n_outputs: int = header[9]
        self.n_classes: int = header[10]
        self.is_classifier = self.n_classes > 0
        self.is_single = bool(header[4] & _SINGLE_SUM)
        names = _names(self.file, header[2], path)
        if len(names) != self.n_features + 2:
            raise _damaged(path, 9 | _NAMES << 8)
        self.objective, self.source = names[:2]
        self.feature_names = tuple(names[2:])
        self._prepare(self.n_outputs)

    @property
    def kind(self) -> str:
        """What the outputs of `answer` are: probabilities ("proba") or predictions ("value")."""
        return "proba" if self.is_classifier else "value"

    def __repr__(self) -> str:
        return f"<OpenForest {self.objective}: {self.n_trees} trees, {self.n_features} features>"

    def score(self, row: "Row") -> float:
        """Return the prediction of a model with one output; a binary classifier's is its second class's probability.

        Raises:
            InputError: the row does not fit, as for `predict`, or the model has several outputs.
        """
        if self.n_outputs != 1:
            raise several_outputs(self.n_outputs)
        return self._one(self.kernel.bareboat_predict_row, row)[0]

    def raw_score(self, row: "Row") -> "list[float]":
        """Return the sums of leaf values: (n_outputs,).

        Raises:
            InputError: the row has not n_features values, a name is missing or unknown, or a value is no number.
        """
        return self._one(self.kernel.bareboat_raw_row, row)

    def predict(self, row: "Row") -> "list[float]":
        """Return a classifier's probability of each class: (n_classes,), or else the prediction: (n_outputs,).

        Raises:
            InputError: the row has not n_features values, a name is missing or unknown, or a value is no number.
        """
        output = self._one(self.kernel.bareboat_predict_row, row)
        return self._both(output[0]) if self.n_classes > self.n_outputs else output

    def raw_scores(self, rows: "Iterable[Row]") -> "list[list[float]]":
        """Return `raw_score` of each row: (n, n_outputs)."""
        return self._many(_RAW, rows)

    def predict_many(self, rows: "Iterable[Row]") -> "list[list[float]]":
        """Return `predict` of each row: (n, n_classes) or (n, n_outputs)."""
        outputs = self._many(_PREDICT, rows)
        if self.n_classes > self.n_outputs:
            return [self._both(output[0]) for output in outputs]
        return outputs

    def answer(self, row: "Row") -> "tuple[list[float], int]":
        """Return `predict` of a row, and -1: the class is the first of the greatest, or there is none."""
        return self.predict(row), -1

    def answer_many(self, rows: "Iterable[Row]") -> "list[tuple[list[float], int]]":
        """Return `answer` of each row."""
        return [(outputs, -1) for outputs in self.predict_many(rows)]

    def score_matrix(
        self, matrix: "Any", *, raw: bool = False, out: "Any" = None, n_threads: "int | None" = 1
    ) -> "Any":
        """Score a matrix where it lies, without a copy.

        Args:
            matrix: (n, n_features) float64 or float32 with the buffer protocol, of any strides: numpy, Arrow, array.
            raw: sums of leaf values instead of predictions.
            out: float64 to write to, contiguous, (n, n_outputs) or as many in one dimension. Nobody else may change
                or read it meanwhile.
            n_threads: how many threads share the rows, -1 for all cores, None for as many as are worth it; the
                interpreter's lock is released.
        Returns:
            `out`, or else a memoryview of doubles, (n, n_outputs), which numpy.asarray takes without a copy. A binary
            classifier of one output has the probability of its second class.
        Raises:
            InputError: matrix or out is of another shape or of other numbers, or n_threads is 0 or below -1.
        """
        from bareboat.runtime.matrix import score_matrix

        return score_matrix(self, matrix, _RAW if raw else _PREDICT, out, n_threads)

    def _both(self, second: float) -> "list[float]":
        """Return the probabilities of two classes; the first is rounded to float32 where the model works in it."""
        first = 1.0 - second
        return [_SINGLE.unpack(_SINGLE.pack(first))[0] if self.is_single else first, second]

    def _one(self, function: "ctypes._NamedFuncPointer", row: "Row") -> "list[float]":
        try:
            work = self._spare.pop()
        except IndexError:
            work = self._new_work(1)
        buffer, at_row, at_out, at_scratch = work
        try:
            self._put(buffer, 0, row)
            function(self.address, at_row, at_out, at_scratch)
            return list(self._unpack(buffer, at_out - at_row))
        finally:
            self._spare.append(work)

    def _many(self, what: int, rows: "Iterable[Row]") -> "list[list[float]]":
        if not isinstance(rows, (list, tuple)) and is_matrix(rows):
            made: "list[list[float]]" = self.score_matrix(rows, raw=what == _RAW).tolist()
            return made
        address, row_size, score = self.address, 8 * self.n_features, self.kernel.bareboat_score

        def compute(at_row: int, n: int, at_out: int, at_scratch: int, _: int) -> None:
            score(address, what, _FLOAT64, at_row, n, row_size, 8, at_out, at_scratch)

        return self._in_blocks(rows, compute, list)

    def _scratch(self, n_rows: int) -> int:  # noqa: ARG002 - as much for one as for many
        scratch: int = self.kernel.bareboat_scratch(self.address)
        return scratch


def several_outputs(n_outputs: int) -> InputError:
    """Return the error of asking a model of several outputs for one number."""
    return InputError(f"the model has {n_outputs} outputs", expected="one output", fix="use predict(row)")


def _names(file: "mmap.mmap", n_sections: int, path: str) -> "list[str]":
    """Return the words of the section `names`: objective, source and the features."""
    for i in range(n_sections):
        tag, _, _, offset, count = _ENTRY.unpack_from(file, _HEADER.size + i * _ENTRY.size)
        if tag == _NAMES:
            try:
                return file[8 * offset : 8 * offset + count].decode().split("\0")
            except UnicodeDecodeError as error:
                raise ModelError(
                    "the forest has names that are not UTF-8", expected="a whole .forest file", fix=FIX, where=path
                ) from error
    return []


def _damaged(path: str, error: int) -> ModelError:
    return ModelError(f"the forest {fault(error)}", expected="a whole .forest file", fix=FIX, where=path)


def fault(error: int) -> str:
    """Return what the kernel says is wrong with a .forest file."""
    code, section = error & 0xFF, error >> 8
    found = ERRORS[code - 1] if 0 < code <= len(ERRORS) else f"has fault {error}"
    where = f" (section {_SECTIONS[section - 1] if 0 < section <= len(_SECTIONS) else section})" if section else ""
    return found + where
