"""Several models behind one function: by path, by header, and in direct invocations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bareboat.errors import InputError

from .speaking import X_AND_Y, declared, function, model, send

SEVERAL = function(
    "several",
    model(X_AND_Y, name="churn", version="1"),
    model(X_AND_Y, name="churn", version="0"),
    model([declared("model"), declared("instances")], labels=["no", "yes"], name="fraud", version="9"),
    several=True,
)
ROW = '{"x": 1, "y": 2}'


def test_a_path_names_the_model_and_the_answer_its_version() -> None:
    status, answer, headers = send(SEVERAL, "/dev/models/churn", ROW)

    assert (status, answer, headers["x-model-version"]) == (200, {"prediction": 3.0}, "1")
    assert send(SEVERAL, "/models/fraud", "[1, 2]")[1] == {"proba": [0.25, 0.75], "label": "yes"}
    assert send(SEVERAL, "/models/churn", '{"instances": [[1, 2]]}')[1] == {"predictions": [{"prediction": 3.0}]}


def test_a_path_without_a_model_is_the_first_ones() -> None:
    assert send(SEVERAL, "/predict", ROW)[1] == {"prediction": 3.0}


def test_a_client_may_pin_a_version() -> None:
    status, _, headers = send(SEVERAL, "/models/churn", ROW, x_model_version="0")

    assert (status, headers["x-model-version"]) == (200, "0")
    status, answer, _ = send(SEVERAL, "/models/churn", ROW, x_model_version="7")
    assert status == 404
    assert answer["errors"] == [{"field": "x-model-version", "found": '"7"', "expected": "one of 1, 0"}]


def test_the_models_are_listed_and_each_says_what_it_takes() -> None:
    assert send(SEVERAL, "/models")[1] == {
        "default": "churn",
        "models": [
            {"name": "churn", "version": "1", "versions": ["1", "0"]},
            {"name": "fraud", "version": "9", "versions": ["9"]},
        ],
    }
    said = send(SEVERAL, "/models/fraud")[1]
    assert (said["name"], said["version"], said["labels"]) == ("fraud", "9", ["no", "yes"])
    assert [each["name"] for each in said["inputs"]] == ["model", "instances"]


def test_a_row_may_come_in_the_query_string() -> None:
    event = {
        "rawPath": "/models/churn",
        "requestContext": {"http": {"method": "GET"}},
        "queryStringParameters": {"x": "1", "y": "2"},
    }

    assert json.loads(SEVERAL.handle(event, None)["body"]) == {"prediction": 3.0}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/models/nobody", ROW, 404),
        ("/models/churn/more", ROW, 404),
        ("/models", ROW, 405),
        ("/models/churn", "{", 400),
    ],
)
def test_what_is_not_there_or_does_not_fit_says_so(path: str, body: str, status: int) -> None:
    found, answer, _ = send(SEVERAL, path, body)

    assert found == status
    assert answer["errors"]


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        ({"row": {"x": 1, "y": 2}}, {"prediction": 3.0}),
        ({"model": "churn", "version": "0", "row": [1, 2]}, {"prediction": 3.0}),
        ({"model": "churn", "instances": [[1, 2]]}, {"predictions": [{"prediction": 3.0}]}),
        ({"model": "fraud", "row": {"model": 1, "instances": 2}}, {"proba": [0.25, 0.75], "label": "yes"}),
        (
            {"model": "fraud", "instances": [{"model": 1, "instances": 2}]},
            {"predictions": [{"proba": [0.25, 0.75], "label": "yes"}]},
        ),
    ],
)
def test_a_direct_invocation_names_the_model_beside_its_rows(event: Any, answer: Any) -> None:
    assert SEVERAL.handle(event, None) == answer


@pytest.mark.parametrize(
    "event",
    [
        5,
        [1, 2],
        {"x": 1, "y": 2},
        {"model": "churn"},
        {"row": [1, 2], "instances": [[1, 2]]},
        {"model": 5, "row": [1, 2]},
        {"model": "nobody", "row": [1, 2]},
        {"model": "churn", "version": "7", "row": [1, 2]},
    ],
)
def test_a_direct_invocation_that_is_none_raises_what_is_wrong(event: Any) -> None:
    with pytest.raises(InputError):
        SEVERAL.handle(event, None)
