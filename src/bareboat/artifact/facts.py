"""A table of examples -> what its columns hold: dtype, missing values, range and values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from bareboat.errors import InputError
from bareboat.forest.dataset import read_columns
from bareboat.forest.table_file import EMPTY, is_parquet, parquet_table, table_bytes
from bareboat.runtime.moments import epoch_s
from bareboat.service.model import Dtype

FEW = 50
"""So many values are listed; a column of more is no choice among a few."""
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,)?\d+")
_BOOLS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a column holds.

    Args:
        n_rows, n_missing, n_values: how many rows, how many without a value, how many different values.
        dtype: None when there is no value at all.
        minimum, maximum: of numbers, or texts of dates; None for other values.
        values: the different values in order, when they are few.
        as_text: of a column with decimal commas, which is read as one of numbers: what it holds as texts; else None.
        odd: the first value that is no number where most are, with its row (0 is the first), or None.
    """

    name: str
    n_rows: int
    n_missing: int
    n_values: int
    dtype: Dtype | None = None
    minimum: str | int | float | None = None
    maximum: str | int | float | None = None
    values: tuple[Any, ...] = ()
    odd: tuple[str, int] | None = None
    as_text: Facts | None = None


def read_facts(path: Path) -> dict[str, Facts]:
    """Read a table, Parquet or CSV with a header, and say what each column holds.

    Raises:
        InputError: it cannot be read, or its names are none or not distinct.
    """
    data = table_bytes(path)
    if is_parquet(data):
        return {name: _facts_of_values(name, values) for name, values in _values(parquet_table(path, data)).items()}
    columns = read_columns(path)
    _check_delimiter(list(columns), path)
    return {name: facts_of_texts(name, texts) for name, texts in columns.items()}


def facts_of_texts(name: str, texts: Sequence[str]) -> Facts:
    """Say what a column of CSV holds: an empty text, NA, NaN, null, None, N/A or ? is a missing value."""
    present = [text.strip() for text in texts if text.strip().lower() not in EMPTY]
    counts = (len(texts), len(texts) - len(present), len(set(present)))
    if not present:
        return Facts(name, *counts)
    numbers = [_number(text) for text in present]
    as_text = None
    if None in numbers and all(map(_DECIMAL_COMMA.fullmatch, present)):
        as_text = Facts(name, *counts, dtype="string", values=_few(present))
        numbers = [_number(text.replace(",", ".")) for text in present]
    if None not in numbers:
        whole = all(isinstance(each, int) for each in numbers)
        low, high = _ends(numbers)
        dtype: Dtype = "int" if whole else "float"
        return Facts(name, *counts, dtype=dtype, minimum=low, maximum=high, values=_few(numbers), as_text=as_text)
    if all(text.lower() in _BOOLS for text in present):
        return Facts(name, *counts, dtype="bool", values=_few([_BOOLS[text.lower()] for text in present]))
    if all(epoch_s(text) is not None for text in present):
        by_time = sorted(set(present), key=lambda text: epoch_s(text) or 0.0)
        return Facts(name, *counts, dtype="datetime", minimum=by_time[0], maximum=by_time[-1])
    odd = None
    if numbers.count(None) * 2 < len(numbers):
        text = present[numbers.index(None)]
        odd = (text, [each.strip() for each in texts].index(text))
    return Facts(name, *counts, dtype="string", values=_few(present), odd=odd)


def _facts_of_values(name: str, values: Sequence[Any]) -> Facts:
    """Say what a column of Parquet holds, whose values have types."""
    present = [value for value in values if value is not None and value == value]  # noqa: PLR0124  NaN is missing
    kinds = {type(value) for value in present}
    if kinds <= {int} or kinds <= {int, float}:
        counts = (len(values), len(values) - len(present), len(set(present)))
        if not present:
            return Facts(name, *counts)
        low, high = _ends(present)
        dtype: Dtype = "int" if kinds == {int} else "float"
        return Facts(name, *counts, dtype=dtype, minimum=low, maximum=high, values=_few(present))
    texts = ["" if value is None else str(value).lower() if value is True or value is False else str(value)
             for value in values]  # fmt: skip
    facts = facts_of_texts(name, texts)
    if kinds == {str} and facts.dtype != "datetime":  # texts of digits are texts there
        few = _few([value for value in present if value.strip().lower() not in EMPTY])
        return Facts(name, facts.n_rows, facts.n_missing, facts.n_values, "string", values=few)
    return facts


def _number(text: str) -> int | float | None:
    """Return the number that a text is; digits after a leading zero are a text, such as a postal code."""
    try:
        if text.lstrip("+-").isdigit():
            digits = text.lstrip("+-")
            return None if len(digits) > 1 and digits[0] == "0" else int(text)
        number = float(text)
    except ValueError:
        return None
    return number if number - number == 0.0 and "_" not in text else None


def _ends(numbers: Sequence[Any]) -> tuple[Any, Any]:
    return min(numbers), max(numbers)


def _few(values: Sequence[Any]) -> tuple[Any, ...]:
    different = set(values)
    return tuple(sorted(different)) if len(different) <= FEW else ()


def _check_delimiter(names: Sequence[str], path: Path) -> None:
    if len(names) == 1 and not names[0].replace("_", "").isalnum():
        for sign in (":", "\x01", "  ", "^", "~"):
            if sign in names[0]:
                raise InputError(
                    f"one column, called {names[0][:60]!r}",
                    expected="columns divided by , ; | or tabs",
                    fix=f"write the file with another sign than {sign!r} between columns",
                    where=f"{path}:1",
                )


def _values(table: Any) -> dict[str, list[Any]]:
    """Return the columns of Arrow's table as Python's values, times as ISO texts."""
    columns = {}
    for name in table.column_names:
        values = table.column(name).to_pylist()
        columns[name] = [value.isoformat() if isinstance(value, date | time) else value for value in values]
    return columns
