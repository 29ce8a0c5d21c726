"""Events of payload 2.0 and 1.0 and Function URLs in, the gateway's answer out."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bareboat.errors import InputError
from bareboat.runtime.events import document_of, is_http, response

V2 = {"version": "2.0", "requestContext": {"http": {"method": "POST", "path": "/predict"}}, "isBase64Encoded": False}
V1 = {"version": "1.0", "httpMethod": "POST", "requestContext": {"path": "/predict"}, "isBase64Encoded": False}


def refused(event: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InputError) as error:
        document_of(event)
    return {problem.where: problem.found for problem in error.value.problems}


@pytest.mark.parametrize("event", [V2, V1, {}])
def test_the_body_is_parsed_whatever_its_content_type_says(event: dict[str, Any]) -> None:
    for content_type in ("text/plain", "application/json; charset=utf-8"):
        given = {**event, "headers": {"content-type": content_type}, "body": '{"x": 1}'}

        assert document_of(given) == ({"x": 1}, False)


def test_a_body_in_base64_is_decoded() -> None:
    # curl -d without -H sends application/x-www-form-urlencoded, which gateways hand on as base64.
    body = base64.b64encode('{"é": 1}'.encode()).decode()

    assert document_of({**V2, "body": body, "isBase64Encoded": True}) == ({"é": 1}, False)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("e30", "text that is no base64"),
        ("e30=!", "text that is no base64"),
        ("é", "text that is no base64"),
        (base64.b64encode(b'{"a": "\xff"}').decode(), "a byte that is not UTF-8 at position 7"),
        (base64.b64encode('{"a": 1}'.encode("utf-16")).decode(), "a byte that is not UTF-8 at position 0"),
    ],
)
def test_base64_that_cannot_be_decoded_is_refused(body: str, found: str) -> None:
    assert refused({**V2, "body": body, "isBase64Encoded": True}) == {"body": found}


@pytest.mark.parametrize("event", [V2, {**V2, "body": None}, {**V1, "body": None}, {**V2, "body": ""}, {"body": None}])
def test_a_request_without_a_body_is_refused(event: dict[str, Any]) -> None:
    assert refused(event) == {"body": "nothing"}


@pytest.mark.parametrize(("body", "found"), [({"x": 1}, "an object"), (5, "5"), ([1], "a list")])
def test_a_body_that_is_no_text_is_refused(body: object, found: str) -> None:
    assert refused({"body": body}) == {"body": found}


@pytest.mark.parametrize("method", ["GET", "HEAD", "get"])
def test_the_query_of_a_get_is_an_object_of_texts(method: str) -> None:
    query = {"queryStringParameters": {"x": "1"}}

    assert document_of({**query, "requestContext": {"http": {"method": method}}}) == ({"x": "1"}, True)
    assert document_of({**query, "requestContext": {}, "httpMethod": method, "body": None}) == ({"x": "1"}, True)


def test_a_body_comes_before_the_query() -> None:
    event = {"requestContext": {"http": {"method": "GET"}}, "queryStringParameters": {"x": "1"}, "body": "[2]"}

    assert document_of(event) == ([2], False)


def test_the_query_of_a_post_is_no_row() -> None:
    assert refused({**V2, "queryStringParameters": {"x": "1"}}) == {"body": "nothing"}


def test_a_query_that_gives_a_name_twice_is_refused() -> None:
    event = {
        "httpMethod": "GET",
        "requestContext": {},
        "queryStringParameters": {"x": "2", "y": "3"},
        "multiValueQueryStringParameters": {"x": ["1", "2"], "y": ["3"]},
    }

    assert refused(event) == {"x": "2 values"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"requestContext": {}}, True),
        ({"body": "{}"}, True),
        ({"sepal length": 6}, False),
        ([6, 3, 5, 2], False),
        (None, False),
        ("body", False),
    ],
)
def test_an_event_of_a_gateway_has_a_request_context_or_a_body(event: object, expected: bool) -> None:
    assert is_http(event, knows_body=False) is expected


def test_a_feature_called_body_makes_an_event_with_a_body_a_row() -> None:
    assert not is_http({"body": 5}, knows_body=True)
    assert is_http({"body": "{}", "requestContext": {}}, knows_body=True)


def test_a_gateways_request_is_answered_with_a_content_type_and_a_bare_body_without() -> None:
    assert response({"body": "{}"}, 200, "[]") == {"statusCode": 200, "body": "[]"}
    assert response(V2, 400, "[]") == {"statusCode": 400, "body": "[]", "headers": {"content-type": "application/json"}}
