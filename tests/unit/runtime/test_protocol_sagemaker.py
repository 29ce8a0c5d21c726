"""SageMaker's protocol: CSV, JSON and JSON lines, in and out."""

from __future__ import annotations

from typing import Any

import pytest

from .speaking import X_AND_KIND, X_AND_Y, function, model, send

REGRESSOR = function("sagemaker", model(X_AND_Y))
CLASSIFIER = function("sagemaker", model(X_AND_Y, labels=["no", 'y"e,s']))
MIXED = function("sagemaker", model(X_AND_KIND))
LINES = "application/jsonlines"


def ask(asked: Any, body: str | bytes, **headers: str) -> tuple[int, Any, str]:
    status, answer, found = send(asked, "/endpoints/e/invocations", body, **headers)
    return status, answer, found["content-type"]


def test_csv_without_a_header_is_answered_a_line_a_row() -> None:
    assert ask(REGRESSOR, "1,2\n3,4\r\n", content_type="text/csv") == (200, "3.0\n7.0\n", "text/csv")
    assert ask(CLASSIFIER, "1,2\n-3,0\n", content_type="text/csv") == (200, '"y""e,s"\nno\n', "text/csv")
    assert ask(MIXED, "0,b\n,a", content_type="text/csv") == (200, "1.0\n0.0\n", "text/csv")


@pytest.mark.parametrize(
    "body",
    [
        '{"instances": [{"features": [1, 2]}, {"features": [3, 4]}]}',
        '{"instances": [[1, 2], {"x": 3, "y": 4}]}',
        '{"instances": [{"data": {"features": {"values": [1, 2]}}}, [3, 4]]}',
        "[[1, 2], [3, 4]]",
    ],
)
def test_json_is_answered_as_the_built_in_algorithms_do(body: str) -> None:
    assert ask(REGRESSOR, body, content_type="application/json") == (
        200,
        {"predictions": [{"score": 3.0}, {"score": 7.0}]},
        "application/json",
    )


@pytest.mark.parametrize(
    "body", ["[1, 2]", '{"x": 1, "y": 2}', '{"features": [1, 2]}', '{"features": {"x": 1, "y": 2}}']
)
def test_one_row_is_one_prediction(body: str) -> None:
    assert ask(CLASSIFIER, body, content_type="application/json")[1] == {
        "predictions": [{"score": 0.75, "predicted_label": 'y"e,s'}]
    }


def test_json_lines_are_answered_with_lines() -> None:
    assert ask(REGRESSOR, '{"features": [1, 2]}\n\n[3, 4]\n', content_type=LINES) == (
        200,
        '{"score": 3.0}\n{"score": 7.0}\n',
        LINES,
    )


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/json", "application/json"),
        ("*/*", "text/csv"),
        ("image/png, application/jsonlines;q=0.5", LINES),
        ("text/*", "text/csv"),
        ("application/*", "application/json"),
    ],
)
def test_the_client_chooses_the_type_of_the_answer(accept: str, content_type: str) -> None:
    assert ask(REGRESSOR, "1,2\n", content_type="text/csv", accept=accept)[2] == content_type


def test_without_a_type_the_body_tells() -> None:
    assert ask(REGRESSOR, b"1,2\n")[2] == "text/csv"
    assert ask(REGRESSOR, b"[1, 2]")[2] == "application/json"


def test_it_says_that_it_is_there() -> None:
    assert send(REGRESSOR, "/ping")[:2] == (200, "")


def test_the_target_model_and_its_version_are_chosen_by_headers() -> None:
    several = function(
        "sagemaker",
        model(X_AND_Y, name="a", version="1"),
        model(X_AND_Y, labels=["n", "y"], name="b", version="1"),
        several=True,
    )

    assert ask(several, "1,2\n", content_type="text/csv")[1] == "3.0\n"
    assert ask(several, "1,2\n", content_type="text/csv", x_amzn_sagemaker_target_model="b")[1] == "y\n"
    assert ask(several, "1,2\n", content_type="text/csv", x_amzn_sagemaker_target_model="c")[0] == 404


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        ("1\n", "text/csv", "1 cells a line"),
        ("1,2\n3\n", "text/csv", "1 cells in line 2"),
        ("x,y\n1,2\n", "text/csv", "row[0][0]"),
        ("", "text/csv", "nothing"),
        ("5", "application/json", "an object with instances"),
        ("{", "application/json", "no JSON"),
        ('{"instances": 5}', "application/json", "a list of rows"),
        ('{"instances": [[1, 2]], "x": 1}', "application/json", "instances alone"),
        ('{"instances": [[1]]}', "application/json", "row[0]"),
        ("[1, 2]\n{\n", LINES, "line 2"),
        (b"\xff", "text/csv", "UTF-8"),
    ],
)
def test_what_does_not_fit_is_a_400(body: str | bytes, content_type: str, says: str) -> None:
    status, answer, _ = ask(REGRESSOR, body, content_type=content_type)

    assert status == 400
    assert says in str(answer)


def test_other_types_are_refused() -> None:
    assert ask(REGRESSOR, "x", content_type="application/x-npy")[0] == 415
    assert ask(REGRESSOR, "1,2", content_type="text/csv", accept="image/png")[0] == 406
    assert send(REGRESSOR, "/models")[0] == 404
