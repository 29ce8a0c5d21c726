"""`.pipeline` file -> answers, through the prebuilt kernel. Ships in artifacts; a cold start pays for each import."""

import ctypes
import json
import mmap
from struct import Struct

from bareboat.errors import InputError, ModelError
from bareboat.runtime.kernel import (
    ERRORS,
    FIX,
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

_FLOAT64 = 0

# docs/pipeline-format.md, "Header" and "Sections"
_HEADER = Struct("<8sHHBBHQIIIIIIIIQ")
_ENTRY = Struct("<IIQQ")
_KINDS = ("proba", "decision", "label", "value")
_NO_LABEL = 0xFFFFFFFF
_NAMES = 8
_SECTIONS = ("steps", "inputs", "numbers", "whole", "outputs", "forests", "forest_files", "names", "about")

_declared: "set[int]" = set()


def load_pipeline(path: str) -> "OpenPipeline":
    """Open a `.pipeline` file and check it wholly, the forests in it too.

    The environment variable BAREBOAT_KERNEL names the instructions to use, as for `load_forest`.

    Raises:
        ModelError: the file cannot be read or is damaged.
        ArtifactError: there is no kernel for this machine here, or the CPU has not the instructions asked for.
    """
    return OpenPipeline(path, load_kernel(kernel_path()), wanted_path())


def open_pipeline(data: bytes) -> "OpenPipeline":
    """Open the bytes of a `.pipeline` file, which are copied; raises as `load_pipeline` does."""
    memory = mmap.mmap(-1, max(len(data), 1))
    memory.write(data)
    return OpenPipeline("", load_kernel(kernel_path()), wanted_path(), memory)


def _declare(kernel: "ctypes.CDLL") -> None:
    """Say how the functions of pipeline/c/pipeline.h are called, once a kernel."""
    if id(kernel) in _declared:
        return
    pointer, size, signed, number = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int64, ctypes.c_uint32
    kernel.bareboat_pipeline_memory.argtypes = (pointer, size)
    kernel.bareboat_pipeline_memory.restype = signed
    kernel.bareboat_pipeline_open.argtypes = (pointer, size, pointer, size, number)
    kernel.bareboat_pipeline_scratch.argtypes = (pointer, number)
    kernel.bareboat_pipeline_scratch.restype = size
    kernel.bareboat_pipeline_row.argtypes = (pointer, pointer, pointer, pointer)
    kernel.bareboat_pipeline_row.restype = number
    kernel.bareboat_pipeline_score.argtypes = (pointer, number, pointer, signed, signed, signed, pointer, pointer)
    kernel.bareboat_pipeline_score.restype = signed
    _declared.add(id(kernel))


class OpenPipeline(RowMemory):
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
        n_steps: how many steps a row takes.
        work: of a row, in trees: for those who share rows among threads.
        size_bytes: of the file and what is built of it in memory.
        source: who made the model, such as `sklearn 1.7.2 Pipeline`.
        objective: in a few words what it predicts with.
        file: the file's bytes, mapped.
        kernel, address: the library, and its `pipeline` (pipeline.h): for those who hand it matrices themselves.
    """

    __slots__ = (
        "_memory",
        "_row",
        "_start",
        "address",
        "file",
        "has_label",
        "is_classifier",
        "kernel",
        "kind",
        "n_classes",
        "n_columns",
        "n_outputs",
        "n_steps",
        "n_trees",
        "objective",
        "size_bytes",
        "source",
        "work",
    )

    def __init__(
        self, path: str, kernel: "ctypes.CDLL", instructions: int = 0, file: "mmap.mmap | None" = None
    ) -> None:
        _declare(kernel)
        self.file = map_file(path, "pipeline") if file is None else file
        self.kernel = kernel
        self._start, self._memory, self.address, memory_size = opened(
            self.file,
            kernel.bareboat_pipeline_memory,
            kernel.bareboat_pipeline_open,
            instructions,
            lambda error: _damaged(path, error),
        )
        self.size_bytes: int = len(self.file) + memory_size
        self._head(path)
        self._prepare(self.n_columns)
        self._row = kernel.bareboat_pipeline_row

    def _head(self, path: str) -> None:
        """Take what the header and the names say."""
        header = _HEADER.unpack_from(self.file)
        self.kind = _KINDS[header[3]]
        self.n_features: int = header[7]
        self.n_steps: int = header[9]
        self.n_outputs: int = header[10]
        self.n_classes: int = header[11]
        self.has_label: bool = header[12] != _NO_LABEL
        self.n_columns = self.n_outputs + self.has_label
        self.is_classifier = self.n_classes > 0
        self.n_trees: int = header[14]
        self.work: int = self.n_trees + (header[8] + 7) // 8
        names = _names(self.file, header[2])
        if len(names) != self.n_features + 2 or not all(type(name) is str for name in names):
            raise _damaged(path, 9 | _NAMES << 8)
        self.objective, self.source = names[:2]
        self.feature_names = tuple(names[2:])

    def __repr__(self) -> str:
        return f"<OpenPipeline {self.objective}: {self.n_steps} steps, {self.n_features} features>"

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
        try:
            work = self._spare.pop()
        except IndexError:
            work = self._new_work(1)
        buffer, at_row, at_out, at_scratch = work
        try:
            self._put(buffer, 0, row)
            refused = self._row(self.address, at_row, at_out, at_scratch)
            if refused:
                raise self._refusal(refused)
            return self._answer(self._unpack(buffer, at_out - at_row))
        finally:
            self._spare.append(work)

    def answer_many(self, rows: "Iterable[Row]") -> "list[tuple[list[float], int]]":
        """Return `answer` of each row; rows may be a matrix, as for `score_matrix`."""
        if not isinstance(rows, (list, tuple)) and is_matrix(rows):
            made: "list[list[float]]" = self.score_matrix(rows).tolist()
            return [self._answer(tuple(row)) for row in made]
        row_size = 8 * self.n_features

        def compute(at_row: int, n: int, at_out: int, at_scratch: int, first: int) -> None:
            self.score_rows(_FLOAT64, at_row, n, row_size, 8, at_out, at_scratch, first)

        return self._in_blocks(rows, compute, self._answer)

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
            outputs of each row and, where `has_label`, in the last column the index of its class.
        Raises:
            InputError: matrix or out is of another shape or of other numbers, the model refuses a value, or n_threads
                is 0 or below -1.
        """
        from bareboat.runtime.matrix import pipeline_matrix

        return pipeline_matrix(self, matrix, out, n_threads)

    def score_rows(
        self, number: int, at: int, n: int, down: int, across: int, at_out: int, scratch: int, first: int = 0
    ) -> None:
        """Compute n rows in memory, as pipeline.h has it; `first` is the number of the first one among all.

        Raises:
            InputError: the model refuses a value, which is named with its row.
        """
        score = self.kernel.bareboat_pipeline_score
        refused = score(self.address, number, at, n, down, across, at_out, scratch)
        if refused < 0:
            return
        row = (ctypes.c_double * self.n_features)()
        numbers = ctypes.c_float if number != _FLOAT64 else ctypes.c_double
        for j in range(self.n_features):
            row[j] = numbers.from_address(at + refused * down + j * across).value
        buffer, _, at_one, at_scratch = self._new_work(1)
        step = self._row(self.address, ctypes.addressof(row), at_one, at_scratch)
        del buffer
        raise self._refusal(step, first + refused)

    def scratch_size(self) -> int:
        """Return how many bytes of scratch `score_rows` takes, aligned to 64."""
        return self._scratch(2)  # what many rows take, be they two

    def _scratch(self, n_rows: int) -> int:
        return int(self.kernel.bareboat_pipeline_scratch(self.address, int(n_rows > 1)))

    def _answer(self, values: "tuple[float, ...]") -> "tuple[list[float], int]":
        if self.has_label:
            return list(values[:-1]), int(values[-1])
        return list(values), -1

    def _refusal(self, step: int, row: "int | None" = None) -> InputError:
        from bareboat.runtime.refusals import refusal

        return refusal(self.file, self.feature_names, step - 1, row)


def _names(file: "mmap.mmap", n_sections: int) -> "list[Any]":
    """Return the words of the section `names`: objective, source and the features."""
    for i in range(n_sections):
        tag, _, offset, count = _ENTRY.unpack_from(file, _HEADER.size + i * _ENTRY.size)
        if tag == _NAMES:
            try:
                names = json.loads(file[offset : offset + count])
            except (ValueError, RecursionError):
                return []
            return names if isinstance(names, list) else []
    return []


def _damaged(path: str, error: int) -> ModelError:
    code, section, forest = error & 0xFF, error >> 8 & 0xFF, error >> 16
    if forest:
        from bareboat.runtime.forest import fault

        found = f"holds a forest (number {forest - 1}) that {fault(error & 0xFFFF)}"
    else:
        found = ERRORS[code - 1].replace("forest", "pipeline") if 0 < code <= len(ERRORS) else f"has fault {error}"
        if section:
            found += f" (section {_SECTIONS[section - 1] if section <= len(_SECTIONS) else section})"
    return ModelError(f"the pipeline {found}", expected="a whole .pipeline file", fix=FIX, where=path)
