from __future__ import annotations

import array
import ctypes
import math

import numpy as np
import pandas
import pyarrow
import pytest
import scipy.sparse

from bareboat.errors import InputError
from bareboat.forest.rows import matrix_of
from bareboat.forest.schema import RowsError, Schema

NAMES = ("age", "income", "fuel")
NUMBERS = Schema(NAMES, (None, None, None))
FUELS = Schema(NAMES, (None, None, ("gas", "diesel", "none")))
TABLE = [[1.0, 2.5, -3.0], [4.0, math.nan, 6.0]]


def same(found, expected) -> None:
    np.testing.assert_array_equal(found, np.array(expected, dtype=float))


# --- arrays


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "layout",
    [
        np.ascontiguousarray,
        np.asfortranarray,
        lambda rows: np.repeat(rows, 2, axis=0)[::2],
        lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
        lambda rows: rows[::-1].copy()[::-1],
    ],
    ids=["C", "F", "every second row", "every second column", "backwards"],
)
def test_an_array_of_floats_is_read_where_it_lies(dtype, layout):
    rows = layout(np.array(TABLE, dtype))

    assert np.shares_memory(matrix_of(rows, NUMBERS), rows)
    assert matrix_of(rows, NUMBERS).dtype == dtype


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, bool, np.float16, ">f8", np.longdouble])
def test_other_numbers_are_converted(dtype):
    rows = np.array([[1, 0, 3]]).astype(dtype)

    found = matrix_of(rows, NUMBERS)

    assert found.dtype in (np.dtype("f4"), np.dtype("f8"))
    same(found, [[1.0, 0.0, 3.0] if dtype is not bool else [1.0, 0.0, 1.0]])


def test_objects_are_read_one_by_one():
    rows = np.array([[1, None, 3.5], [True, np.float32(0.5), math.nan]], dtype=object)

    same(matrix_of(rows, NUMBERS), [[1.0, math.nan, 3.5], [1.0, 0.5, math.nan]])


def test_a_masked_value_is_missing():
    rows = np.ma.masked_equal(np.array([[1, 2, 3]]), 2)

    same(matrix_of(rows, NUMBERS), [[1.0, math.nan, 3.0]])


@pytest.mark.parametrize(
    "buffer",
    [
        lambda: memoryview(array.array("d", [1.0, 2.5, -3.0, 4.0, 5.0, 6.0])).cast("B").cast("d", (2, 3)),
        lambda: (ctypes.c_double * 3 * 2)((1.0, 2.5, -3.0), (4.0, 5.0, 6.0)),
    ],
    ids=["memoryview", "ctypes"],
)
def test_what_has_the_buffer_protocol_is_not_copied(buffer):
    rows = buffer()

    found = matrix_of(rows, NUMBERS)

    same(found, [[1.0, 2.5, -3.0], [4.0, 5.0, 6.0]])
    assert np.shares_memory(found, np.asarray(rows))


# --- lists


@pytest.mark.parametrize("rows", [TABLE, [tuple(row) for row in TABLE], tuple(TABLE), [np.array(row) for row in TABLE]])
def test_a_list_of_rows(rows):
    same(matrix_of(rows, NUMBERS), TABLE)


def test_none_in_a_list_is_missing():
    same(matrix_of([[1.0, None, 2.0]], NUMBERS), [[1.0, math.nan, 2.0]])


@pytest.mark.parametrize("rows", [[], np.empty((0, 3)), pandas.DataFrame(columns=list(NAMES), dtype=float)])
def test_no_rows_are_no_mistake(rows):
    assert matrix_of(rows, NUMBERS).shape == (0, 3)


def test_in_a_list_a_text_is_a_category_and_a_number_is_a_code():
    same(matrix_of([[1, 2, "diesel"], [1, 2, 2], [1, 2, None]], FUELS), [[1, 2, 1], [1, 2, 2], [1, 2, math.nan]])


def test_dicts_are_read_by_name():
    rows = [{"fuel": "gas", "income": 2, "age": 1.5}, {"age": None, "income": math.nan, "fuel": None}]

    same(matrix_of(rows, FUELS), [[1.5, 2.0, 0.0], [math.nan, math.nan, math.nan]])


# --- data frames

FRAME = pandas.DataFrame({"income": [2.5, None], "age": [1, 4], "fuel": ["diesel", "gas"]})
EXPECTED = [[1.0, 2.5, 1.0], [4.0, math.nan, 0.0]]


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.astype({"fuel": "category"}),
        FRAME.astype({"fuel": pandas.CategoricalDtype(["none", "gas", "diesel"])}),
        FRAME.astype({"fuel": "string", "age": "Int64", "income": "Float64"}),
        FRAME.astype({"age": "int8", "fuel": object}),
        pyarrow.Table.from_pandas(FRAME),
        pyarrow.Table.from_pandas(FRAME.astype({"fuel": "category"})),
        pyarrow.RecordBatch.from_pandas(FRAME),
        pyarrow.concat_tables([pyarrow.Table.from_pandas(FRAME)[:1], pyarrow.Table.from_pandas(FRAME)[1:]]),
    ],
    ids=["object", "category", "other order", "nullable", "int8", "arrow", "dictionary", "batch", "chunks"],
)
def test_a_frame_is_read_by_name_and_its_categories_too(frame):
    same(matrix_of(frame, FUELS), EXPECTED)


def test_polars_frames():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"income": [2.5, None], "age": [1, 4], "fuel": ["diesel", "gas"]})

    same(matrix_of(frame, FUELS), EXPECTED)
    same(matrix_of(frame.with_columns(polars.col("fuel").cast(polars.Categorical)), FUELS), EXPECTED)


def test_what_speaks_arrow_is_read_as_a_table():
    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return pyarrow.Table.from_pandas(FRAME).__arrow_c_stream__(requested_schema)

    same(matrix_of(Stream(), FUELS), EXPECTED)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_frame_of_floats_is_read_where_it_lies(dtype, order):
    values = np.array(TABLE, dtype, order=order)
    frame = pandas.DataFrame(values, columns=list(NAMES), copy=False)

    found = matrix_of(frame, NUMBERS)

    assert np.shares_memory(found, values)
    assert found.dtype == dtype
    same(found, TABLE)


def test_floats_in_another_order_are_put_into_the_order_of_the_features():
    frame = pandas.DataFrame(np.array(TABLE, np.float32), columns=["fuel", "age", "income"])

    found = matrix_of(frame, NUMBERS)

    assert found.dtype == np.float32
    same(found, [[2.5, -3.0, 1.0], [math.nan, 6.0, 4.0]])


def test_a_category_that_is_a_number_is_its_name_in_a_frame_and_its_code_in_an_array():
    schema = Schema(("size",), ((10, 20, 30),))

    same(matrix_of(pandas.DataFrame({"size": [30, 10, 20]}), schema), [[2], [0], [1]])
    same(matrix_of(pandas.DataFrame({"size": [30.0, np.nan, 20.0]}), schema), [[2], [math.nan], [1]])
    same(matrix_of([{"size": 30}], schema), [[2]])
    same(matrix_of(np.array([[1.0]]), schema), [[1]])


def test_true_is_another_category_than_1():
    schema = Schema(("x",), ((1, True),))

    same(matrix_of([{"x": True}, {"x": 1}, {"x": 1.0}], schema), [[1], [0], [0]])


def test_an_unknown_category_is_missing_or_refused_as_the_framework_has_it():
    strict = Schema(NAMES, (None, None, ("gas", "diesel")), refuses_unknown=True)

    same(matrix_of([[1, 2, "steam"]], FUELS), [[1, 2, math.nan]])
    with pytest.raises(RowsError, match="fuel is 'steam' in row 0, a category that the model has not seen"):
        matrix_of([[1, 2, "steam"]], strict)


def test_a_model_without_names_takes_columns_by_their_place():
    schema = Schema(("Column_0", "Column_1", "Column_2"), (None, None, None))

    same(matrix_of(pandas.DataFrame(TABLE, columns=["c", "a", "b"]), schema), TABLE)
    same(matrix_of(pandas.DataFrame(TABLE), schema), TABLE)


# --- mistakes


def problem_of(rows, schema=NUMBERS):
    with pytest.raises(RowsError) as error:
        matrix_of(rows, schema)
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, InputError)
    return error.value.problems[0]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (np.zeros((2, 4)), "X has 4 features, but Forest is expecting 3 features as input"),
        (np.zeros(3), "Expected 2D array, got 1D array instead: 3 values"),
        (np.zeros((1, 3, 1)), "an array of 3 dimensions, (1, 3, 1)"),
        (np.zeros((1, 3), complex), "Complex data not supported"),
        (np.zeros((1, 3), "M8[s]"), "values of the type datetime64[s]"),
        ([[1, 2, 3], [1, 2]], "row 1 has 2 values"),
        ([[1, 2, "big"]], "fuel is the text 'big' in row 0"),
        ([[1, 2, 3], [1, "2", 3]], "income is the text '2' in row 1"),
        (np.array([["1", "2", "3"]]), "age is the text '1' in row 0"),
        (5.0, "a float"),
        ({"age": 1, "income": 2, "fuel": 3}, "a dict"),
        (None, "a NoneType"),
        (scipy.sparse.csr_matrix(np.zeros((2, 3))), "a sparse csr_matrix"),
        ([{"age": 1, "income": 2, "fule": 3}], "row 0 has the unknown key 'fule'"),
        ([{"age": 1, "income": 2}], "row 0 lacks 'fuel'"),
        ([{"age": 1, "income": 2, "fuel": 3}, [1, 2, 3]], "row 1 is list"),
        (pandas.DataFrame({"age": [1], "income": ["x"], "fuel": [1]}), "income is the text 'x' in row 0"),
        (
            pandas.DataFrame({"age": pandas.to_datetime(["2026-01-01"]), "income": [1], "fuel": [1]}),
            "age has values of the type datetime64[us]",
        ),
        (pandas.DataFrame([[1, 2, 3]], columns=["age", "age", "fuel"]), "two columns are called 'age'"),
    ],
)
def test_what_does_not_fit_is_told(rows, found):
    problem = problem_of(rows)

    assert problem.found == found
    assert problem.expected


def test_unknown_and_missing_columns_are_named_together():
    problem = problem_of(pandas.DataFrame({"age": [1], "incme": [2], "fuel": [1]}))

    assert "Feature names unseen at fit time: incme" in problem.found
    assert "Feature names seen at fit time, yet now missing: income" in problem.found
    assert problem.fix == "rename 'incme' to 'income'"


def test_a_category_column_is_refused_where_the_model_knows_no_names():
    problem = problem_of(FRAME.astype({"fuel": "category"}))

    assert problem.found == "fuel is the text 'diesel' in row 0"
