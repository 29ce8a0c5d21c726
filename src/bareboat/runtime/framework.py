"""A pickle, joblib or skops file -> a predictor: the framework that made the model answers.

Opening a pickle runs code that stands in it. It is the file that was packaged and no other: its digest is compared
before a byte of it is opened.
"""

from __future__ import annotations

import sys

from bareboat.errors import ArtifactError, InputError, ModelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_NAN = float("nan")
_SHOWN = 300


class FrameworkModel:
    """A model of a framework, asked row by row or many rows at once.

    Args:
        model: whatever has the method.
        document: the model document: `inputs`, `kind`, `method`, `asks_label`, `form`, `names`, `missing`, `classes`,
            `n_outputs`.
    """

    __slots__ = ("_classes", "_columns", "_document", "_label_method", "_method", "kind", "model", "n_features")

    wants_values = True

    def __init__(self, model: Any, document: Mapping[str, Any]) -> None:
        self.model = model
        self.kind = document["kind"]
        self.n_features = len(document["inputs"])
        self._document = document
        self._method = getattr(model, document["method"])
        self._label_method = model.predict if document["asks_label"] else None
        self._classes = {_plain(label): index for index, label in enumerate(document["classes"])}
        self._columns = [
            _column_maker(each, document["missing"], is_text=document["form"] == "text") for each in document["inputs"]
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
            InputError: the framework refuses the values with a ValueError; says in whose words.
            ModelError: what it returns is not what it returned when it was packaged.
        """
        try:
            table = self._table(rows)
            outputs = self._method(table) if self.kind != "label" else None
            labels = self._label_method(table) if self._label_method is not None else None
        except ValueError as error:
            raise InputError(f"the model refuses the values: {_short(error)}") from error
        lists = self._lists(outputs, len(rows)) if outputs is not None else [[] for _ in rows]
        if labels is None:
            return [(each, -1) for each in lists]
        return list(zip(lists, self._indices(labels, len(rows)), strict=True))

    def _table(self, rows: Sequence[Sequence[Any]]) -> Any:
        form = self._document["form"]
        columns = [make(column) for make, column in zip(self._columns, zip(*rows, strict=True), strict=True)]
        if form == "text":
            return columns[0]
        if form == "frame":
            import pandas

            # pandas would take texts and None for its own str, whose missing value is NaN
            keep = {"dtype": object} if self._document["missing"] == "none" else {}
            frame = pandas.DataFrame(
                {
                    place: pandas.Series(column, **keep) if str(column.dtype) == "object" else column
                    for place, column in enumerate(columns)
                }
            )
            frame.columns = self._document["names"]
            return frame
        import numpy

        if len(columns) == 1:
            return columns[0].reshape(-1, 1)
        return numpy.column_stack(columns)

    def _lists(self, outputs: Any, n_rows: int) -> list[list[float]]:
        import numpy

        array = numpy.asarray(outputs)
        if array.ndim not in (1, 2) or len(array) != n_rows:
            raise ModelError(
                f"{self._document['method']} returned an array of shape {array.shape} for {n_rows} rows",
                expected="a number or a list of numbers a row",
            )
        numbers = array.astype(numpy.float64)
        return (numbers.reshape(-1, 1) if numbers.ndim == 1 else numbers).tolist()  # type: ignore[no-any-return]

    def _indices(self, labels: Any, n_rows: int) -> list[int]:
        import numpy

        flat = numpy.asarray(labels).reshape(-1).tolist()
        try:
            indices = [self._classes[_plain(label)] for label in flat]
        except KeyError as error:
            raise ModelError(
                f"predict returned the label {error.args[0]!r}", expected="one of the classes of the model"
            ) from None
        if len(indices) != n_rows:
            raise ModelError(f"predict returned {len(indices)} labels for {n_rows} rows", expected="one a row")
        return indices


def load_framework(path: str, document: Mapping[str, Any]) -> FrameworkModel:
    """Open the model file of an artifact with its framework.

    Args:
        document: the model document; `loader` is pickle, joblib or skops, `sha256` the file's digest.
    Raises:
        ArtifactError: the file is not the one that was packaged; nothing of it is opened then.
        ModelError: it cannot be opened: a module is missing, or its own code raises.
    """
    data = _checked(path, document["sha256"])
    try:
        return FrameworkModel(_opened(data, document), document)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"the model needs the module {error.name}, which is not in the artifact",
            expected="every module that its classes stand in",
            fix="name its package in requirements.txt, or let its file ship (package.patterns)",
            where=path,
        ) from error
    except Exception as error:
        raise ModelError(
            f"the model file cannot be opened: {type(error).__name__}: {_short(error)}",
            expected=f"the versions that packaged it: Python {document['python']}, this is "
            f"{sys.version_info[0]}.{sys.version_info[1]}",
            where=path,
        ) from error


def _checked(path: str, digest: str) -> bytes:
    from hashlib import sha256

    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ArtifactError(
            f"the model file cannot be read: {error.strerror or error}", fix="bareboat package", where=path
        ) from error
    if sha256(data).hexdigest() != digest:
        raise ArtifactError(
            "the model file is not the one that was packaged: its sha256 differs; it is not opened",
            expected=digest,
            fix="bareboat package",
            where=path,
        )
    return data


def _opened(data: bytes, document: Mapping[str, Any]) -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `package` has told them
        if document["loader"] == "skops":
            import skops.io

            return skops.io.loads(data, trusted=document["trusted"])
        if document["loader"] == "joblib":
            from io import BytesIO

            import joblib

            return joblib.load(BytesIO(data))
        import pickle

        return pickle.loads(data)  # noqa: S301 - its digest is that of the file that the user packaged


def _column_maker(said: Mapping[str, Any], missing: str, *, is_text: bool) -> Any:
    """Return the function that turns a column of Python values into what the framework is given."""
    dtype = said["dtype"]
    if is_text:
        return lambda values: ["" if value is None else str(value) for value in values]
    if dtype in ("string", "category", "any"):
        absent = None if missing == "none" else _NAN
        values_known = said.get("values") if dtype == "category" else None
        return lambda values: _texts(values, absent, values_known)
    if dtype == "datetime":
        return _times
    return lambda values: _numbers(values, dtype)


def _numbers(values: Sequence[Any], dtype: str) -> Any:
    import numpy

    if None not in values:
        if dtype == "int":
            return numpy.array(values, numpy.int64 if all(float(each).is_integer() for each in values) else float)
        if dtype == "bool":
            return numpy.array(values, bool)
    return numpy.array([_NAN if each is None else each for each in values], numpy.float64)


def _texts(values: Sequence[Any], absent: Any, known: Sequence[Any] | None) -> Any:
    import numpy

    column = numpy.empty(len(values), object)
    column[:] = [absent if each is None else each for each in values]
    if known is None:
        return column
    import pandas

    return pandas.Categorical(column, categories=[each for each in known if each is not None])


def _times(values: Sequence[Any]) -> Any:
    import pandas

    return pandas.to_datetime(list(values), format="ISO8601")


def _plain(label: Any) -> tuple[bool, Any]:
    """Tell True from 1, which are equal as keys."""
    return isinstance(label, bool), label


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
