"""An answer's text is what json.dumps makes of the answer's object."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.runtime.answers import Answers

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LABELS = st.one_of(st.text(), st.integers(), st.booleans(), FLOATS)


def answered(rows: list[list[float]]) -> list[tuple[list[float], int]]:
    return [(row, -1) for row in rows]


@pytest.mark.parametrize(
    ("kind", "outputs", "expected"),
    [
        ("proba", [0.75, 0.25], {"proba": [0.75, 0.25], "label": "b"}),
        ("decision", [1.5], {"decision": [1.5], "label": "b"}),
        ("label", [], {"label": "b"}),
    ],
)
def test_a_label_that_the_model_gives_is_answered_whatever_the_outputs_say(
    kind: str, outputs: list[float], expected: object
) -> None:
    answers = Answers(kind=kind, n_classes=2, labels=["a", "b"])

    assert answers.document([(outputs, 1)], are_many=False) == expected
    assert json.loads(answers.text([(outputs, 1)], are_many=False)) == expected


@given(
    rows=st.lists(st.lists(FLOATS, min_size=2, max_size=2), min_size=1, max_size=3), labels=st.tuples(LABELS, LABELS)
)
def test_a_classifiers_text_is_that_of_its_object(rows: list[list[float]], labels: tuple[object, object]) -> None:
    answers = Answers(kind="proba", n_classes=2, labels=labels)

    for are_many in (False, True):
        document = answers.document(answered(rows), are_many=are_many)
        assert answers.text(answered(rows), are_many=are_many) == json.dumps(document)
    assert document["predictions"][0] == answers.document(answered(rows), are_many=False)


@given(rows=st.lists(st.lists(FLOATS, min_size=1, max_size=3), min_size=1, max_size=3))
def test_a_regressors_text_is_that_of_its_object(rows: list[list[float]]) -> None:
    answers = Answers(kind="value", n_classes=0, labels=None)

    for are_many in (False, True):
        document = answers.document(answered(rows), are_many=are_many)
        assert answers.text(answered(rows), are_many=are_many) == json.dumps(document)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_no_answer_is_made_of_what_json_cannot_say(value: float) -> None:
    answers = Answers(kind="value", n_classes=0, labels=None)

    for make in (answers.text, answers.document):
        with pytest.raises(ValueError, match="no JSON"):
            make(answered([[1.0], [value]]), are_many=True)


def test_the_largest_floats_are_answered_even_where_their_sum_is_none() -> None:
    answers = Answers(kind="value", n_classes=0, labels=None)

    assert answers.text(answered([[1.7e308, 1.7e308]]), are_many=False) == '{"prediction": [1.7e+308, 1.7e+308]}'
