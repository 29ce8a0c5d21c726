"""Which answers count as the same."""

from __future__ import annotations

import json
import math

import pytest

from bareboat.aws.agreement import Answer, Difference, agreement, is_transformed


def answer(body, status=200, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, raw, headers)


def compared(live, local, *, transformed=False):
    return agreement(answer(live), answer(local), is_transformed=transformed)


P = 0.7161854371350332
NEXT = math.nextafter(P, 1.0)
AFTER_NEXT = math.nextafter(NEXT, 1.0)


@pytest.mark.parametrize("transformed", [True, False])
def test_probabilities_may_be_off_by_one_ulp_and_no_more(transformed):
    assert compared({"proba": [NEXT]}, {"proba": [P]}, transformed=transformed).off_by_one == 1
    assert compared({"proba": [NEXT]}, {"proba": [P]}, transformed=transformed).differences == ()
    assert compared({"proba": [AFTER_NEXT]}, {"proba": [P]}, transformed=transformed).differences == (
        Difference("body.proba[0]", json.dumps(AFTER_NEXT), json.dumps(P)),
    )


@pytest.mark.parametrize("name", ["decision", "raw_score", "margin"])
def test_raw_scores_must_be_equal(name):
    assert compared({name: [NEXT]}, {name: [P]}, transformed=True).differences


def test_other_fractions_of_a_handler_must_be_equal():
    assert compared({"price": NEXT}, {"price": P}).differences
    assert not compared({"prediction": NEXT}, {"prediction": P}, transformed=True).differences


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

    assert [each.part for each in agreement(live, local, is_transformed=True).differences] == [
        "status",
        "x-model-version",
    ]


def test_what_differs_between_two_local_runs_is_not_compared():
    live, local, again = ({"at": at, "ids": {"x": at}, "label": "a"} for at in (1.0, 2.0, 3.0))

    found = agreement(answer(live), answer(local), answer(again), is_transformed=False)

    assert (found.differences, found.ignored) == ((), 2)
    assert agreement(answer({**live, "label": "b"}), answer(local), answer(again), is_transformed=False).differences


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"engine": "forest", "kind": "proba", "model": {"objective": "multiclass"}}, True),
        ({"engine": "forest", "kind": "value", "model": {"objective": "regression"}}, False),
        ({"engine": "forest", "kind": "value", "model": {"objective": "count:poisson"}}, True),
        ({"engine": "forest", "kind": "decision", "model": {}}, False),
        ({"engine": "onnx", "kind": "value", "model": {}}, True),
    ],
)
def test_only_what_comes_out_of_a_transform_may_be_off(document, expected):
    assert is_transformed({"models": {"m": {"1": document}}}) is expected
