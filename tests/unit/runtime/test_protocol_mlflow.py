"""MLflow's scoring protocol: every format of a request, and what is wrong with others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .speaking import X_AND_KIND, X_AND_Y, declared, function, model, send

JSON = "application/json"
REGRESSOR = function("mlflow", model(X_AND_Y))
CLASSIFIER = function("mlflow", model(X_AND_Y, labels=["no", "yes"]))
MIXED = function("mlflow", model(X_AND_KIND))


def ask(asked: Any, body: object, content_type: str = JSON) -> tuple[int, Any]:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return send(asked, "/invocations", text, content_type=content_type)[:2]


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2], [3, 4]]}},
        {"dataframe_split": {"index": [7, 8], "columns": ["y", "x"], "data": [[2, 1], [4, 3]]}},
        {"dataframe_split": {"data": [[1, 2], [3, 4]]}},
        {"dataframe_records": [{"x": 1, "y": 2}, {"y": 4, "x": 3}]},
        {"instances": [[1, 2], [3, 4]]},
        {"instances": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]},
        {"inputs": [[1, 2], [3, 4]]},
        {"inputs": {"x": [1, 3], "y": [2, 4]}},
        {"inputs": {"x": [[1], [3]], "y": [2, 4]}},
        {"inputs": [[1, 2], [3, 4]], "params": {}},
        {"inputs": [[1, 2], [3, 4]], "params": None},
    ],
)
def test_every_format_of_json_is_answered(body: object) -> None:
    assert ask(REGRESSOR, body) == (200, {"predictions": [3.0, 7.0]})


@pytest.mark.parametrize(
    "text", ["x,y\n1,2\n3,4\n", "y,x\r\n2,1\r\n4,3", '\ufeff"x","y"\n1, 2\n+3,4.\n\n'], ids=["plain", "crlf", "bom"]
)
def test_csv_has_a_header(text: str) -> None:
    assert ask(REGRESSOR, text, "text/csv") == (200, {"predictions": [3.0, 7.0]})
    assert ask(REGRESSOR, text.encode(), "text/csv; charset=utf-8") == (200, {"predictions": [3.0, 7.0]})


def test_a_classifier_answers_its_labels_and_probabilities_when_it_is_asked_for_them() -> None:
    rows = {"inputs": [[1, 2], [-3, 0]]}

    assert ask(CLASSIFIER, rows) == (200, {"predictions": ["yes", "no"]})
    assert ask(CLASSIFIER, {**rows, "params": {"pyfunc_predict_fn": "predict_proba"}}) == (
        200,
        {"predictions": [[0.25, 0.75], [1.0, 0.0]]},
    )


def test_texts_and_missing_values_are_those_of_pandas() -> None:
    expected = (200, {"predictions": [1.0, 2.0, -1.0]})

    assert ask(MIXED, "x,kind\n0,b\n2,a\nNaN,other\n", "text/csv") == expected
    assert ask(MIXED, '{"dataframe_split": {"columns": ["x", "kind"], "data": [[0, "b"], [2, "a"], [NaN, "c"]]}}') == (
        expected
    )


def test_booleans_are_written_as_pandas_writes_them() -> None:
    asked = function("mlflow", model([declared("x"), declared("b", "bool")]))

    assert ask(asked, "b,x\nTrue,1\nFalse,2\ntrue,3\n", "text/csv") == (200, {"predictions": [2.0, 2.0, 4.0]})


def test_one_feature_needs_no_lists() -> None:
    one = function("mlflow", model([declared("x")]))

    assert ask(one, {"inputs": [1, 2]}) == (200, {"predictions": [1.0, 2.0]})


@pytest.mark.parametrize(("path", "body"), [("/ping", "\n"), ("/health", "\n"), ("/dev/base/ping", "\n")])
def test_it_says_that_it_is_there(path: str, body: str) -> None:
    assert send(REGRESSOR, path)[:2] == (200, body)


def test_the_answer_names_the_version() -> None:
    status, _, headers = send(REGRESSOR, "/v1/invocations", '{"inputs": [[1, 2]]}', content_type=JSON)

    assert status == 200
    assert headers == {"content-type": JSON, "x-model-version": "5f0c0f2bd0ff"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "nothing"),
        ("{", "no JSON"),
        ("[[1, 2]]", "exactly one of dataframe_split"),
        ({"x": 1}, "exactly one of dataframe_split"),
        ({"inputs": [[1, 2]], "instances": [[1, 2]]}, "instances and inputs"),
        ({"inputs": [[1, 2]], "more": 1}, "the key more"),
        ({"inputs": []}, "an empty list"),
        ({"inputs": 5}, "a list of rows or an object of columns"),
        ({"inputs": [1, 2]}, "an object of features or a list of 2 values"),
        ({"inputs": [[1, 2], [1]]}, "inputs[1]: found a list of 1 values"),
        ({"inputs": {}}, "no column"),
        ({"inputs": {"x": [1], "y": [1, 2]}}, "inputs.y: found 2 values"),
        ({"inputs": {"x": [1], "y": 1}}, "inputs.y"),
        ({"inputs": {"x": [1], "z": [1]}}, "inputs[0].z: found an unknown feature"),
        ({"inputs": [[1, 2]] * 11}, "at most 10"),
        ({"inputs": [["1", 2]]}, 'inputs[0][0]: found the text "1"'),
        ({"dataframe_split": []}, "an object with columns and data"),
        ({"dataframe_split": {"columns": ["x", "z"], "data": [[1, 2]]}}, "dataframe_split.columns[1]"),
        ({"dataframe_split": {"columns": ["x", "x"], "data": [[1, 2]]}}, "a second time"),
        ({"dataframe_split": {"columns": ["x", 5], "data": [[1, 2]]}}, "dataframe_split.columns[1]: found 5"),
        ({"dataframe_split": {"columns": ["x", "y"], "data": [[1, 2], [1], 7]}}, "row 1: found 1 values"),
        ({"dataframe_split": {"columns": "x", "data": [[1, 2]]}}, "a list of names"),
        ({"dataframe_split": {"columns": ["x"], "data": [[1]]}}, "y: found nothing"),
        ({"dataframe_records": {"x": 1}}, "a list of rows"),
        ('{"inputs": [[1, 2]], "inputs": [[1, 2]]}', "more than once"),
        ({"inputs": [[1, 2]], "params": {"alpha": 1}}, "alpha: 1"),
        ({"inputs": [[1, 2]], "params": {"pyfunc_predict_fn": "predict_proba"}}, "pyfunc_predict_fn: predict, or no"),
        ({"inputs": [[1, 2]], "params": [1]}, "params"),
    ],
)
def test_what_does_not_fit_is_a_400_in_the_words_of_mlflow(body: object, says: str) -> None:
    status, answer = ask(REGRESSOR, body)

    assert status == 400
    assert answer["error_code"] in ("BAD_REQUEST", "INVALID_PARAMETER_VALUE")
    assert says in answer["message"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing"),
        ("x,y\n1\n", "1 cells in line 2"),
        ("x,y\n1,2,3\n", "3 cells in line 2"),
        ("x,z\n1,2\n", "column[1]"),
        ('x,y\n"1,2\n', "no CSV"),
        ("x,y\n1,a\n", 'the text "a"'),
        ("x,y\n1,\n", "row[0]"),
        ("x,y\n", "an empty list"),
        (b"x,y\n\xff,2\n", "not UTF-8"),
    ],
)
def test_csv_that_does_not_fit_is_a_400(text: str | bytes, says: str) -> None:
    status, answer = ask(REGRESSOR, text, "text/csv")

    assert status == 400
    assert says in answer["message"]


@pytest.mark.parametrize(
    "content_type", ["application/parquet", "text/csv; header=1", "application/json; format=split"]
)
def test_other_types_are_a_415(content_type: str) -> None:
    assert ask(REGRESSOR, "{}", content_type)[0] == 415


def test_other_paths_and_methods_say_what_there_is() -> None:
    assert send(REGRESSOR, "/nowhere")[0] == 404
    assert "/invocations" in send(REGRESSOR, "/nowhere")[1]["message"]
    assert send(REGRESSOR, "/invocations")[0] == 405
    assert send(REGRESSOR, "/ping", "")[0] == 405


def test_a_direct_invocation_is_bareboats_own() -> None:
    assert REGRESSOR.handle({"x": 1, "y": 2}, None) == {"prediction": 3.0}


def test_a_failure_is_a_500_without_its_reason() -> None:
    broken = model(X_AND_Y)
    broken.predictor.answer = None

    assert ask(function("mlflow", broken), {"inputs": [[1, 2]]}) == (
        500,
        {"error_code": "INTERNAL_ERROR", "message": "Internal Server Error"},
    )
