"""Events of queues, topics and buses: what a model function answers, which messages go back, what the log says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bareboat.errors import InputError, RemoteError
from bareboat.runtime.answers import Answers
from bareboat.runtime.function import ModelFunction
from bareboat.runtime.models import LoadedModel, only
from bareboat.runtime.signature import Feature, Signature

from .speaking import X_AND_Y, Sum, declared, function, model

GOOD = '{"x": 1, "y": 2}'


class Context:
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    def __init__(self, *left_ms: int) -> None:
        self._left_ms = list(left_ms)

    def get_remaining_time_in_millis(self) -> int:
        return self._left_ms.pop(0) if len(self._left_ms) > 1 else (self._left_ms or [10_000])[0]


def sqs(*bodies: Any, fifo: tuple[str, ...] = ()) -> dict[str, Any]:
    name = "rows.fifo" if fifo else "rows"
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "body": body,
                "attributes": {"MessageGroupId": fifo[number - 1]} if fifo else {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{name}",
            }
            for number, body in enumerate(bodies, 1)
        ]
    }


def own(**more: Any) -> ModelFunction:
    return ModelFunction("predict", only(model()), **more)


def failed(answer: Any) -> list[str]:
    assert set(answer) == {"batchItemFailures"}
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_message_is_answered_in_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(own().handle(sqs(GOOD, '{"instances": [[3, 4], [5, 6]]}'), Context())) == []

    one, two = lines(capsys)
    assert (one["level"], one["messageId"], one["rows"], one["prediction"]) == ("INFO", "m1", 1, {"prediction": 3.0})
    assert (two["messageId"], two["rows"]) == ("m2", 2)
    assert two["prediction"] == {"predictions": [{"prediction": 7.0}, {"prediction": 11.0}]}
    assert one["requestId"] == Context.aws_request_id


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{", "body"),
        ("", "body"),
        (None, "body"),
        ('{"x": 1}', "y"),
        ('{"x": 1, "y": "secret"}', "y"),
        ('{"x": 1, "x": 2, "y": 3}', "x"),
        ("[[1, 2]]", "body"),
        ('{"instances": []}', "instances"),
    ],
)
def test_a_bad_message_goes_back_alone_and_the_log_names_its_fields(
    body: Any, field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(own().handle(sqs(GOOD, body, GOOD), Context())) == ["m2"]

    (bad,) = [line for line in lines(capsys) if line["level"] == "WARNING"]
    assert (bad["messageId"], bad["status"]) == ("m2", 400)
    assert bad["fields"][0]["field"] == field
    assert "secret" not in json.dumps(bad)


def test_what_before_refuses_is_the_messages_own_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def before(document: Any) -> Any:
        if document == 0:
            raise InputError("no zero")
        return [document, document]

    assert failed(own(before=before).handle(sqs("1", "0", "2"), Context())) == ["m2"]
    assert [line.get("reason") for line in lines(capsys) if line["messageId"] == "m2"] == ["no zero"]


def test_an_after_function_with_a_second_parameter_gets_the_message() -> None:
    taken = []

    def after(answer: Any, message: Any = None) -> None:
        taken.append((message["messageId"], answer))

    assert failed(own(after=after).handle(sqs(GOOD, "[5, 5]"), Context())) == []
    assert taken == [("m1", {"prediction": 3.0}), ("m2", {"prediction": 10.0})]


def test_what_after_took_is_not_logged_and_what_it_returns_is(capsys: pytest.CaptureFixture[str]) -> None:
    own(after=lambda answer: None).handle(sqs(GOOD), Context())
    own(after=lambda answer: {"sum": answer["prediction"]}).handle(sqs(GOOD), Context())

    took, gave = lines(capsys)
    assert "prediction" not in took
    assert gave["prediction"] == {"sum": 3.0}


def test_a_message_whose_after_fails_goes_back_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def after(answer: Any) -> Any:
        return 1 / (answer["prediction"] - 3)

    assert failed(own(after=after).handle(sqs(GOOD, "[5, 5]", GOOD), Context())) == ["m1", "m3"]
    one, two = [line for line in lines(capsys) if line["level"] == "ERROR"]
    assert one["stackTrace"][-1] == "ZeroDivisionError: float division by zero"
    assert "stackTrace" not in two  # once is enough
    assert (two["messageId"], two["errorType"]) == ("m3", "ZeroDivisionError")


def test_a_function_that_fails_with_every_message_raises() -> None:
    def before(_: Any) -> Any:
        raise RemoteError("the table is away")

    with pytest.raises(RemoteError, match="away"):
        own(before=before).handle(sqs(GOOD, GOOD), Context())


def test_rows_that_are_all_wrong_are_no_failure_of_the_function() -> None:
    assert failed(own().handle(sqs("{", "{"), Context())) == ["m1", "m2"]


def test_messages_are_predicted_at_once_and_each_gets_its_own() -> None:
    sums = Sum(2, 0)
    calls: list[int] = []

    class Many(Sum):
        def answer_many(self, rows: Any) -> Any:
            calls.append(len(rows))
            return sums.answer_many(rows)

    signature = Signature([Feature("x"), Feature("y")], max_rows=5)
    answers = Answers(kind="value", n_classes=0, labels=None)
    loaded = LoadedModel("predict", "1", signature, answers, Many(2, 0))
    ModelFunction("predict", only(loaded)).handle(sqs(*["[1, 2]"] * 7), Context())

    assert calls == [5, 2]  # no more at once than a request may have


def test_a_row_that_breaks_the_model_takes_no_other_with_it() -> None:
    class Picky(Sum):
        def answer(self, row: Any) -> Any:
            if row[0] == 13:
                raise ValueError("thirteen")
            return super().answer(row)

    signature = Signature([Feature("x"), Feature("y")], max_rows=5)
    loaded = LoadedModel("p", "1", signature, Answers(kind="value", n_classes=0, labels=None), Picky(2, 0))
    answer = ModelFunction("predict", only(loaded)).handle(sqs("[1, 2]", "[13, 2]", "[3, 2]"), Context())

    assert failed(answer) == ["m2"]


def test_what_follows_a_failure_in_a_fifo_group_goes_back_with_it() -> None:
    taken: list[str] = []

    def after(_: Any, message: Any) -> None:
        taken.append(message["messageId"])

    event = sqs(GOOD, "{", GOOD, GOOD, GOOD, fifo=("a", "a", "a", "b", "b"))

    assert failed(own(after=after).handle(event, Context())) == ["m2", "m3"]
    assert taken == ["m1", "m4", "m5"]


def test_a_fifo_message_whose_after_fails_holds_what_follows() -> None:
    def after(answer: Any) -> Any:
        return 1 / (answer["prediction"] - 3)

    answer = own(after=after).handle(sqs("[5, 5]", GOOD, "[6, 6]", fifo=("a", "a", "a")), Context())

    assert failed(answer) == ["m2", "m3"]


def test_messages_that_there_is_no_time_for_go_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(own().handle(sqs(GOOD, GOOD, GOOD), Context(5000, 100))) == ["m2", "m3"]
    assert [line["status"] for line in lines(capsys)] == [200, 503, 503]


def test_a_message_that_a_topic_wrote_into_the_queue_is_unwrapped() -> None:
    wrapped = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": GOOD})

    assert failed(own().handle(sqs(wrapped), Context())) == []


def test_several_models_take_messages_as_direct_invocations(capsys: pytest.CaptureFixture[str]) -> None:
    churn, fraud = model(name="churn"), model([declared("z")], labels=["no", "yes"], name="fraud")
    several = function("several", churn, fraud, several=True)

    event = sqs('{"row": [1, 2]}', '{"model": "fraud", "row": [1]}', '{"model": "none", "row": [1]}', "[1, 2]")
    assert failed(several.handle(event, Context())) == ["m3", "m4"]

    by_id = {line["messageId"]: line for line in lines(capsys)}
    assert by_id["m2"]["prediction"] == {"proba": [0.25, 0.75], "label": "yes"}
    assert by_id["m3"]["status"] == 404


@pytest.mark.parametrize(
    ("protocol", "body", "said"),
    [
        ("mlflow", '{"inputs": [[1, 2]]}', {"predictions": [3.0]}),
        ("sagemaker", '{"instances": [[1, 2]]}', None),
        ("oip", '{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}', None),
    ],
)
def test_a_protocols_messages_are_bodies_of_its_requests(
    protocol: str, body: str, said: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    speaking = function(protocol, model(X_AND_Y))

    assert failed(speaking.handle(sqs(body, "{", body), Context())) == ["m2"]
    good = [line for line in lines(capsys) if line["level"] == "INFO"]
    assert len(good) == 2
    assert said is None or good[0]["prediction"] == said


def test_an_answer_that_is_too_long_for_a_line_is_parted(capsys: pytest.CaptureFixture[str]) -> None:
    signature = Signature([Feature("x"), Feature("y")], max_rows=100_000)
    loaded = LoadedModel("p", "1", signature, Answers(kind="value", n_classes=0, labels=None), Sum(2, 0))
    body = json.dumps({"instances": [[number, 0.5] for number in range(20_000)]})

    ModelFunction("predict", only(loaded)).handle(sqs(body), Context())

    out = capsys.readouterr().out.splitlines()
    parts = [json.loads(line) for line in out]
    assert len(parts) > 1
    assert max(map(len, out)) < 256_000
    predictions = [each for part in parts for each in part["prediction"]["predictions"]]
    assert [each["prediction"] for each in predictions] == [number + 0.5 for number in range(20_000)]
    assert [part["firstRow"] for part in parts][:2] == [0, len(parts[0]["prediction"]["predictions"])]


def test_a_topics_notification_is_answered_and_the_answer_returned(capsys: pytest.CaptureFixture[str]) -> None:
    event = {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "n1", "Message": GOOD}}]}

    assert own().handle(event, Context()) == {"prediction": 3.0}
    assert lines(capsys)[0]["messageId"] == "n1"


def test_a_topics_bad_notification_raises_so_that_lambda_tries_again(capsys: pytest.CaptureFixture[str]) -> None:
    event = {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "n1", "Message": "{"}}]}

    with pytest.raises(InputError):
        own().handle(event, Context())
    assert lines(capsys)[0]["messageId"] == "n1"


def test_the_detail_of_a_buss_event_is_the_document() -> None:
    event = {"version": "0", "id": "e1", "detail-type": "Row", "source": "shop", "detail": {"x": 1, "y": 2}}

    assert own().handle(event, Context()) == {"prediction": 3.0}
    assert function("mlflow", model()).handle({**event, "detail": {"inputs": [[1, 2]]}}, Context()) == {
        "predictions": [3.0]
    }


def test_a_row_with_such_names_stays_a_row() -> None:
    odd = ModelFunction("predict", only(model([declared("detail-type"), declared("source"), declared("Records")])))

    assert odd.handle({"detail-type": 1, "source": 2, "Records": 3}, Context()) == {"prediction": 6.0}


def test_a_batch_without_ids_fails_whole() -> None:
    event = sqs(GOOD)
    del event["Records"][0]["messageId"]

    with pytest.raises(InputError, match="messageId"):
        own().handle(event, Context())
