"""An answer's text is what json.dumps makes of the answer's object."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.runtime.answers import Answers

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LABELS = st.one_of(st.text(), st.integers(), st.booleans(), FLOATS)


@given(
    rows=st.lists(st.lists(FLOATS, min_size=2, max_size=2), min_size=1, max_size=3), labels=st.tuples(LABELS, LABELS)
)
def test_a_classifiers_text_is_that_of_its_object(rows: list[list[float]], labels: tuple[object, object]) -> None:
    answers = Answers(is_classifier=True, n_classes=2, labels=labels)

    for are_many in (False, True):
        document = answers.document(rows, are_many=are_many)
        assert answers.text(rows, are_many=are_many) == json.dumps(document)
    assert document["predictions"][0] == answers.document(rows, are_many=False)


@given(rows=st.lists(st.lists(FLOATS, min_size=1, max_size=3), min_size=1, max_size=3))
def test_a_regressors_text_is_that_of_its_object(rows: list[list[float]]) -> None:
    answers = Answers(is_classifier=False, n_classes=0, labels=None)

    for are_many in (False, True):
        assert answers.text(rows, are_many=are_many) == json.dumps(answers.document(rows, are_many=are_many))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_no_answer_is_made_of_what_json_cannot_say(value: float) -> None:
    answers = Answers(is_classifier=False, n_classes=0, labels=None)

    for make in (answers.text, answers.document):
        with pytest.raises(ValueError, match="no JSON"):
            make([[1.0], [value]], are_many=True)


def test_the_largest_floats_are_answered_even_where_their_sum_is_none() -> None:
    answers = Answers(is_classifier=False, n_classes=0, labels=None)

    assert answers.text([[1.7e308, 1.7e308]], are_many=False) == '{"prediction": [1.7e+308, 1.7e+308]}'
