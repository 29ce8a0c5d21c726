"""Whatever people keep rows in -> a matrix of float32 or float64 that the kernel reads where it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.frames import frame_columns, is_frame
from bareboat.forest.schema import FLOATS, RowsError, Schema, nearest

Matrix = NDArray[np.float64] | NDArray[np.float32]


def matrix_of(rows: Any, schema: Schema) -> Matrix:
    """Return rows as numbers: NaN where a value is missing, a code where it is a category.

    Without a copy: two-dimensional arrays of float32 or float64 in any order or stride (and what has the buffer
    protocol or `__array__` and is one), and data frames that keep such an array. Everything else is converted.
    By position (arrays, lists of rows) a category is its code, or its name where it is a text; by name (data frames,
    lists of dicts) it is its name.

    Args:
        rows: n rows of n_features values: an array, a data frame, a list of rows or of dicts.
        schema: what the model says of its features.
    Returns:
        (n, n_features) float32 or float64.
    Raises:
        RowsError: another width, columns that the model does not have or lacks, or a value that is no number.
    """
    if is_frame(rows):
        return matrix_of_columns(frame_columns(rows), schema)
    if are_dicts(rows):
        return _from_dicts(rows, schema)
    array = array_of(rows, schema)
    if array.dtype in FLOATS:
        return array
    return _from_objects(array, schema) if array.dtype.kind in "OUS" else array.astype(np.float64)


def matrix_of_columns(columns: Mapping[str, Any], schema: Schema) -> Matrix:
    """Join the columns of a data frame, each an array of floats or a list of values; errors as `matrix_of` has them."""
    chosen = [columns[name] for name in schema.match(list(columns))]
    n = len(chosen[0])
    is_single = all(isinstance(column, np.ndarray) and column.dtype == np.float32 for column in chosen)
    whole = _shared_matrix(chosen)
    has_names = schema.has_categories
    if whole is not None and not has_names:
        return whole
    matrix = np.empty((n, schema.n_features), np.float32 if is_single and not has_names else np.float64, order="F")
    for place, column in enumerate(chosen):
        if isinstance(column, np.ndarray) and not schema.codes[place]:
            matrix[:, place] = column
        else:
            values = column.tolist() if isinstance(column, np.ndarray) else column
            schema.read(place, values, matrix[:, place], by_name=True)
    return matrix


def are_dicts(rows: Any) -> bool:
    """Whether rows are dicts by name; the first of them tells."""
    return isinstance(rows, list | tuple) and len(rows) > 0 and isinstance(rows[0], Mapping)


def array_of(rows: Any, schema: Schema) -> NDArray[Any]:
    """Return rows by position as an array, (n, n_features), of numbers or of objects and texts.

    Raises:
        RowsError: they are no rows, of another width, or of a type that is neither.
    """
    if _is_sparse(rows):
        raise RowsError(
            f"a sparse {type(rows).__name__}", expected="a dense matrix", fix="hand over X.toarray(), in parts if large"
        )
    array = _as_array(rows, schema)
    if isinstance(array, np.ma.MaskedArray):
        array = np.where(np.ma.getmaskarray(array), np.nan, np.ma.getdata(array))
    if array.ndim == 0:
        raise _no_rows(rows)
    if array.ndim != 2:
        raise _not_a_matrix(array)
    if array.shape[1] != schema.n_features:
        raise RowsError(
            schema.width_text(array.shape[1]),
            expected=f"{schema.n_features} columns: {schema.shown_names}",
            fix="hand over the columns that the model was trained on, in its order",
        )
    if array.dtype.kind not in "biufOUS":
        found = "Complex data not supported" if array.dtype.kind == "c" else f"values of the type {array.dtype}"
        raise RowsError(found, expected="numbers", fix="convert them first")
    return array


def _as_array(rows: Any, schema: Schema) -> NDArray[Any]:
    if isinstance(rows, np.ndarray):
        return rows
    try:
        array = np.asarray(rows)
    except (ValueError, TypeError):
        raise _ragged(rows, schema) from None
    if array.dtype.kind in "US":  # numbers beside texts have become texts: read them as they were
        array = np.array(rows, dtype=object)
    if array.dtype.kind == "O" and array.ndim == 1 and array.shape[0]:
        raise _ragged(rows, schema)
    return array.reshape(0, schema.n_features) if array.shape == (0,) else array


def _ragged(rows: Any, schema: Schema) -> RowsError:
    """Say which row has not the width of the model."""
    if isinstance(rows, list | tuple):
        for number, row in enumerate(rows):
            if not hasattr(row, "__len__") or isinstance(row, str):
                return RowsError(f"row {number} is {type(row).__name__}", expected=f"{schema.n_features} numbers")
            if len(row) != schema.n_features:
                return RowsError(
                    f"row {number} has {len(row)} values", expected=f"{schema.n_features}: {schema.shown_names}"
                )
    return _no_rows(rows)


def _no_rows(rows: Any) -> RowsError:
    return RowsError(
        f"a {type(rows).__name__}",
        expected="rows: an array, a data frame, a list of lists or of dicts",
        fix="one row is [row]",
    )


def _not_a_matrix(array: NDArray[Any]) -> RowsError:
    if array.ndim == 1:
        return RowsError(
            f"Expected 2D array, got 1D array instead: {array.shape[0]} values",
            expected="(n, n_features)",
            fix="Reshape your data: one row is X.reshape(1, -1), or predict_row(row)",
        )
    return RowsError(f"an array of {array.ndim} dimensions, {array.shape}", expected="2: (n, n_features)")


def _from_objects(array: NDArray[Any], schema: Schema) -> NDArray[np.float64]:
    matrix = np.empty(array.shape, np.float64, order="F")
    for place in range(array.shape[1]):
        column = array[:, place]
        try:
            if array.dtype.kind == "O" and not any(isinstance(value, str | bytes) for value in column):
                matrix[:, place] = column
                continue
        except (TypeError, ValueError, OverflowError):
            pass
        schema.read(place, column.tolist(), matrix[:, place], by_name=False)
    return matrix


def _shared_matrix(columns: Sequence[Any]) -> Matrix | None:
    """Return the matrix that all columns are views of, each beside the last; None when there is none."""
    first = columns[0]
    if not isinstance(first, np.ndarray) or first.dtype not in FLOATS or len(columns) < 2:
        return None
    base, stride = first.base, first.strides[0]
    if not isinstance(base, np.ndarray) or any(
        not isinstance(each, np.ndarray) or each.base is not base or each.dtype != first.dtype for each in columns
    ):
        return None
    addresses = [each.__array_interface__["data"][0] for each in columns]
    steps = {after - before for before, after in pairwise(addresses)}
    if len(steps) != 1 or any(each.strides[0] != stride for each in columns):
        return None
    step = steps.pop()
    shared: Matrix = np.lib.stride_tricks.as_strided(first, (len(first), len(columns)), (stride, step), writeable=False)
    return shared


def _from_dicts(rows: Sequence[Mapping[str, Any]], schema: Schema) -> NDArray[np.float64]:
    rows = named_rows(rows, schema)
    matrix = np.empty((len(rows), schema.n_features), np.float64, order="F")
    for place, name in enumerate(schema.names):
        schema.read(place, [row[name] for row in rows], matrix[:, place], by_name=True)
    return matrix


def named_rows(rows: Sequence[Any], schema: Schema) -> list[Mapping[str, Any]]:
    """Return dicts whose keys are the model's own names.

    Raises:
        RowsError: a row is no dict, or has a key that is unknown, missing or there twice.
    """
    rows, known = list(rows), schema.known
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise RowsError(f"row {number} is {type(row).__name__}", expected="a dict, as row 0 is one")
        if row.keys() != known:
            rows[number] = _renamed(number, row, schema)
    return rows


def _renamed(number: int, row: Mapping[str, Any], schema: Schema) -> Mapping[str, Any]:
    """Return a row with the model's own names, or say which key is unknown, missing or there twice."""
    own = {key: schema.own(key) if isinstance(key, str) else key for key in row}
    renamed = {own[key]: value for key, value in row.items()}
    unknown = [key for key in row if own[key] not in schema.names]
    missing = [name for name in schema.names if name not in renamed]
    if unknown:
        raise RowsError(
            f"row {number} has the unknown key {unknown[0]!r}",
            expected=f"the features {schema.shown_names}",
            fix=nearest(unknown[0], schema.names),
        )
    if missing:
        raise RowsError(
            f"row {number} lacks {missing[0]!r}",
            expected="every feature of the model",
            fix=f"{missing[0]!r}: None for a missing value",
        )
    if len(renamed) < len(row):
        raise RowsError(f"two keys of row {number} are one feature to the model", expected="each feature once")
    return renamed


def _is_sparse(rows: Any) -> bool:
    return type(rows).__module__.startswith("scipy.sparse")
