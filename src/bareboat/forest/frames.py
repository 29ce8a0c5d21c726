"""Data frames of pandas, polars, pyarrow and what speaks Arrow's C stream -> columns of floats or of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.schema import FLOATS, RowsError

Column = NDArray[Any] | list[Any]
"""(n,) float32 or float64 with NaN where a value is missing, or any values."""


def is_frame(data: Any) -> bool:
    """Whether data have named columns and are no numpy array."""
    return _reader(data) is not None


def frame_columns(data: Any) -> Mapping[str, Column]:
    """Return the columns of a data frame, by name and in its order; floats are not copied where the frame has them.

    Raises:
        RowsError: two columns have the same name, a name is no text, or a column is of a type that is no number.
    """
    if home_of(data) == "pandas":
        dtypes = set(data.dtypes)
        if len(dtypes) == 1 and isinstance(dtype := dtypes.pop(), np.dtype) and dtype in FLOATS:
            matrix = data.to_numpy()
            return {name: matrix[:, place] for place, name in enumerate(_names(list(data.columns)))}
    return {name: series_column(name, series) for name, series in frame_series(data).items()}


def frame_series(data: Any) -> dict[str, Any]:
    """Return the columns of a data frame as it keeps them: Series of pandas or polars, chunked arrays of Arrow.

    Raises:
        RowsError: two columns have the same name, or a name is no text.
    """
    read = _reader(data)
    assert read is not None
    return read(data)


def series_column(name: str, series: Any) -> Column:
    """Return one of `frame_series` as floats where it holds numbers, else as a list of its values.

    Raises:
        RowsError: it is of a type that is no number, such as a date.
    """
    return _CONVERTERS[home_of(series)](name, series)


def home_of(data: Any) -> str:
    """Return the package that the type of an object comes from, such as `pandas`."""
    return type(data).__module__.partition(".")[0]


def _reader(data: Any) -> Callable[[Any], dict[str, Any]] | None:
    kind, home = type(data).__name__, home_of(data)
    if home == "pandas":
        return _pandas if kind == "DataFrame" else None
    if home == "polars":
        return _polars if kind == "DataFrame" else None
    if home == "pyarrow" and kind in {"Table", "RecordBatch"}:
        return _arrow
    if home != "pyarrow" and hasattr(data, "__arrow_c_stream__") and not hasattr(data, "__array_interface__"):
        return _stream
    return None


def _pandas(frame: Any) -> dict[str, Any]:
    return {name: frame.iloc[:, place] for place, name in enumerate(_names(list(frame.columns)))}


def _pandas_column(name: str, series: Any) -> Column:
    dtype = series.dtype
    if dtype.kind in "fiub" and str(dtype) != "category":
        if isinstance(dtype, np.dtype):
            values: NDArray[Any] = series.to_numpy()
            return values if values.dtype in FLOATS else values.astype(np.float64)
        widened: NDArray[Any] = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return widened
    if dtype.kind in "cmM":
        raise _no_numbers(name, str(dtype))
    return series.astype(object).tolist()  # type: ignore[no-any-return]


def _polars(frame: Any) -> dict[str, Any]:
    return {name: frame[name] for name in frame.columns}


def _polars_column(name: str, series: Any) -> Column:
    dtype = series.dtype
    if dtype.is_numeric() or str(dtype) == "Boolean":
        values: NDArray[Any] = series.to_numpy()
        if values.dtype.kind == "O":  # booleans, or decimals, beside nulls
            values = np.array([np.nan if each is None else float(each) for each in series.to_list()])
        return values if values.dtype in FLOATS else values.astype(np.float64)
    if dtype.is_temporal():
        raise _no_numbers(name, str(dtype))
    return series.to_list()  # type: ignore[no-any-return]


def _stream(data: Any) -> dict[str, Any]:
    try:
        import pyarrow
    except ImportError as error:
        raise RowsError(
            f"a {type(data).__name__}, which speaks Arrow",
            expected="pyarrow to read it",
            fix="pip install pyarrow, or hand over a numpy array",
        ) from error
    return _arrow(pyarrow.table(data))


def _arrow(table: Any) -> dict[str, Any]:
    return {name: table.column(place) for place, name in enumerate(_names(table.schema.names))}


def _arrow_column(name: str, column: Any) -> Column:
    from pyarrow import types

    kind = column.type
    if types.is_floating(kind) or types.is_integer(kind):
        values: NDArray[Any] = _arrow_numbers(column)
        return values if values.dtype in FLOATS else values.astype(np.float64)
    if types.is_boolean(kind) or types.is_decimal(kind):
        return np.array([np.nan if each is None else float(each) for each in column.to_pylist()], np.float64)
    if types.is_temporal(kind):
        raise _no_numbers(name, str(kind))
    return column.to_pylist()  # type: ignore[no-any-return]


_CONVERTERS: dict[str, Callable[[str, Any], Column]] = {
    "pandas": _pandas_column,
    "polars": _polars_column,
    "pyarrow": _arrow_column,
}


def _arrow_numbers(column: Any) -> NDArray[Any]:
    chunks = getattr(column, "chunks", None)
    if chunks is not None:  # a chunked array: of one chunk it is taken as it lies
        column = chunks[0] if len(chunks) == 1 else column
    if hasattr(column, "chunks"):
        return column.to_numpy()  # type: ignore[no-any-return]
    return column.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _names(names: list[Any]) -> list[str]:
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong and len(wrong) < len(names):
        raise RowsError(
            f"column names of several types, such as {wrong[0]!r}",
            expected="texts",
            fix="X.columns = X.columns.astype(str)",
        )
    texts = [str(name) for name in names]
    if len(set(texts)) < len(texts):
        twice = next(name for name in texts if texts.count(name) > 1)
        raise RowsError(f"two columns are called {twice!r}", expected="each name once", fix="drop or rename one")
    return texts


def _no_numbers(name: str, kind: str) -> RowsError:
    return RowsError(f"{name} has values of the type {kind}", expected="numbers", fix="convert the column first")
