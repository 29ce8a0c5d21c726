"""Which answers count as the same."""

from __future__ import annotations

import json
import math

import pytest

from bareboat.aws.agreement import Answer, Difference, agreement


def answer(body, status=200, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, raw, headers)


def compared(live, local, *, is_model=False):
    return agreement(answer(live), answer(local), is_model=is_model)


P = 0.7161854371350332
NEXT = math.nextafter(P, 1.0)
AFTER_NEXT = math.nextafter(NEXT, 1.0)


@pytest.mark.parametrize("is_model", [True, False])
def test_probabilities_may_be_off_by_one_ulp_and_no_more(is_model):
    assert compared({"proba": [NEXT]}, {"proba": [P]}, is_model=is_model).off_by_one == 1
    assert compared({"proba": [NEXT]}, {"proba": [P]}, is_model=is_model).differences == ()
    assert compared({"proba": [AFTER_NEXT]}, {"proba": [P]}, is_model=is_model).differences == (
        Difference("body.proba[0]", json.dumps(AFTER_NEXT), json.dumps(P)),
    )


@pytest.mark.parametrize("name", ["decision", "raw_score", "margin"])
def test_raw_scores_must_be_equal(name):
    assert compared({name: [NEXT]}, {name: [P]}, is_model=True).differences


def test_other_fractions_of_a_handler_must_be_equal():
    assert compared({"price": NEXT}, {"price": P}).differences
    assert not compared({"prediction": NEXT}, {"prediction": P}, is_model=True).differences


@pytest.mark.parametrize(
    ("live", "local", "part"),
    [
        ({"label": "a"}, {"label": "b"}, "body.label"),
        ({"label": 1}, {"label": 2}, "body.label"),
        ({"label": True}, {"label": 1}, "body.label"),
        ({"a": 1}, {"a": 1, "b": None}, "body.b"),
        ([1, 2], [1], "body"),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, "body.a.b[1].c"),
        (b"plain", b"other", "body"),
        (b"<p>", {"a": 1}, "body"),
    ],
)
def test_what_differs_is_named(live, local, part):
    assert [each.part for each in compared(live, local).differences] == [part]


def test_spaces_and_the_order_of_keys_are_no_difference():
    assert compared(b'{"a":1,"b":2.0}', b'{"b": 2, "a": 1}').differences == ()


def test_status_and_the_models_version_are_compared():
    live, local = answer({}, 500), answer({}, **{"x-model-version": "2"})

    assert [each.part for each in agreement(live, local, is_model=True).differences] == ["status", "x-model-version"]


def test_what_differs_between_two_local_runs_is_not_compared():
    live, local, again = ({"at": at, "ids": {"x": at}, "label": "a"} for at in (1.0, 2.0, 3.0))

    found = agreement(answer(live), answer(local), answer(again), is_model=False)

    assert (found.differences, found.ignored) == ((), 2)
    assert agreement(answer({**live, "label": "b"}), answer(local), answer(again), is_model=False).differences
