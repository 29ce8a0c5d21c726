"""Whatever people keep rows in -> the matrix of numbers and codes that a compiled pipeline takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.frames import frame_series, home_of, is_frame, series_column
from bareboat.forest.ir import Floats
from bareboat.forest.rows import are_dicts, array_of, named_rows
from bareboat.forest.schema import RowsError, Schema, is_missing, listed
from bareboat.pipeline.codes import CodeBook, WrongValueError
from bareboat.pipeline.ir import OTHER, Column, Pipeline


class Reader:
    """Reads rows for one pipeline. Threads may share it.

    Rows are a data frame of pandas, polars or pyarrow, a dict of columns, a list of dicts, an array or a list of rows.
    Columns are taken by name, in any order, where the data have names; by place otherwise.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        columns = pipeline.columns
        self.schema = Schema(pipeline.feature_names, [None] * len(columns), estimator="Model")
        self._columns = tuple(_ColumnReader(column) for column in columns)
        self._unread = {column.name: None for column in columns if not column.used}
        self._texts = [column.name for column in columns if column.values is not None]

    def matrix(self, rows: Any) -> NDArray[np.float64]:
        """Return rows as numbers: NaN where a value is missing, a code where the pipeline asks for equal values.

        A column that no step reads may be left out.

        Args:
            rows: n rows.
        Returns:
            (n, n_features) float64; where rows are such an array, and nothing is to be changed, the array itself.
        Raises:
            RowsError: a column is unknown, missing or of a wrong type, or a value cannot be answered; names its row.
        """
        if is_frame(rows):
            return self._from_columns(frame_series(rows))
        if isinstance(rows, Mapping):
            return self._from_columns(_same_length(rows))
        if are_dicts(rows):
            return self._from_dicts(rows)
        array = array_of(rows, self.schema)
        if array.dtype.kind not in "OUS" and not self._texts:
            return self._from_numbers(array)
        if array.dtype.kind in "biuf" and len(array):
            raise RowsError(
                f"an array of {array.dtype}, while {listed(self._texts)} are no numbers to the model",
                expected="a data frame, a dict of columns or a list of dicts",
                fix=f"pandas.DataFrame(X, columns=[{self.schema.shown_names}]) with these columns as they were trained",
            )
        return self._joined(list(array.T), len(array))

    def _from_columns(self, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        if self.schema.is_named and columns.keys() & self.schema.known:
            columns = {**self._unread, **columns}
        chosen = [columns[name] for name in self.schema.match(list(columns))]
        return self._joined(chosen, next((len(column) for column in chosen if column is not None), 0))

    def _from_dicts(self, rows: Any) -> NDArray[np.float64]:
        if self._unread:
            rows = [{**self._unread, **row} if isinstance(row, Mapping) else row for row in rows]
        named = named_rows(rows, self.schema)
        return self._joined([[row[name] for row in named] for name in self.schema.names], len(named))

    def _from_numbers(self, array: NDArray[Any]) -> NDArray[np.float64]:
        matrix: NDArray[np.float64] = array.astype(np.float64, copy=False)
        for place, column in enumerate(self._columns):
            column.check(matrix[:, place], array[:, place])
        return matrix

    def _joined(self, columns: list[Any], n: int) -> NDArray[np.float64]:
        matrix = np.empty((n, len(self._columns)), np.float64, order="F")
        for place, (reader, column) in enumerate(zip(self._columns, columns, strict=True)):
            matrix[:, place] = math.nan if column is None else reader.read(column)
        return matrix


class _ColumnReader:
    """Reads one column and refuses what the pipeline cannot answer."""

    def __init__(self, column: Column) -> None:
        self._column = column
        self._vocabulary = None if column.values is None else CodeBook(column.values)
        self._allowed: NDArray[np.float64] | None = None
        if column.enum is not None:
            codes = self._vocabulary.code if self._vocabulary is not None else float
            self._allowed = np.array([codes(value) for value in column.enum], np.float64)

    def read(self, series: Any) -> Floats:
        """Return a column as numbers, (n,); raises RowsError."""
        if not self._column.used:
            return np.full(len(series), math.nan)
        numbers = self._numbers(series) if self._vocabulary is None else self._codes(self._vocabulary, series)
        self.check(numbers, series)
        return numbers

    def check(self, numbers: Floats, series: Any) -> None:
        """Refuse the first value that cannot be answered.

        Args:
            numbers: (n,) what was read of `series`, which is shown.
        Raises:
            RowsError: names the column, the row and the value.
        """
        column = self._column
        if not column.used:
            return
        missing = np.isnan(numbers)
        if not column.nullable and missing.any():
            raise RowsError(
                f"{column.name} is missing in row {int(missing.argmax())}",
                expected=f"a value: {self._expected()}",
                fix="fill it in as in training, or leave the row out",
            )
        if self._allowed is not None:
            strange = ~(np.isin(numbers, self._allowed) | missing)
            if self._vocabulary is not None and column.others:
                strange &= numbers != OTHER
        elif self._vocabulary is not None and not column.others:
            strange = numbers == OTHER
        else:
            return
        if strange.any():
            row = int(strange.argmax())
            raise RowsError(
                f"{column.name} is {_at(series, row)!r} in row {row}, which the model cannot answer",
                expected=self._expected(),
                fix="replace it by a value that the model was trained on",
            )

    def _numbers(self, series: Any) -> Floats:
        values = series_column(self._column.name, series) if home_of(series) in _FRAMES else series
        if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
            return values.astype(np.float64, copy=False)
        if isinstance(values, np.ndarray):
            values = values.tolist()
        try:
            if not any(issubclass(kind, _TEXTS) for kind in set(map(type, values))):
                return np.array(values, np.float64)  # None becomes NaN
        except (TypeError, ValueError, OverflowError):
            pass
        return np.array([self._number(row, value) for row, value in enumerate(values)], np.float64)

    def _number(self, row: int, value: Any) -> float:
        if value is None:
            return math.nan
        try:
            if not isinstance(value, _TEXTS):
                return float(value)
        except (TypeError, ValueError, OverflowError):
            if is_missing(value):
                return math.nan
        what = "the text " if isinstance(value, str) else ""
        raise RowsError(
            f"{self._column.name} is {what}{str(value)[:40]!r} in row {row}",
            expected="a number, or None or NaN where it is missing",
            fix="convert the column to numbers",
        )

    def _codes(self, vocabulary: CodeBook, series: Any) -> Floats:
        try:
            return vocabulary.codes(series)
        except WrongValueError as error:
            value, row = error.value, _row_of(series, error.value)
        raise RowsError(
            f"{self._column.name} is {value!r} in row {row}, of the type {type(value).__name__}",
            expected="a text, as in training" if vocabulary.holds_texts else "a value as in training",
            fix=f"X[{self._column.name!r}] = X[{self._column.name!r}].astype(str)",
        )

    def _expected(self) -> str:
        column = self._column
        known = column.enum if column.enum is not None else column.values
        if known is not None and not (column.others and column.enum is None):
            return f"one of {listed([value for value in known if value is not None])}"
        return "a number" if column.values is None else "a text, as in training"


_FRAMES = {"pandas", "polars", "pyarrow"}
_TEXTS = (str, bytes)  # which numpy would read numbers from


def _same_length(columns: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a dict of columns, each an array, a Series or a list; refuse one row by its names."""
    lengths = {}
    for name, values in columns.items():
        if not hasattr(values, "__len__") or isinstance(values, _TEXTS):
            raise RowsError(
                f"a dict whose {name!r} is {type(values).__name__}",
                expected="a dict of columns, each a list or an array",
                fix="one row is [row]",
            )
        lengths[name] = len(values)
    first = next(iter(lengths), None)
    for name, length in lengths.items():
        if first is not None and length != lengths[first]:
            raise RowsError(
                f"{name!r} has {length} values, {first!r} has {lengths[first]}", expected="columns of one length"
            )
    if any(type(name) is not str for name in columns):
        raise RowsError("column names that are no texts", expected="texts")
    return {name: list(each) if isinstance(each, tuple) else each for name, each in columns.items()}


def _at(series: Any, row: int) -> Any:
    """Return a value as a person wrote it."""
    value = series.iloc[row] if home_of(series) == "pandas" else series[row]
    value = value.as_py() if hasattr(value, "as_py") else value
    return value.item() if isinstance(value, np.generic) else value


def _row_of(series: Any, value: object) -> int:
    """Return the first row with a value that was refused."""
    for row in range(len(series)):
        found = _at(series, row)
        if type(found) is type(value) and (found is value or found == value):
            return row
    return 0
