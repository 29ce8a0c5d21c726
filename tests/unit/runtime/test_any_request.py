"""Whatever a client sends, it gets a 200 or a 400 that names something: never a 500, never an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.errors import InputError
from bareboat.runtime.answers import Answers
from bareboat.runtime.function import ModelFunction
from bareboat.runtime.models import LoadedModel, only
from bareboat.runtime.signature import Feature, Signature
from bareboat.runtime.typed import TypedFeature

NAMES = ["a", "b b", "c.own", "kind", "instances", "body"]
FEATURES = [
    Feature("a", ["c.own"]),
    Feature("b b", nullable=True),
    TypedFeature("kind", dtype="category", values=["x", "y", 3, 2.5, True], nullable=True),
]
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, 1, 2.5, 3, 10**400, -(10**400)]))
VALUES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=5), st.sampled_from(["x", "y", "NaN", "1"]))
KEYS = st.one_of(st.sampled_from(NAMES), st.text(max_size=5))
DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
ROWS = st.fixed_dictionaries({}, optional={"a": VALUES, "b b": VALUES, "kind": VALUES, "c.own": VALUES})
SENT = st.one_of(DOCUMENTS, ROWS, st.builds(lambda rows: {"instances": rows}, st.lists(st.one_of(ROWS, DOCUMENTS))))


class Forest:
    """Predicts the number of the row's values, having looked at each."""

    def answer(self, row: list[float]) -> tuple[list[float], int]:
        assert [type(value) for value in row] == [float, float, float]
        assert all(value == value or place for place, value in enumerate(row))  # NaN only where it may be null
        assert all(abs(value) != float("inf") for value in row)
        return [float(len(row))], -1

    def answer_many(self, rows: list[list[float]]) -> list[tuple[list[float], int]]:
        return [self.answer(row) for row in rows]


def function(**wrappers: Any) -> ModelFunction:
    forest: Any = Forest()
    answers = Answers(kind="value", n_classes=0, labels=None)
    model = LoadedModel("predict", "5f0c0f2bd0ff", Signature(FEATURES, 4), answers, forest)
    return ModelFunction("predict", only(model), **wrappers)


def check(answer: Any) -> None:
    assert answer["statusCode"] in (200, 400)
    body = json.loads(answer["body"], parse_constant=lambda literal: 1 / 0)
    answer["body"].encode("utf-8")
    if answer["statusCode"] == 400:
        assert body["message"]
        assert 0 < len(body["errors"]) <= 100
        assert all(set(error) == {"field", "found", "expected"} for error in body["errors"])
        assert all(error["found"] and error["expected"] for error in body["errors"])


@given(document=SENT)
def test_any_document_is_answered_or_refused(document: object) -> None:
    body = json.dumps(document)

    check(function().handle({"body": body}, None))
    check(function(before=lambda payload: {"instances": [payload]}).handle({"body": body}, None))


@given(document=SENT)
def test_any_event_of_a_direct_invocation_is_answered_or_refused(document: Any) -> None:
    predict = function()
    refused: list[InputError] = []
    answer: Any = None
    try:
        answer = predict.handle(document, None)
    except InputError as error:
        refused.append(error)

    for error in refused:
        str(error).encode("utf-8")
        assert all(problem.where and problem.found and problem.expected for problem in error.problems)
    if not refused and isinstance(document, dict) and "body" in document:
        check(answer)


@given(body=st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))), is_base64=st.booleans())
def test_any_text_is_answered_or_refused(body: str, is_base64: bool) -> None:
    check(function().handle({"body": body, "isBase64Encoded": is_base64, "requestContext": {}}, None))


@given(
    event=st.fixed_dictionaries(
        {"requestContext": st.one_of(DOCUMENTS, st.just({"http": {"method": "GET"}}))},
        optional={
            "httpMethod": DOCUMENTS,
            "body": st.one_of(DOCUMENTS, st.none()),
            "isBase64Encoded": DOCUMENTS,
            "queryStringParameters": st.one_of(DOCUMENTS, st.dictionaries(KEYS, st.text(max_size=5))),
            "multiValueQueryStringParameters": DOCUMENTS,
        },
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_an_event_of_any_shape_is_answered_or_refused(event: dict[str, Any]) -> None:
    check(function().handle(event, None))
