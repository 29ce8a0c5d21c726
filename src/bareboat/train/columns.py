"""The columns of a table as they stand in the file -> numbers, booleans, times and categories."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.forest.table_file import EMPTY
from bareboat.train.installed import need
from bareboat.train.notes import Notes, listed

Kind = Literal["float", "int", "bool", "category", "datetime"]
Category = str | int | float | bool

_MISSING_TEXTS = tuple(sorted(EMPTY - {"none"}))
"""What a text file writes where a value is missing, in any case of letters; a category may be called None."""
_MISSING_NUMBERS = (*_MISSING_TEXTS, "none", "-", ".", "--")
"""The same in a column of numbers, where no category can be meant."""
_TRUTHS = {"true": 1.0, "false": 0.0}
_WHOLE = r"[+-]?\d+"
_LEADING_ZERO = r"0\d+"
_DECIMAL_COMMA = r"[+-]?\d+,\d+|[+-]?\d+"
_DATE = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?"
_ID = re.compile(r"id|uuid|guid|index|row|rownum(ber)?|key|.*[_ .-](id|uuid|guid|key)")
MOSTLY = 0.8
"""A column with at least this share of numbers is one of numbers, in which the texts are mistakes."""
_PROBED = 1000
_LARGEST_EXACT = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column, read.

    Args:
        name: as the file has it.
        kind: what its values are.
        values: (n,) float64 for a number, a boolean (0 and 1) and a time (seconds since 1970, UTC), NaN where it is
            missing; objects for a category, None where it is missing.
    """

    name: str
    kind: Kind
    values: NDArray[Any]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which values are missing: (n,)."""
        if self.kind == "category":
            return np.array([value is None for value in self.values], bool)
        missing: NDArray[np.bool_] = np.isnan(self.values)
        return missing

    def taken(self, rows: NDArray[Any]) -> Column:
        """Return the column of some rows."""
        return Column(self.name, self.kind, self.values[rows])


def read_column(name: str, series: Any, notes: Notes, *, is_category: bool = False) -> Column:
    """Find out what a column holds.

    Args:
        series: of pandas: texts, or a type of Parquet.
        is_category: whether numbers are names.
    Raises:
        InputError: numbers and texts are mixed, a number is infinite, or the type cannot be learned from.
    """
    pandas = need("pandas", "reads tables")
    if series.dtype == object:
        series = _objects(name, series)
    if isinstance(series.dtype, pandas.StringDtype):
        return _texts(name, series, notes, is_category=is_category)
    column = _typed(name, series)
    if is_category and column.kind != "category":
        return Column(name, "category", _as_names(column))
    return column


def _objects(name: str, series: Any) -> Any:
    """Return objects as the type that all of them have."""
    pandas = need("pandas", "reads tables")
    kinds = {type(value) for value in series.dropna()}
    if kinds <= {str}:
        return series.astype("string")
    wrong = kinds - {str, int, float, bool}
    if wrong and {kind.__name__ for kind in wrong} == {"Decimal"} and kinds == wrong:
        return series.astype(float)
    if wrong and {kind.__name__ for kind in wrong} == {"date"} and kinds == wrong:
        return pandas.to_datetime(series)
    if wrong or str in kinds:
        raise InputError(
            f"{name} holds values of the types {listed(sorted(kind.__name__ for kind in kinds))}",
            expected="numbers, texts, booleans or times",
            fix=f"--drop {name}",
        )
    if kinds == {bool}:
        return series.astype("boolean")
    return series.astype(float)


def _typed(name: str, series: Any) -> Column:
    pandas = need("pandas", "reads tables")
    types = pandas.api.types
    dtype = series.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        values = series.astype(object).where(series.notna(), None)
        return _typed_categories(name, values.to_numpy())
    if types.is_bool_dtype(dtype):
        return Column(name, "bool", series.astype("boolean").to_numpy(dtype=np.float64, na_value=np.nan))
    if types.is_datetime64_any_dtype(dtype):
        return Column(name, "datetime", _seconds(series))
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
        kind: Kind = "int" if types.is_integer_dtype(dtype) else "float"
        if kind == "float" and np.isnan(numbers).any() and _are_whole(numbers):
            kind = "int"  # to pandas whole numbers beside missing ones are floats
        return Column(name, kind, _finite(name, numbers))
    raise InputError(
        f"{name} is of the type {dtype}", expected="numbers, texts, booleans or times", fix=f"--drop {name}"
    )


def _typed_categories(name: str, values: NDArray[Any]) -> Column:
    plain = np.array([value.item() if hasattr(value, "item") else value for value in values], object)
    if any(value is not None and not isinstance(value, str | int | float | bool) for value in plain):
        raise InputError(f"{name} has categories that are no texts", expected="texts or numbers", fix=f"--drop {name}")
    return Column(name, "category", plain)


def _as_names(column: Column) -> NDArray[Any]:
    """Return numbers as names: whole numbers as int, booleans as bool."""
    turn = {"bool": bool, "int": int, "datetime": int}.get(column.kind, float)
    return np.array([None if np.isnan(value) else turn(value) for value in column.values], object)


def _texts(name: str, series: Any, notes: Notes, *, is_category: bool) -> Column:
    """Read texts of a file."""
    pandas = need("pandas", "reads tables")
    texts = series.str.strip().fillna("")
    lower = texts.str.lower()
    missing = lower.isin(_MISSING_TEXTS).to_numpy(bool)
    present = ~missing
    if is_category:
        return _named(name, texts, present)
    if present.any() and bool(lower[present].isin(tuple(_TRUTHS)).all()):
        return Column(name, "bool", lower.map(_TRUTHS).to_numpy(np.float64, na_value=np.nan))
    numbers = pandas.to_numeric(texts, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    no_number = np.isnan(numbers) & ~lower.isin(_MISSING_NUMBERS).to_numpy(bool)
    present_numbers = ~np.isnan(numbers)
    n_numbers, n_words = int(present_numbers.sum()), int(no_number.sum())
    if n_numbers and not n_words:
        if texts[present_numbers].str.fullmatch(_LEADING_ZERO).any():
            return _category(name, texts, present)  # codes such as 00501: as numbers they would lose their zeros
        whole = bool(texts[present_numbers].str.fullmatch(_WHOLE).all())
        return Column(name, "int" if whole and _are_exact(numbers) else "float", _finite(name, numbers))
    if not n_words:
        return Column(name, "float", np.full(len(texts), np.nan))
    comma = _with_comma(name, texts, present, notes)
    if comma is not None:
        return comma
    if n_numbers >= MOSTLY * (n_numbers + n_words):
        raise _mixed(name, texts, no_number)
    times = _times(name, texts, present)
    return times if times is not None else _category(name, texts, present)


def _mixed(name: str, texts: Any, wrong: NDArray[np.bool_]) -> InputError:
    rows = np.flatnonzero(wrong)
    shown = ", ".join(f"{texts.iloc[row]!r} in row {row + 1}" for row in rows[:3].tolist())
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return InputError(
        f"{name} is a column of numbers, but has {shown}{more} of the data",
        expected="numbers, and nothing where a value is missing",
        fix=f"correct them in the file, or --category {name}, or --drop {name}",
    )


def _with_comma(name: str, texts: Any, present: NDArray[np.bool_], notes: Notes) -> Column | None:
    """Read 3,14 as 3.14 where all values are so."""
    if not texts[present].iloc[:_PROBED].str.fullmatch(_DECIMAL_COMMA).all():
        return None
    if not texts[present].str.fullmatch(_DECIMAL_COMMA).all():
        return None
    notes.note(f"{name} has decimal commas, which are read as points", name)
    pandas = need("pandas", "reads tables")
    numbers = pandas.to_numeric(texts.str.replace(",", ".", regex=False), errors="coerce")
    return Column(name, "float", _finite(name, numbers.to_numpy(np.float64, na_value=np.nan)))


def _times(name: str, texts: Any, present: NDArray[np.bool_]) -> Column | None:
    """Read ISO dates and times, where all values are such: (n,) seconds."""
    pandas = need("pandas", "reads tables")
    if not texts[present].iloc[:_PROBED].str.fullmatch(_DATE).all():
        return None
    times = pandas.to_datetime(texts.where(present), format="ISO8601", utc=True, errors="coerce")
    if times.isna().to_numpy()[present].any():
        return None
    return Column(name, "datetime", _seconds(times))


def _seconds(series: Any) -> NDArray[np.float64]:
    """Return seconds since 1970; a time without a zone is in UTC."""
    if getattr(series.dt, "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    micros = series.astype("datetime64[us]").to_numpy()
    seconds = micros.astype(np.int64) / 1e6
    seconds[np.isnat(micros)] = np.nan
    return seconds  # type: ignore[no-any-return]


def _category(name: str, texts: Any, present: NDArray[np.bool_]) -> Column:
    return Column(name, "category", texts.astype(object).where(present, None).to_numpy(object))


def _named(name: str, texts: Any, present: NDArray[np.bool_]) -> Column:
    """Return a category; numbers that are written plainly as numbers, so that requests may say 5 and not "5"."""
    column = _category(name, texts, present)
    if present.any() and texts[present].str.fullmatch(r"0|-?[1-9]\d{0,14}").all():
        return Column(name, "category", np.array([None if v is None else int(v) for v in column.values], object))
    return column


def _finite(name: str, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        rows = listed([row + 1 for row in infinite[:4].tolist()])
        raise InputError(
            f"{name} is infinite in row {rows}"
            + (f" and {len(infinite) - 4} more" if len(infinite) > 4 else "")
            + " of the data",
            expected="finite numbers, and nothing where a value is missing: JSON has no infinity",
            fix=f"leave the values empty, or --drop {name}",
        )
    return numbers


def _are_whole(numbers: NDArray[np.float64]) -> bool:
    finite = numbers[np.isfinite(numbers)]
    return bool(len(finite)) and bool((finite == np.floor(finite)).all())


def _are_exact(numbers: NDArray[np.float64]) -> bool:
    return bool((np.abs(numbers[~np.isnan(numbers)]) <= _LARGEST_EXACT).all())


def categories_of(values: Sequence[Any]) -> list[tuple[Category, int]]:
    """Return the categories of a column with their counts: most frequent first, then in their own order."""
    counts: dict[tuple[str, Any], int] = {}
    for value in values:
        if value is not None:
            key = type(value).__name__, value
            counts[key] = counts.get(key, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0][0], item[0][1]))
    return [(key[1], count) for key, count in ordered]


def is_id_name(name: str) -> bool:
    """Tell whether a column is called as ids are: id, user_id, customerID, uuid, index."""
    return bool(_ID.fullmatch(name.lower()) or re.fullmatch(r".*[a-z](ID|Id)", name))
