"""A model function reads the events that AWS's own documents and recordings show."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bareboat.runtime.answers import Answers
from bareboat.runtime.function import ModelFunction
from bareboat.runtime.models import LoadedModel, only
from bareboat.runtime.signature import Feature, Signature

RECORDED = "tests/aws/services/apigateway/test_apigateway_lambda.py::"


class Sum:
    """A forest that adds up its row."""

    def answer(self, row: list[float]) -> tuple[list[float], int]:
        return [sum(row)], -1


def function(*names: str) -> ModelFunction:
    signature = Signature([Feature(name) for name in names], max_rows=1)
    answers = Answers(kind="value", n_classes=0, labels=None)
    forest: Any = Sum()
    return ModelFunction("predict", only(LoadedModel("predict", "5f0c0f2bd0ff", signature, answers, forest)))


def documented(oracle: Path) -> dict[str, dict[str, Any]]:
    """Return the sample events of HTTP that AWS's libraries ship, by file."""
    events = {}
    for folder in ("powertools", "lambda-go"):
        for path in sorted((oracle / folder).glob("*.json")):
            event = json.loads(path.read_text())
            if "requestContext" in event and "authorizer" not in path.name.lower():
                events[f"{folder}/{path.name}"] = event
    return events


def recorded(oracle: Path) -> dict[str, dict[str, Any]]:
    """Return the proxy events of a REST API that were recorded against the real AWS."""
    recordings = json.loads((oracle / "localstack" / "apigateway__test_apigateway_lambda.snapshot.json").read_text())
    return {
        name: entry
        for test in ("test_lambda_aws_proxy_integration", "test_lambda_aws_proxy_integration_non_post_method")
        for name, entry in recordings[RECORDED + test]["recorded-content"].items()
        if isinstance(entry, dict) and "requestContext" in entry
    }


def test_a_body_put_into_any_event_is_read_plain_and_in_base64(oracle: Path) -> None:
    events = documented(oracle) | recorded(oracle)
    assert len(events) > 30
    body = json.dumps({"x": 1, "y": 2})

    for name, event in events.items():
        encoded = {"body": base64.b64encode(body.encode()).decode(), "isBase64Encoded": True}
        for request in ({"body": body, "isBase64Encoded": False}, encoded):
            answer = function("x", "y").handle({**event, **request}, None)

            assert answer["statusCode"] == 200, name
            assert json.loads(answer["body"]) == {"prediction": 3.0}, name


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        # Payload 2.0 joins a parameter given twice with a comma: no number.
        (
            "powertools/apiGatewayProxyV2Event_GET.json",
            {"parameter1": 'the text "value1,value2"', "parameter2": 'the text "value"'},
        ),
        (
            "powertools/lambdaFunctionUrlEventWithHeaders.json",
            {"parameter1": 'the text "value1,value2"', "parameter2": 'the text "value"'},
        ),
    ],
)
def test_the_query_of_a_documented_get_is_the_row(oracle: Path, name: str, errors: dict[str, str]) -> None:
    event = documented(oracle)[name]

    answer = function("parameter1", "parameter2").handle(event, None)

    assert answer["statusCode"] == 400
    assert {error["field"]: error["found"] for error in json.loads(answer["body"])["errors"]} == errors


def test_a_parameter_that_payload_1_lists_twice_is_refused(oracle: Path) -> None:
    event = {**documented(oracle)["powertools/apiGatewayProxyEvent.json"], "body": None}
    assert event["multiValueQueryStringParameters"]["parameter1"] == ["value1", "value2"]

    answer = function("parameter1", "parameter2").handle(event, None)

    assert json.loads(answer["body"])["errors"] == [
        {"field": "parameter1", "found": "2 values", "expected": "one value"}
    ]


def test_an_event_without_a_body_and_without_a_query_is_a_400(oracle: Path) -> None:
    event = documented(oracle)["powertools/lambdaFunctionUrlEvent.json"]

    assert function("x").handle(event, None)["statusCode"] == 400


def test_the_answer_has_only_keys_that_a_rest_api_takes(oracle: Path) -> None:
    """An unknown key beside statusCode makes a REST API answer 502 (recorded 2024-11)."""
    path = oracle / "localstack" / "apigateway__test_apigateway_lambda.snapshot.json"
    cases = json.loads(path.read_text())[RECORDED + "test_aws_proxy_response_payload_format_validation"]
    assert cases["recorded-content"]["invoke-api-wrong-format"] == {"content": {"message": "Internal server error"}}

    for event in recorded(oracle).values():
        answer = function("x").handle({**event, "body": "[1]", "isBase64Encoded": False}, None)

        assert set(answer) <= {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
        assert answer["headers"] == {"content-type": "application/json", "x-model-version": "5f0c0f2bd0ff"}
