from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bareboat.errors import InputError
from bareboat.train.columns import Column, is_id_name, read_column
from bareboat.train.notes import Notes

Read = Callable[..., Column]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1", "2", ""], "int", [1.0, 2.0, np.nan]),
        (["1.0", " 2.5 ", "NA"], "float", [1.0, 2.5, np.nan]),
        (["1e3", "-", "none"], "float", [1000.0, np.nan, np.nan]),
        (["true", "FALSE", "n/a"], "bool", [1.0, 0.0, np.nan]),
        (["2024-01-02", "1970-01-01T00:01:00+00:00", ""], "datetime", [1704153600.0, 60.0, np.nan]),
        (["1970-01-01 02:00:00+02:00", "", ""], "datetime", [0.0, np.nan, np.nan]),
        (["3,5", "-4,25", ""], "float", [3.5, -4.25, np.nan]),
    ],
)
def test_read_column_finds_numbers(column: Read, values: list[str], kind: str, expected: list[float]) -> None:
    read = column(*values)

    assert read.kind == kind
    np.testing.assert_array_equal(read.values, expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["red", "", "none", "NULL"], ["red", None, "none", None]),
        (["00501", "10001"], ["00501", "10001"]),
        (["A1", "12", "B7"], ["A1", "12", "B7"]),
        (["2024-13-45", "2024-01-01"], ["2024-13-45", "2024-01-01"]),
    ],
)
def test_read_column_takes_other_texts_for_categories(column: Read, values: list[str], expected: list[Any]) -> None:
    read = column(*values)

    assert read.kind == "category"
    assert read.values.tolist() == expected


def test_read_column_takes_numbers_for_names_when_asked(column: Read) -> None:
    assert column("5", "", "12", is_category=True).values.tolist() == [5, None, 12]
    assert column("05", "12", is_category=True).values.tolist() == ["05", "12"]


def test_read_column_names_the_rows_of_texts_among_numbers(column: Read) -> None:
    with pytest.raises(InputError) as caught:
        column(*["1"] * 9, "12 kg", name="weight")

    problem = caught.value.problems[0]
    assert problem.found == "weight is a column of numbers, but has '12 kg' in row 10 of the data"
    assert "--category weight" in problem.fix


def test_read_column_refuses_infinity(column: Read) -> None:
    with pytest.raises(InputError, match="x is infinite in row 2, 3 of the data"):
        column("1", "inf", "-inf")


@pytest.mark.parametrize(
    ("series", "kind", "expected"),
    [
        (pd.Series([1, 2]), "int", [1.0, 2.0]),
        (pd.Series([1.0, None]), "int", [1.0, np.nan]),
        (pd.Series([1.5, None], dtype="float32"), "float", [1.5, np.nan]),
        (pd.Series([True, None], dtype="boolean"), "bool", [1.0, np.nan]),
        (pd.Series([Decimal("1.5"), None], dtype=object), "float", [1.5, np.nan]),
        (pd.Series([datetime.date(1970, 1, 2), None], dtype=object), "datetime", [86400.0, np.nan]),
        (pd.Series(pd.to_datetime(["1970-01-01T01:00+01:00"])), "datetime", [0.0]),
        (pd.Series([True, False], dtype=object), "bool", [1.0, 0.0]),
    ],
)
def test_read_column_takes_types_of_parquet(series: Any, kind: str, expected: list[float]) -> None:
    read = read_column("x", series, Notes())

    assert read.kind == kind
    np.testing.assert_array_equal(read.values, expected)


def test_read_column_takes_categories_of_parquet() -> None:
    read = read_column("x", pd.Series(["a", None, "b"], dtype="category"), Notes())

    assert read.values.tolist() == ["a", None, "b"]


@pytest.mark.parametrize("values", [[["list"]], [b"bytes"], [1, "a"], [{"a": 1}]])
def test_read_column_refuses_what_cannot_be_learned_from(values: list[Any]) -> None:
    with pytest.raises(InputError, match="x holds values of the types"):
        read_column("x", pd.Series(values, dtype=object), Notes())


def test_ids_are_known_by_their_names() -> None:
    assert [name for name in ("id", "user_id", "customerID", "Index", "paid", "humid", "idea") if is_id_name(name)] == [
        "id",
        "user_id",
        "customerID",
        "Index",
    ]
