from __future__ import annotations

import math

import numpy as np
import pandas
import polars
import pyarrow
import pytest
import scipy.sparse

from bareboat.errors import InputError
from bareboat.forest.schema import RowsError
from bareboat.pipeline.ir import Column, Pipeline
from bareboat.pipeline.rows import Reader

AGE = Column("age")
CITY = Column("city", "string", values=("Bern", "Oslo", "Rome"))
STRICT = Column("city", "string", values=("Bern", "Oslo", "Rome"), others=False, nullable=False)
NOTE = Column("note", used=False)
FRAME = pandas.DataFrame({"city": ["Rome", "Bern", None, "Oz"], "age": [1.5, math.nan, 3, 4]})
EXPECTED = [[1.5, 2], [math.nan, 0], [3, math.nan], [4, -1]]


def reader(*columns: Column) -> Reader:
    return Reader(
        Pipeline(
            columns=columns or (AGE, CITY),
            steps=(),
            forests=(),
            kind="value",
            outputs=np.zeros(1, np.int32),
            label=None,
            classes=(),
            source="test",
            objective="test",
        )
    )


def same(found, expected) -> None:
    np.testing.assert_array_equal(found, np.array(expected, dtype=float))


@pytest.mark.parametrize(
    "rows",
    [
        FRAME,
        FRAME.astype({"city": object}),
        FRAME.astype({"city": "category"}),
        FRAME.astype({"city": "string", "age": "Float64"}),
        FRAME.astype({"city": pandas.StringDtype("python")}),
        polars.from_pandas(FRAME),
        polars.from_pandas(FRAME).cast({"city": polars.Categorical}),
        pyarrow.Table.from_pandas(FRAME),
        pyarrow.Table.from_pandas(FRAME.astype({"city": "category"})),
        pyarrow.RecordBatch.from_pandas(FRAME),
        pyarrow.concat_tables([pyarrow.Table.from_pandas(FRAME)[:1], pyarrow.Table.from_pandas(FRAME)[1:]]),
        pyarrow.table({"city": pyarrow.array(FRAME["city"], pyarrow.string_view()), "age": FRAME["age"]}),
        FRAME.to_dict("list"),
        {"age": FRAME["age"].to_numpy(), "city": tuple(FRAME["city"])},
        FRAME.to_dict("records"),
        FRAME[["age", "city"]].to_numpy(),
        FRAME[["age", "city"]].to_numpy().tolist(),
    ],
    ids=[
        *("str", "object", "category", "nullable", "python strings", "polars", "polars categorical", "arrow"),
        *("dictionary", "batch", "chunks", "string view", "lists", "arrays", "dicts", "objects", "rows"),
    ],
)
def test_rows_of_every_kind_become_numbers_and_codes(rows):
    same(reader().matrix(rows), EXPECTED)


def test_none_is_a_value_where_the_model_knows_it_and_nan_is_missing():
    known = reader(Column("city", "string", values=("Bern", None)))
    values = np.array(["Bern", None, np.nan, "Oz"], dtype=object)

    same(known.matrix({"city": values}), [[0], [1], [math.nan], [-1]])
    same(known.matrix(pandas.DataFrame({"city": pandas.Series(values, dtype=object)})), [[0], [1], [math.nan], [-1]])
    same(known.matrix(pandas.DataFrame({"city": ["Bern", np.nan]})), [[0], [math.nan]])
    same(known.matrix(pyarrow.table({"city": ["Bern", None]})), [[0], [1]])
    same(known.matrix(polars.DataFrame({"city": ["Bern", None]})), [[0], [1]])


@pytest.mark.parametrize("make", [pandas.DataFrame, polars.DataFrame, pyarrow.table, dict])
def test_values_that_are_no_texts_are_told_apart(make):
    mixed = reader(Column("x", "category", values=(1, True, "1")))

    same(mixed.matrix(make({"x": [1, 2]})), [[0], [-1]])
    same(mixed.matrix(make({"x": [True, True]})), [[1], [1]])
    same(mixed.matrix(make({"x": ["1", None]})), [[2], [math.nan]])


def test_strangers_are_remembered_as_strangers():
    rows = reader(CITY)

    same(rows.matrix({"city": ["Oz", "Oz"]}), [[-1], [-1]])
    same(rows.matrix({"city": ["Oz", "Oslo"]}), [[-1], [1]])


def test_a_column_that_is_not_read_may_be_left_out_and_hold_anything():
    rows = reader(AGE, NOTE, CITY)

    for data in (FRAME, FRAME.to_dict("records"), FRAME.assign(note=pandas.Timestamp("2026-01-01")), FRAME[:0]):
        expected = [[age, math.nan, city] for age, city in EXPECTED][: len(data)]
        same(rows.matrix(data), np.reshape(expected, (-1, 3)))


def test_an_array_of_numbers_is_read_where_it_lies():
    rows = np.array([[1.0, math.nan]])

    assert reader(Column("x0"), Column("x1")).matrix(rows) is rows
    same(reader(Column("x0"), Column("x1")).matrix(pandas.DataFrame({"a": [1], "b": [2]})), [[1, 2]])


def test_a_column_of_missing_texts_may_be_floats():
    same(reader(CITY).matrix(pandas.DataFrame({"city": [math.nan, math.nan]})), [[math.nan], [math.nan]])


@pytest.mark.parametrize(
    ("columns", "rows", "found"),
    [
        ((), FRAME.rename(columns={"city": "town"}), "Feature names unseen at fit time: town"),
        ((), FRAME.drop(columns="age"), "seen at fit time, yet now missing: age"),
        ((), FRAME.to_dict("records")[0], "a dict whose 'city' is str"),
        ((), {"age": [1, 2], "city": ["Rome"]}, "'city' has 1 values, 'age' has 2"),
        ((), [{"age": 1}], "row 0 lacks 'city'"),
        ((), np.zeros((2, 2)), "an array of float64, while city are no numbers to the model"),
        ((), np.zeros((2, 3)), "X has 3 features, but Model is expecting 2 features as input"),
        ((), scipy.sparse.csr_matrix(np.zeros((2, 2))), "a sparse csr_matrix"),
        ((), pandas.DataFrame({"age": ["1"], "city": ["Rome"]}), "age is the text '1' in row 0"),
        ((), {"age": [1, []], "city": ["Rome", "Rome"]}, "age is '[]' in row 1"),
        ((), pandas.DataFrame({"age": [1], "city": [7]}), "city is 7 in row 0, of the type int"),
        ((), {"age": [1, 1], "city": ["Rome", 7]}, "city is 7 in row 1, of the type int"),
        ((), {"age": [1, 1], "city": ["Rome", ["Rome"]]}, "city is ['Rome'] in row 1, of the type list"),
        (
            (),
            {"age": [1], "city": np.array(["2026-01-01"], "M8[D]")},
            "city is datetime.date(2026, 1, 1) in row 0, of the type date",
        ),
        ((STRICT,), pandas.DataFrame({"city": ["Rome", "Oz"]}), "city is 'Oz' in row 1, which the model cannot answer"),
        ((STRICT,), polars.DataFrame({"city": ["Rome", "Oz"]}), "city is 'Oz' in row 1"),
        ((STRICT,), pyarrow.table({"city": ["Rome", "Oz"]}), "city is 'Oz' in row 1"),
        ((STRICT,), [{"city": "Rome"}, {"city": None}], "city is missing in row 1"),
        ((Column("x", nullable=False),), np.array([[1.0], [math.nan]]), "x is missing in row 1"),
        ((Column("x", others=False, enum=(1, 2)),), np.array([[1], [3]]), "x is 3 in row 1"),
        (
            (Column("c", "string", values=("a", "b"), others=False, enum=("b",)),),
            [["b"], ["a"]],
            "c is 'a' in row 1, which the model cannot answer",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_column_and_row(columns, rows, found):
    with pytest.raises(RowsError) as error:
        reader(*columns).matrix(rows)

    assert isinstance(error.value, InputError)
    assert found in error.value.problems[0].found
    assert error.value.problems[0].expected
