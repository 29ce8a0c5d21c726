"""An ONNX file -> a predictor: ONNX Runtime answers."""

from __future__ import annotations

import os

from bareboat.errors import ArtifactError, InputError, ModelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_MB_A_CPU = 1769  # Lambda: memory that comes with one whole CPU
_SHOWN = 300


class OnnxModel:
    """A session of ONNX Runtime, asked row by row or many rows at once.

    Args:
        session: `run(names, feeds)` gives the outputs of these names.
        document: the model document: `inputs`, `kind`, `classes`, `n_outputs`; `feeds` (name, dtype, columns, shape of
            each tensor), `scores` and `label` (names of outputs or null), `zipmap`, `two_sided`, `one_sided` (the
            place of the only score that counts, or null), `one_by_one`.
    """

    __slots__ = ("_classes", "_document", "_feeds", "_names", "_unread", "kind", "n_features", "session")

    wants_values = True

    def __init__(self, session: Any, document: Mapping[str, Any]) -> None:
        self.session = session
        self.kind = document["kind"]
        self.n_features = len(document["inputs"])
        self._document = document
        self._classes = {label: index for index, label in enumerate(document["classes"])}
        self._names = [name for name in (document["scores"], document["label"]) if name is not None]
        self._unread = [place for place, each in enumerate(document["inputs"]) if each["dtype"] == "any"]
        self._feeds = [
            (
                feed["name"],
                feed["dtype"],
                feed["columns"],
                feed["shape"],
                [document["inputs"][each]["name"] for each in feed["columns"]],
            )
            for feed in document["feeds"]
        ]

    @property
    def n_classes(self) -> int:
        """0 unless it is a classifier."""
        return len(self._classes)

    @property
    def n_outputs(self) -> int:
        """How many numbers it answers with, the label aside."""
        return int(self._document["n_outputs"])

    def answer(self, row: Sequence[Any]) -> tuple[list[float], int]:
        """Return the outputs for a row of Python values, and the index of its label or -1."""
        return self.answer_many([row])[0]

    def answer_many(self, rows: Sequence[Sequence[Any]]) -> list[tuple[list[float], int]]:
        """Return the outputs for each row of Python values, None for missing, and the index of its label.

        The index is -1 where the label is that of the greatest output, or there is none.

        Raises:
            InputError: a value does not fit its tensor.
            ModelError: ONNX Runtime refuses, or the outputs have other shapes than the graph says.
        """
        if self._document["one_by_one"] and len(rows) > 1:
            return [self.answer_many([row])[0] for row in rows]
        if self._unread:  # the graph has a tensor for them all the same
            rows = [[0 if place in self._unread else cell for place, cell in enumerate(row)] for row in rows]
        feeds = {name: _tensor(rows, dtype, columns, shape, said) for name, dtype, columns, shape, said in self._feeds}
        try:
            found = dict(zip(self._names, self.session.run(self._names, feeds), strict=True))
        except Exception as error:
            text = " ".join(str(error).split())[:_SHOWN]
            raise ModelError(f"ONNX Runtime does not compute the rows: {text}") from error
        scores = self._document["scores"]
        lists = self._lists(found[scores], len(rows)) if scores is not None else [[] for _ in rows]
        label = self._document["label"]
        indices = self._indices(found[label]) if label is not None else [-1] * len(rows)
        return list(zip(lists, indices, strict=True))

    def _lists(self, scores: Any, n_rows: int) -> list[list[float]]:
        lists: list[list[float]]
        if self._document["zipmap"]:
            lists = [[float(each[label]) for label in self._document["classes"]] for each in scores]
        else:
            if n_rows == 1 and (scores.ndim == 0 or len(scores) != 1):  # an output without the dimension of rows
                scores = scores.reshape(1, -1)
            if len(scores) != n_rows:
                raise ModelError(f"an output of shape {scores.shape} for {n_rows} rows", expected="one entry a row")
            lists = scores.reshape(n_rows, -1).astype("float64").tolist()
        if self._document["two_sided"]:
            return [[1.0 - each[0], each[0]] for each in lists]
        side = self._document["one_sided"]
        if side is not None:
            return [[each[side]] for each in lists]
        return lists

    def _indices(self, labels: Any) -> list[int]:
        try:
            return [self._classes[label] for label in labels.reshape(-1).tolist()]
        except KeyError as error:
            raise ModelError(
                f"the graph gives the label {error.args[0]!r}", expected="one of the classes of the model"
            ) from None


def load_onnx(path: str, document: Mapping[str, Any]) -> OnnxModel:
    """Open the ONNX file of an artifact.

    It computes on as many threads as the function has whole CPUs: one below 3538 MB.

    Raises:
        ArtifactError: onnxruntime is not in the artifact.
        ModelError: ONNX Runtime cannot open the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ArtifactError(
            f"the engine onnx needs onnxruntime, and it cannot be imported: {error}", fix="bareboat package", where=path
        ) from error
    options = onnxruntime.SessionOptions()
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    options.intra_op_num_threads = max(1, int(memory) // _MB_A_CPU) if memory.isdigit() else 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"ONNX Runtime {onnxruntime.__version__} cannot open the model: {' '.join(str(error).split())[:_SHOWN]}",
            expected="a graph of operators and versions that it knows",
            where=path,
        ) from error
    return OnnxModel(session, document)


def _tensor(
    rows: Sequence[Sequence[Any]], dtype: str, columns: Sequence[int], shape: Sequence[int | None], names: Sequence[str]
) -> Any:
    """Return what a tensor of the graph is fed with: (n_rows, *shape)."""
    import numpy

    if dtype == "str":
        cells: list[list[Any]] = [["" if row[each] is None else str(row[each]) for each in columns] for row in rows]
        return numpy.array(cells, object).reshape(len(rows), *([len(columns)] if shape else []))
    if dtype.startswith("float"):
        cells = [[_NAN if row[each] is None else row[each] for each in columns] for row in rows]
    else:
        cells = [[row[each] for each in columns] for row in rows]
    try:
        array = numpy.array(cells, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{_listed(names)}: {' '.join(str(error).split())[:_SHOWN]}") from error
    if len(shape) > 1:
        array = array[:, 0]  # one column, whose cells are tensors
    elif not shape:
        array = array.reshape(len(rows))
    if len(shape) > 1 and (
        array.ndim != len(shape) + 1
        or any(want not in (None, have) for want, have in zip(shape, array.shape[1:], strict=True))
    ):
        raise InputError(
            f"{names[0]} is a tensor of shape {list(array.shape[1:])}",
            expected=f"{[each if each is not None else 'any' for each in shape]}",
        )
    return array


_NAN = float("nan")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
