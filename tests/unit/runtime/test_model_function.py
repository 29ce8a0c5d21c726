"""A model function: an event in, an answer and one log line out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bareboat.errors import ArtifactError, InputError
from bareboat.runtime.answers import Answers
from bareboat.runtime.function import ModelFunction, load_function
from bareboat.runtime.models import LoadedModel, only
from bareboat.runtime.signature import Feature, Signature

ROW = {"a": 1, "b": 2}


class FakeForest:
    """Predicts what it is told to, and remembers the rows."""

    def __init__(self, outputs: Sequence[float]) -> None:
        self.outputs = list(outputs)
        self.rows: list[list[float]] = []

    def answer(self, row: list[float]) -> tuple[list[float], int]:
        self.rows.append(row)
        return self.outputs, -1

    def answer_many(self, rows: list[list[float]]) -> list[tuple[list[float], int]]:
        return [self.answer(row) for row in rows]


class Context:
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def function(
    outputs: Sequence[float] = (0.25, 0.75),
    *,
    labels: list[Any] | None = None,
    before: Callable[[Any], Any] | None = None,
    after: Callable[[Any], Any] | None = None,
    forest: Any = None,
) -> ModelFunction:
    answers = Answers(kind="proba" if len(outputs) > 1 else "value", n_classes=len(outputs), labels=labels)
    signature = Signature([Feature("a"), Feature("b", ["b_own"])], max_rows=5)
    model = LoadedModel("predict", "5f0c0f2bd0ff", signature, answers, forest or FakeForest(outputs))
    return ModelFunction("predict", only(model), before=before, after=after)


def rows_of(predict: ModelFunction) -> list[list[float]]:
    rows: list[list[float]] = predict.models.get("predict").predictor.rows
    return rows


def log_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def post(function: ModelFunction, document: object) -> tuple[int, Any]:
    answer = function.handle({"body": json.dumps(document)}, Context())
    assert set(answer) == {"statusCode", "body"}
    return answer["statusCode"], json.loads(answer["body"])


def test_a_classifier_answers_with_probabilities_and_the_label() -> None:
    assert post(function(labels=["no", "yes"]), ROW) == (200, {"proba": [0.25, 0.75], "label": "yes"})


def test_a_classifier_without_labels_answers_with_the_class_index() -> None:
    assert post(function(), ROW) == (200, {"proba": [0.25, 0.75], "label": 1})


def test_the_first_of_equal_probabilities_gives_the_label() -> None:
    assert post(function((0.5, 0.5), labels=["no", "yes"]), ROW)[1]["label"] == "no"


def test_a_regressor_answers_with_a_prediction() -> None:
    assert post(function((0.1,)), ROW) == (200, {"prediction": 0.1})


def test_the_answers_to_many_rows_are_those_to_single_ones() -> None:
    predict = function(labels=["no", "yes"])

    status, answer = post(predict, {"instances": [ROW, [3, 4]]})

    assert (status, answer) == (200, {"predictions": [post(predict, ROW)[1]] * 2})
    assert rows_of(predict)[:2] == [[1.0, 2.0], [3.0, 4.0]]


def test_a_direct_invocation_is_answered_plainly() -> None:
    assert function(labels=["no", "yes"]).handle(ROW, Context()) == {"proba": [0.25, 0.75], "label": "yes"}
    assert function().handle([1, 2], Context())["label"] == 1


def test_a_direct_invocation_that_does_not_fit_raises_the_fields() -> None:
    with pytest.raises(InputError) as refused:
        function().handle({"a": "x", "c": 1}, Context())

    assert type(refused.value).__name__ == "InputError"
    for field in ("a: ", "b: ", "c: "):
        assert field in str(refused.value)


def test_a_direct_invocation_that_fails_hands_no_stack_to_the_caller() -> None:
    def before(payload: object) -> object:
        if payload == 1:
            raise InputError("one")
        raise ValueError("broken")

    for payload, kind in ((1, InputError), (2, ValueError)):
        with pytest.raises(kind) as failed:
            function(before=before).handle(payload, Context())
        # pytest's frame, and the one of `handle` that raises
        assert [entry.name for entry in failed.traceback][1:] == ["handle"]


def test_a_row_that_does_not_fit_is_a_400_that_names_each_field(capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = post(function(), {"a": "x", "c": 1})

    assert status == 400
    assert answer == {
        "message": "3 fields are wrong",
        "errors": [
            {"field": "a", "found": 'the text "x"', "expected": "a number"},
            {"field": "c", "found": "an unknown feature", "expected": "one of a, b"},
            {"field": "b", "found": "nothing", "expected": "a number"},
        ],
    }
    line = log_of(capsys)
    assert (line["level"], line["status"], line["errors"]) == ("WARNING", 400, 3)


def test_the_body_of_a_400_is_bounded() -> None:
    status, answer = post(function(), {f"{number}{'k' * 9999}": "v" * 9999 for number in range(1000)})

    assert status == 400
    assert len(answer["errors"]) == 100
    assert len(json.dumps(answer)) < 40_000


def test_each_request_writes_one_json_line_without_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    function().handle({"body": '{"a": 12345.5, "b": 2}', "headers": {"authorization": "secret"}}, Context())

    line = log_of(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("durationMs") >= 0
    assert line == {
        "level": "INFO",
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "function": "predict",
        "status": 200,
        "rows": 1,
    }


def test_a_call_without_a_context_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert function().handle(ROW, None)["label"] == 1
    assert log_of(capsys)["requestId"] == ""


def test_before_turns_the_document_into_a_row_and_after_the_answer_into_what_is_sent() -> None:
    seen: list[object] = []

    def before(payload: Any) -> Any:
        seen.append(payload)
        return {"a": payload["inches"] * 2.54, "b": 0}

    def after(answer: Any) -> Any:
        seen.append(answer)
        return [answer["label"]]

    predict = function(before=before, after=after)

    assert post(predict, {"inches": 2}) == (200, [1])
    assert seen == [{"inches": 2}, {"proba": [0.25, 0.75], "label": 1}]
    assert rows_of(predict) == [[5.08, 0.0]]


def test_before_may_make_many_rows_of_one_document_and_after_is_given_the_predictions() -> None:
    predict = function(
        before=lambda payload: {"instances": [[n, n] for n in payload]}, after=lambda answer: len(answer["predictions"])
    )

    assert post(predict, [1, 2, 3]) == (200, 3)


def test_an_input_error_of_before_is_a_400() -> None:
    def refuse(_payload: Any) -> Any:
        raise InputError("there is no customer 7")

    def refuse_field(_payload: Any) -> Any:
        raise InputError("7", expected="a known customer", where="customer")

    assert post(function(before=refuse), ROW) == (400, {"message": "there is no customer 7"})
    assert post(function(before=refuse_field), ROW) == (
        400,
        {"message": "7", "errors": [{"field": "customer", "found": "7", "expected": "a known customer"}]},
    )


@pytest.mark.parametrize("returned", [None, 5, "text", b"bytes", {1, 2}])
def test_before_that_returns_no_document_is_a_500(returned: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert post(function(before=lambda _: returned), ROW) == (500, {"message": "Internal Server Error"})
    assert "expected a dict or a list" in "".join(log_of(capsys)["stackTrace"])


def test_a_key_given_twice_never_reaches_before() -> None:
    def before(_payload: Any) -> Any:
        raise AssertionError

    answer = function(before=before).handle({"body": '{"x": [{"y": 1, "y": 2}]}'}, Context())

    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["errors"][0]["field"] == "x[0].y"


@pytest.mark.parametrize("where", ["before", "after"])
def test_an_exception_of_a_wrapper_is_a_500_whose_trace_is_only_in_the_log(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_value: Any) -> Any:
        raise KeyError("inches")

    predict = function(before=fail) if where == "before" else function(after=fail)
    answer = predict.handle({"body": json.dumps(ROW), "requestContext": {}}, Context())

    assert answer == {
        "statusCode": 500,
        "body": '{"message": "Internal Server Error"}',
        "headers": {"content-type": "application/json"},
    }
    line = log_of(capsys)
    assert (line["level"], line["status"], line["errorType"]) == ("ERROR", 500, "KeyError")
    assert line["requestId"] == Context.aws_request_id
    assert line["stackTrace"][0] == "Traceback (most recent call last):"
    assert line["stackTrace"][-1] == "KeyError: 'inches'"


def test_an_exception_of_a_direct_invocation_reaches_lambda(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_value: Any) -> Any:
        raise KeyError("inches")

    with pytest.raises(KeyError):
        function(before=fail).handle(ROW, Context())
    assert log_of(capsys)["errorType"] == "KeyError"


@pytest.mark.parametrize("answer", [{1, 2}, object(), float("nan"), b"x", {"x": float("inf")}])
def test_what_after_returns_must_be_json(answer: object) -> None:
    assert post(function(after=lambda _: answer), ROW) == (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize("event", [{"body": json.dumps(ROW)}, ROW])
def test_a_prediction_that_is_no_finite_number_is_never_sent(event: Any) -> None:
    predict = function((float("inf"),))

    if "body" in event:
        assert predict.handle(event, Context())["statusCode"] == 500
    else:
        with pytest.raises(ValueError, match="no JSON"):
            predict.handle(event, Context())


def test_an_answer_that_lambda_would_not_carry_is_a_400_that_says_how_many_rows_fit() -> None:
    predict = function(after=lambda _: "x" * 7_000_000)

    status, answer = post(predict, {"instances": [ROW] * 5})

    assert status == 400
    assert answer["errors"] == [
        {
            "field": "instances",
            "found": "5 rows, whose answer takes 7.0 MB",
            "expected": "at most 6.29 MB, about 4 rows",
        }
    ]


def test_labels_that_do_not_fit_the_forest_are_refused() -> None:
    with pytest.raises(ArtifactError, match="3 labels for a model of 2 classes"):
        Answers(kind="proba", n_classes=2, labels=["a", "b", "c"])


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"format": 1}'])
def test_a_function_json_that_cannot_be_read_is_an_artifact_error(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / ".bareboat").mkdir()
        (tmp_path / ".bareboat" / "function.json").write_text(content)

    with pytest.raises(ArtifactError) as refused:
        load_function(str(tmp_path))

    assert refused.value.problems[0].where == str(tmp_path / ".bareboat" / "function.json")


def test_an_answer_through_a_gateway_says_which_version_gave_it() -> None:
    answer = function().handle({"body": json.dumps(ROW), "requestContext": {}}, Context())

    assert answer["headers"] == {"content-type": "application/json", "x-model-version": "5f0c0f2bd0ff"}


@pytest.mark.parametrize("name", ["x-model-version", "X-Model-Version"])
def test_a_version_that_is_not_there_is_a_404_that_names_those_that_are(name: str) -> None:
    refused = function().handle({"body": json.dumps(ROW), "headers": {name: "0000"}}, Context())
    answered = function().handle({"body": json.dumps(ROW), "headers": {name: "5f0c0f2bd0ff"}}, Context())

    assert refused["statusCode"] == 404
    assert json.loads(refused["body"])["errors"] == [
        {"field": "x-model-version", "found": '"0000"', "expected": "one of 5f0c0f2bd0ff"}
    ]
    assert answered["statusCode"] == 200
