"""The rows that a model function takes, and the name of every field that it does not take."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bareboat.errors import InputError
from bareboat.runtime.document import parse
from bareboat.runtime.signature import Feature, Signature
from bareboat.runtime.typed import TypedFeature

IRIS = Signature(
    [
        Feature("sepal length", ["sepal_length_(cm)"]),
        Feature("sepal width", ["sepal_width_(cm)"]),
        Feature("petal length", ["petal_length_(cm)"]),
        Feature("petal width", ["petal_width_(cm)"]),
    ],
    max_rows=3,
)
FLOWER = {"sepal length": 6, "sepal width": 3, "petal length": 5, "petal width": 2}
HOUSE = Signature(
    [
        Feature("area"),
        Feature("rooms", nullable=True),
        TypedFeature("heating", dtype="category", values=["gas", "oil"]),
        TypedFeature("floor", dtype="category", values=[0, 1, 2.5], nullable=True),
        TypedFeature("garden", dtype="category", values=[False, True]),
    ],
    max_rows=10,
)


def faults(signature: Signature, document: Any, *, is_text: bool = False) -> dict[str, tuple[str, str]]:
    """Return what is wrong with a document: field -> (found, expected)."""
    with pytest.raises(InputError) as refused:
        signature.read(document, is_text=is_text)
    return {problem.where: (problem.found, problem.expected) for problem in refused.value.problems}


@pytest.mark.parametrize(
    "document",
    [
        FLOWER,
        dict(reversed(FLOWER.items())),
        {"sepal_length_(cm)": 6, "sepal_width_(cm)": 3, "petal_length_(cm)": 5, "petal_width_(cm)": 2},
        {"sepal length": 6.0, "sepal_width_(cm)": 3, "petal length": 5, "petal_width_(cm)": 2},
        [6, 3, 5, 2],
    ],
)
def test_one_row_comes_by_names_in_any_order_by_the_models_own_names_or_as_a_list(document: Any) -> None:
    rows, are_many = IRIS.read(document)

    assert rows == [[6.0, 3.0, 5.0, 2.0]]
    assert all(type(value) is float for value in rows[0])
    assert not are_many


def test_many_rows_come_as_instances_of_either_form() -> None:
    assert IRIS.read({"instances": [FLOWER, [1, 2, 3, 4]]}) == ([[6, 3, 5, 2], [1, 2, 3, 4]], True)


def test_every_wrong_field_of_a_row_is_named_at_once() -> None:
    wrong = {"sepal lenght": 6, "sepal width": "3", "sepal_width_(cm)": 3, "petal length": True, "colour": {}}

    assert faults(IRIS, wrong) == {
        "sepal lenght": ("an unknown feature", "perhaps sepal length"),
        "sepal width": ('the text "3"', "a number"),
        "sepal_width_(cm)": ("a second value, beside sepal width", "one value for sepal width"),
        "petal length": ("true", "a number"),
        "colour": ("an unknown feature", "one of sepal length, sepal width, petal length, petal width"),
        "sepal length": ("nothing", "a number"),
        "petal width": ("nothing", "a number"),
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("null", "null"),
        ("false", "false"),
        ('"NaN"', 'the text "NaN"'),
        ('""', 'the text ""'),
        ("NaN", "NaN"),
        ("Infinity", "a number too large for a float"),
        ("-Infinity", "a number too low for a float"),
        ("1e400", "a number too large for a float"),
        ("-1e400", "a number too low for a float"),
        ("1" + "0" * 400, "an integer too large for a float"),
        ("{}", "an object"),
        ("[1]", "a list"),
    ],
)
@pytest.mark.parametrize("place", ["row", "list", "instance"])
def test_what_is_no_finite_number_is_refused_with_what_was_found(text: str, found: str, place: str) -> None:
    row = f'{{"sepal length": {text}, "sepal width": 3, "petal length": 5, "petal width": 2}}'
    documents = {
        "row": (row, "sepal length", "a number"),
        "list": (f"[{text}, 3, 5, 2]", "[0]", "a number (sepal length)"),
        "instance": (f'{{"instances": [[1, 2, 3, 4], {row}]}}', "instances[1].sepal length", "a number"),
    }
    document, field, expected = documents[place]

    assert faults(IRIS, parse(document)) == {field: (found, expected)}


@pytest.mark.parametrize("largest", [1.7976931348623157e308, -1.7976931348623157e308, 2**1023])
def test_the_largest_floats_are_numbers_even_where_their_sum_is_none(largest: float) -> None:
    assert IRIS.read([largest, largest, 0, 0])[0] == [[float(largest), float(largest), 0.0, 0.0]]


@pytest.mark.parametrize(
    ("document", "field", "found", "expected"),
    [
        ([1, 2, 3], "body", "a list of 3 values", "4 values, in the model's order"),
        ([], "body", "a list of 0 values", "4 values, in the model's order"),
        ([[1, 2, 3, 4]], "body", "a list of rows", 'one row; many go as {"instances": [...]}'),
        ("text", "body", 'the text "text"', "an object of features or a list of 4 values"),
        (None, "body", "null", "an object of features or a list of 4 values"),
        (5, "body", "5", "an object of features or a list of 4 values"),
        ({"instances": []}, "instances", "an empty list", "at least one row"),
        ({"instances": {}}, "instances", "an object", "a list of rows"),
        ({"instances": [[1, 2, 3, 4]] * 4}, "instances", "4 rows", "at most 3"),
        ({"instances": [[1, 2, 3, 4]], "id": 7}, "id", "a key beside instances", "instances alone"),
        ({"instances": [5]}, "instances[0]", "5", "an object of features or a list of 4 values"),
        ({"instances": [[1, 2]]}, "instances[0]", "a list of 2 values", "4 values, in the model's order"),
    ],
)
def test_a_document_of_another_shape_is_refused(document: Any, field: str, found: str, expected: str) -> None:
    assert faults(IRIS, document) == {field: (found, expected)}


def test_keys_given_twice_are_named_where_they_stand() -> None:
    assert faults(IRIS, parse('{"instances": [[1,2,3,4], {"sepal length": 1, "sepal length": 2}]}')) == {
        "instances[1].sepal length": ("a key given more than once", "one value"),
        "instances[1].sepal width": ("nothing", "a number"),
        "instances[1].petal length": ("nothing", "a number"),
        "instances[1].petal width": ("nothing", "a number"),
    }
    assert faults(IRIS, parse('{"instances": 1, "instances": [[1,2,3,4]]}')) == {
        "instances": ("a key given more than once", "one value")
    }


def test_a_nullable_feature_is_missing_when_it_is_null_or_left_out() -> None:
    for document in (
        {"area": 80, "heating": "gas", "garden": True},
        {"area": 80, "rooms": None, "heating": "gas", "floor": None, "garden": True},
        [80, None, "gas", None, True],
    ):
        (row,), _ = HOUSE.read(document)

        assert row[0] == 80
        assert math.isnan(row[1])
        assert row[2] == 0
        assert math.isnan(row[3])
        assert row[4] == 1


@pytest.mark.parametrize(("floor", "code"), [(0, 0.0), (1, 1.0), (1.0, 1.0), (2.5, 2.0)], ids=["0", "1", "1.0", "2.5"])
def test_a_category_is_given_by_its_value_and_becomes_its_index(floor: float, code: float) -> None:
    (row,), _ = HOUSE.read({"area": 80, "heating": "oil", "floor": floor, "garden": False})

    assert row[2:] == [1.0, code, 0.0]


def test_a_value_that_is_no_category_is_refused_with_the_categories() -> None:
    assert faults(HOUSE, {"area": 80, "heating": "coal", "floor": True, "garden": 1, "rooms": []}) == {
        "heating": ('the text "coal"', 'one of "gas", "oil"'),
        "floor": ("true", "one of 0, 1, 2.5 or null"),
        "garden": ("1", "one of false, true"),
        "rooms": ("a list", "a number or null"),
    }


def test_a_category_that_cannot_be_looked_up_is_refused() -> None:
    assert faults(HOUSE, {"area": 80, "heating": ["gas"], "garden": True}) == {
        "heating": ("a list", 'one of "gas", "oil"')
    }


def test_many_categories_are_not_all_listed() -> None:
    signature = Signature([TypedFeature("n", dtype="category", values=[f"c{i}" for i in range(30)])], max_rows=1)

    assert faults(signature, {"n": "x"})["n"][
        1
    ] == "one of c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ... (30 in all)".replace(
        "c0, c1, c2, c3, c4, c5, c6, c7, c8, c9", ", ".join(f'"c{i}"' for i in range(10))
    )


def test_a_query_string_gives_numbers_as_text_and_an_empty_one_is_missing() -> None:
    query = {"area": "80.5", "rooms": "", "heating": "oil", "floor": "2.5", "garden": "true"}

    (row,), _ = HOUSE.read(query, is_text=True)

    assert str(row) == "[80.5, nan, 1.0, 2.0, 1.0]"

    (row,), _ = IRIS.read(
        {"sepal length": "6", "sepal width": "3e0", "petal length": "-5.5", "petal width": "2"}, is_text=True
    )

    assert row == [6.0, 3.0, -5.5, 2.0]


@pytest.mark.parametrize(
    "text", ["", "nan", "NaN", "inf", "Infinity", "1_000", "0x10", "+5", ".5", "1,2", "six", "1e400", "[" * 9999]
)
def test_a_query_strings_number_is_written_as_in_json(text: str) -> None:
    query = {"sepal length": text, "sepal width": "3", "petal length": "5", "petal width": "2"}

    assert set(faults(IRIS, query, is_text=True)) == {"sepal length"}


def test_a_category_that_looks_like_a_number_is_found_as_text_first() -> None:
    signature = Signature([TypedFeature("zip", dtype="category", values=["04109", "10115"]), Feature("x")], max_rows=1)

    assert signature.read({"zip": "10115", "x": "1"}, is_text=True)[0] == [[1.0, 1.0]]


def test_no_more_than_a_hundred_wrong_fields_are_listed_and_reading_stops() -> None:
    signature = Signature([Feature(f"f{i}") for i in range(50)], max_rows=100_000)

    with pytest.raises(InputError) as refused:
        signature.read({"instances": [["x"] * 50] * 100_000})

    assert len(refused.value.problems) == 100
    assert refused.value.args[0] == "100 wrong fields are listed, and there may be more"


def test_long_texts_of_the_client_are_cut() -> None:
    ((field, (found, _)),) = faults(Signature([], 1), {"k" * 5000: 1}).items()
    assert len(field) <= 120

    ((_, (found, _)),) = faults(Signature([Feature("x")], 1), {"x": "v" * 5000}).items()
    assert len(found) < 80


def test_half_a_surrogate_pair_is_replaced_so_that_the_answer_can_be_sent() -> None:
    ((field, (found, _)),) = faults(Signature([Feature("x", nullable=True)], 1), parse('{"\\ud800": 1}')).items()

    assert field == "?"
    assert found == "an unknown feature"


def test_a_key_of_no_characters_is_named_too() -> None:
    assert faults(Signature([Feature("x", nullable=True)], 1), {"": 1}) == {'""': ("an unknown feature", "one of x")}


def test_a_feature_may_be_called_instances() -> None:
    signature = Signature([Feature("instances"), Feature("x")], max_rows=1)

    assert signature.read({"instances": 4, "x": 1}) == ([[4.0, 1.0]], False)


def test_a_model_of_one_feature_takes_an_object_or_a_list() -> None:
    signature = Signature([Feature("x")], max_rows=5)

    assert signature.read({"x": 2}) == ([[2.0]], False)
    assert signature.read([2]) == ([[2.0]], False)


def test_a_number_of_another_type_is_taken_from_a_before_function() -> None:
    class Scalar:  # as numpy.float32 and numpy.int64 are: no subclass of float or int
        def __float__(self) -> float:
            return 6.5

    assert IRIS.read([Scalar(), 3, 5, 2])[0] == [[6.5, 3.0, 5.0, 2.0]]
    assert IRIS.read((6, 3, 5, 2))[0] == [[6.0, 3.0, 5.0, 2.0]]
