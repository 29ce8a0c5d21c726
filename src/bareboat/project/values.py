"""Rows of any kind -> rows as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bareboat.errors import InputError
from bareboat.forest.frames import frame_series, home_of, is_frame

Row = dict[str, Any] | list[Any]


def is_one_row(rows: Any) -> bool:
    """Whether this is one row by name: a dict whose values are no columns."""
    return isinstance(rows, Mapping) and not any(_is_column(value) for value in rows.values())


def json_rows(rows: Any) -> list[Row]:
    """Return rows as dicts by name, or as lists where there are no names; None where a value is missing.

    Args:
        rows: a data frame, a dict of columns, a list of dicts or of rows, an array, or one row by name.
    Raises:
        InputError: these are no rows.
    """
    if is_one_row(rows):
        return [_row(rows)]
    if is_frame(rows):
        return _records({name: _values(series) for name, series in frame_series(rows).items()})
    if isinstance(rows, Mapping):
        return _records({str(name): _values(values) for name, values in rows.items()})
    if isinstance(rows, np.ndarray) and rows.ndim == 2:
        rows = rows.tolist()
    if isinstance(rows, list | tuple) and all(isinstance(row, Mapping | list | tuple | np.ndarray) for row in rows):
        return [_row(row) for row in rows]
    raise InputError(
        f"a {type(rows).__name__}",
        expected="rows: a data frame, a dict of columns, a list of dicts or of lists, an array",
        fix="one row is a dict by name, or [row]",
    )


def _records(columns: Mapping[str, list[Any]]) -> list[Row]:
    names = list(columns)
    return [dict(zip(names, map(_plain, values), strict=True)) for values in zip(*columns.values(), strict=True)]


def _values(series: Any) -> list[Any]:
    home = home_of(series)
    if home == "pandas":
        return series.astype(object).tolist()  # type: ignore[no-any-return]
    if home == "polars":
        return series.to_list()  # type: ignore[no-any-return]
    if home == "pyarrow":
        return series.to_pylist()  # type: ignore[no-any-return]
    return series.tolist() if isinstance(series, np.ndarray) else list(series)


def _row(row: Mapping[Any, Any] | Iterable[Any]) -> Row:
    if isinstance(row, Mapping):
        return {str(name): _plain(value) for name, value in row.items()}
    return [_plain(value) for value in row]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: None for NaN, NaT and NA, a number for numpy's, an ISO text for a date."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    if str(value) in {"NaT", "<NA>"}:
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return float(value) if hasattr(value, "__float__") else str(value)


def _is_column(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray) or home_of(value) in {"pandas", "polars", "pyarrow"}


def truths_of(names: Sequence[str], sample: Mapping[str, Any] | Sequence[Any] | None) -> list[bool]:
    """Tell which features the sample has true or false for."""
    if isinstance(sample, Mapping):
        return [isinstance(sample.get(name), bool) for name in names]
    values = list(sample or ())[: len(names)]
    return [isinstance(value, bool) for value in values] + [False] * (len(names) - len(values))
