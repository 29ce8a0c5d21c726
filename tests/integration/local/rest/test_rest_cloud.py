"""The REST API over the wire, with real processes behind it and the clients that people use in front."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture
def client(rest) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=rest.cloud.urls["rest"], timeout=60) as client:
        yield client


def test_the_stage_is_in_the_address_and_the_event_comes_back(rest, client):
    assert rest.cloud.urls["rest"].endswith("/dev")

    response = client.get("/items/a%20b", params={"q": "1 2"})

    assert response.status_code == 200
    event = response.json()
    assert event["resource"] == "/items/{id}"
    assert event["pathParameters"] == {"id": "a%20b"}
    assert event["queryStringParameters"] == {"q": "1 2"}
    assert event["requestContext"]["stage"] == "dev"
    assert event["requestContext"]["requestId"] == response.headers["x-amzn-requestid"]


@pytest.mark.parametrize("kind", ["raises", "exits", "dies", "hangs", "nan", "set", "large", "bytes"])
def test_a_function_that_fails_is_a_502_whatever_it_does(client, kind):
    response = client.get(f"/bad/{kind}")

    assert (response.status_code, response.content) == (502, b'{"message": "Internal server error"}')
    assert response.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_several_cookies_arrive_as_lines_of_their_own(client):
    answer = {"statusCode": "201", "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "headers": {"Date": "never"}}

    response = client.post("/answer", json=answer)

    assert response.status_code == 201
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["x-amzn-remapped-date"] == "never"
    assert response.headers["content-type"] == "application/json"


def test_a_body_that_does_not_fit_its_model_reaches_no_function(rest, client):
    before = len(rest.invocations)

    response = client.post("/answer", json={"status": 200})

    assert (response.status_code, response.json()) == (400, {"message": "Invalid request body"})
    assert len(rest.invocations) == before


def test_a_body_over_ten_megabytes_is_refused(client):
    response = client.post("/answer", content=b"x" * (10 * 1024 * 1024 + 1))

    assert (response.status_code, response.json()) == (413, {"message": "Request Too Long"})


def test_an_asynchronous_method_answers_before_its_function_runs(rest, client):
    response = client.post("/later", json={"k": 1})

    assert (response.status_code, response.content) == (200, b"")
    until = time.monotonic() + 30
    while not any(each.source == "http" and b'"requestPath":"/later"' in each.event for each in rest.invocations):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_options_answers_for_cors_and_head_wants_a_method_of_its_own(client):
    options = client.options("/items/1", headers={"Origin": "https://a.com"})
    head = client.head("/items/1")

    assert (options.status_code, options.headers["access-control-allow-methods"]) == (200, "OPTIONS,GET")
    assert (head.status_code, head.content) == (403, b"")


def test_an_asgi_application_behind_mangum_works(client):
    response = client.put("/asgi/a/b?c=d", content=b"abc")

    assert response.status_code == 201
    assert response.headers["x-lines"].startswith("PUT|/asgi/a/b|c=d|")
    assert response.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]


def test_aws_own_client_tests_a_method_at_the_lambda_port(rest):
    boto3 = pytest.importorskip("boto3")
    aws = boto3.client(
        "apigateway",
        endpoint_url=rest.cloud.urls["lambda"],
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )

    with contextlib.closing(aws):
        api = aws.get_rest_apis()["items"][0]["id"]
        resources = {each["path"]: each["id"] for each in aws.get_resources(restApiId=api)["items"]}
        told = aws.test_invoke_method(
            restApiId=api,
            resourceId=resources["/items/{id}"],
            httpMethod="GET",
            pathWithQueryString="/items/7?a=b",
            headers={"x-one": "1"},
        )

        assert told["status"] == 200
        event = json.loads(told["body"])
        assert (event["pathParameters"], event["headers"]) == ({"id": "7"}, {"x-one": "1"})
        assert event["requestContext"]["stage"] == "test-invoke-stage"
        assert "Method completed with status: 200" in told["log"]
        assert isinstance(told["latency"], int)
        with pytest.raises(aws.exceptions.NotFoundException):
            aws.test_invoke_method(restApiId=api, resourceId="nothing", httpMethod="GET")
