"""Recordings of real function URLs replayed on local ones."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from bareboat.local.access.settings import secrets_of


@pytest.fixture
def recorded(oracle: Path) -> Any:
    """Return what a recording holds, by the name of its test."""
    entries = json.loads((oracle / "localstack" / "lambda___test_lambda.snapshot.json").read_bytes())

    def find(name: str) -> Any:
        (found,) = (entry["recorded-content"] for key, entry in entries.items() if key.endswith(f"::{name}"))
        return found

    return find


def address(urls: Any, name: str) -> str:
    return str(urls.cloud.urls[f"url:{name}"])


RETURNED: dict[str, Any] = {  # what each recorded function returned, as its test's name tells
    "dict": {"hello": "world"},
    "http-response": {"statusCode": 200, "body": "body123"},
    "http-response-json": {"statusCode": 200, "body": '{"hello": "world"}'},
    "list-mixed": ["hello", 3, True],
    "string": "hello",
    "integer": 3,
    "float": 3.1,
    "boolean": True,
}


@pytest.mark.parametrize("name", sorted(RETURNED))
def test_what_a_function_returns(urls: Any, recorded: Any, name: str) -> None:
    expected = recorded(f"TestLambdaURL::test_lambda_url_invocation[{name}]")["lambda_url_invocation"]

    answer = httpx.post(f"{address(urls, 'answer')}/custom_path/extend?test_param=test_value", json=RETURNED[name])

    content = json.loads(answer.text) if isinstance(expected["content"], dict) else answer.text
    assert content == expected["content"]
    assert {key: answer.headers[key] for key in expected["headers"]} == expected["headers"]
    assert answer.status_code == expected["statuscode"]


def seen(event: dict[str, Any], *, trimmed: bool = False) -> Any:
    """What the recorded echo function answered, made from the event."""
    http = event["requestContext"]["http"]
    body = event.get("body")
    headers = {name: value for name, value in event["headers"].items() if not (trimmed and name.startswith("x-"))}
    return {
        "args": event.get("queryStringParameters", {}),
        "data": body if event["isBase64Encoded"] else json.loads(body),
        "domain": event["requestContext"]["domainName"],
        "headers": headers,
        "method": http["method"],
        "origin": http["sourceIp"],
        "path": http["path"],
    }


def masked(found: Any) -> Any:
    headers = found["headers"]
    for name in ("x-amzn-trace-id", "x-forwarded-port", "x-forwarded-proto"):
        if name in headers:
            headers[name] = f"<{name}:1>"
    if "x-forwarded-for" in headers:
        headers["x-forwarded-for"] = "<origin:1>"
    headers["host"] = re.sub(r":\d+$", "", headers["host"]).replace(found["domain"], "<domain:1>")
    return {**found, "domain": "<domain:1>", "origin": "<origin:1>"}


@pytest.mark.parametrize(
    ("name", "path", "query"),
    [
        ("default", "/pa2%Fth/1", "multiQuery=foo&multiQuery=/bar&q=query"),
        ("trim_x_headers", "/path/1", "q=query"),
    ],
)
def test_the_event(urls: Any, recorded: Any, name: str, path: str, query: str) -> None:
    expected = recorded(f"TestLambdaURL::test_lambda_url_echo_http_fixture_{name}")["url_response"]
    for header in ("x-amzn-tls-cipher-suite", "x-amzn-tls-version"):  # of a connection that is none of TLS here
        expected["headers"].pop(header, None)
    port = int(address(urls, "echo").rpartition(":")[2])
    head = (
        f"POST {path}?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: test/echo\r\nAccept: */*\r\n"
        "Accept-Encoding: gzip, deflate\r\nExtra-Headers: With WeiRd CapS\r\nContent-Type: application/json\r\n"
        "Connection: close\r\nContent-Length: 14\r\n\r\n"
    )

    event = json.loads(talk(port, head.encode() + b'{"foo": "bar"}').partition(b"\r\n\r\n")[2])

    assert masked(seen(event, trimmed=name != "default")) == expected
    assert event["requestContext"]["accountId"] == "anonymous"
    assert event["routeKey"] == event["requestContext"]["stage"] == "$default"


def talk(port: int, data: bytes) -> bytes:
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    return received


def test_a_form_comes_as_base64(urls: Any, recorded: Any) -> None:
    expected = recorded("TestLambdaURL::test_lambda_url_form_payload")["url_response"]
    body = base64.b64decode(expected["data"])

    answer = httpx.post(
        f"{address(urls, 'echo')}/test/value",
        content=body,
        headers={
            "content-type": expected["headers"]["content-type"],
            "user-agent": "python/test-request",
            "accept": "*/*",
            "accept-encoding": "gzip, deflate",
        },
    )

    assert masked(seen(answer.json(), trimmed=True)) == expected


def test_a_function_that_fails(urls: Any, recorded: Any) -> None:
    recorded("TestLambdaURL::test_lambda_url_invocation_exception")  # it asserts the two lines below

    for name, body in (("broken", b"{}"), ("answer", b"no JSON"), ("answer", b'{"statusCode": "no status"}')):
        answer = httpx.post(address(urls, name), content=body, headers={"content-type": "application/json"})

        assert answer.text == "Internal Server Error"
        assert answer.status_code == 502


def test_the_id_of_a_request_is_that_of_the_invocation(urls: Any, recorded: Any) -> None:
    entry = recorded("TestRequestIdHandling::test_request_id_invoke_url")

    answer = httpx.post(f"{address(urls, 'answer')}/hello", json="hi")

    assert answer.text == entry["lambda_url_invocation"]["content"]
    request_id = answer.headers["x-amzn-RequestId"]
    (log,) = (one.log for one in urls.invocations if one.request_id == request_id)
    line = entry["end_log_entries"][0].replace("<uuid:1>", request_id)
    assert line in log.splitlines()


def test_headers_and_a_status_in_words(urls: Any) -> None:
    """test_lambda_url_headers_and_status asserts these on AWS."""
    returned = {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "My-Custom-Header": "Custom Value"},
        "body": json.dumps({"message": "hello-world"}),
        "isBase64Encoded": False,
    }

    answer = httpx.post(address(urls, "answer"), json=returned)
    teapot = httpx.post(address(urls, "answer"), json={"statusCode": "418", "body": "i'm a teapot"})

    assert (answer.status_code, answer.json()) == (201, {"message": "hello-world"})
    assert answer.headers["my-custom-header"] == "Custom Value"
    assert (teapot.status_code, teapot.text) == (418, "i'm a teapot")


def test_a_stream_of_a_function_that_does_not_stream(urls: Any) -> None:
    """test_lambda_url_echo_invoke[RESPONSE_STREAM] finds on AWS what the function returned, whole, in the body."""
    returned = {"statusCode": 201, "body": "text"}

    answer = httpx.post(address(urls, "streamed"), json=returned)

    assert answer.status_code == 200
    assert answer.json() == returned


def test_an_unsigned_request_to_a_url_that_wants_signatures(urls: Any, recorded: Any) -> None:
    missing = recorded("TestLambdaPermissions::test_lambda_permission_url_invocation")
    expected = recorded("TestLambdaURL::test_lambda_url_persists_after_alias_delete")
    expected = expected["invoke_deleted_alias_url_response_delayed"]

    answer = httpx.get(address(urls, "guarded"))

    assert answer.json() == expected["content"] == missing["lambda_url_invocation_missing_permission"]
    assert answer.status_code == expected["status_code"]
    assert answer.headers["x-amzn-ErrorType"] == expected["headers"]["x-amzn-ErrorType"]


def test_a_signed_request_is_let_in(urls: Any) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = f"{address(urls, 'guarded')}/signed?x=1"
    request = AWSRequest("POST", url, data=b"{}", headers={"content-type": "application/json"})
    key = secrets_of(urls.cloud.service).credentials()
    SigV4Auth(Credentials(*key), "lambda", "us-east-1").add_auth(request)
    wrong = AWSRequest("POST", url, data=b"{}", headers={"content-type": "application/json"})
    SigV4Auth(Credentials(key[0], "wrong"), "lambda", "us-east-1").add_auth(wrong)

    answer = httpx.post(url, content=b"{}", headers=dict(request.headers))
    refused = httpx.post(url, content=b"{}", headers=dict(wrong.headers))

    assert answer.status_code == 200
    context = answer.json()["requestContext"]
    assert context["authorizer"]["iam"]["accountId"] == context["accountId"]
    assert refused.status_code == 403


def test_a_function_that_is_throttled(urls: Any, recorded: Any) -> None:
    """The body is that of Invoke's 429, which is recorded; that of a URL is not."""
    expected = recorded("TestLambdaConcurrency::test_reserved_concurrency")["exc_no_cap_requestresponse"]

    answer = httpx.get(address(urls, "off"))

    assert answer.status_code == expected["ResponseMetadata"]["HTTPStatusCode"]
    assert answer.json() == {key: expected[key] for key in ("Reason", "Type", "message")}


def test_a_preflight_is_answered_without_the_function(urls: Any) -> None:
    before = len(urls.invocations)

    answer = httpx.options(
        address(urls, "shared"),
        headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"},
    )

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-methods"] == "GET,POST"
    assert answer.headers["access-control-max-age"] == "60"
    assert len(urls.invocations) == before


def test_cors_headers_come_beside_those_of_the_function(urls: Any) -> None:
    """Seen on AWS: samvera/serverless-iiif #71, powertools-lambda-python #4163."""
    returned = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}, "body": "x"}

    answer = httpx.post(address(urls, "shared"), json=returned, headers={"Origin": "https://shop.example"})

    assert answer.headers.get_list("access-control-allow-origin") == ["*", "https://shop.example"]
    assert answer.headers["access-control-expose-headers"] == "x-told"


def test_the_record_of_a_request(urls: Any) -> None:
    httpx.get(f"{address(urls, 'echo')}/some/where?x=1")
    httpx.get(f"{address(urls, 'guarded')}/no")

    (echo,) = (one for one in urls.records if one.path == "/some/where")
    (refused,) = (one for one in urls.records if one.path == "/no")
    assert (echo.api, echo.route, echo.function, echo.status) == ("url", "$default", "echo", 200)
    assert echo.invocation_id == echo.request_id
    assert (refused.function, refused.refused, refused.status) == ("", "MISSING_AUTHENTICATION_TOKEN", 403)


def test_a_body_that_is_too_large(urls: Any) -> None:
    answer = httpx.post(address(urls, "echo"), content=b"x" * (6 * 1024 * 1024 + 1))

    assert answer.status_code == 413


@pytest.fixture(scope="module")
def boto(urls: Any) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        "lambda", endpoint_url=urls.cloud.urls["lambda"], region_name="us-east-1", aws_access_key_id="any",
        aws_secret_access_key="any", config=Config(retries={"max_attempts": 0}),
    )  # fmt: skip


@pytest.fixture
def configured(oracle: Path) -> Any:
    """Return what a recording of URLs' configuration holds, by the name of its test."""
    entries = json.loads((oracle / "localstack" / "lambda___test_lambda_api.snapshot.json").read_bytes())

    def find(name: str) -> Any:
        (found,) = (entry["recorded-content"] for key, entry in entries.items() if key.endswith(f"::{name}"))
        return found

    return find


def described(found: dict[str, Any]) -> dict[str, Any]:
    """A FunctionUrlConfig as the recordings have it."""
    arn = re.sub(r"^arn:aws:lambda:us-east-1:\d{12}:function:.*", "<arn>", found["FunctionArn"])
    moment = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
    dates = {name: "date" for name in ("CreationTime", "LastModifiedTime") if moment.fullmatch(found[name])}
    return {**found, **dates, "FunctionArn": "<arn>" if arn == "<arn>" else arn, "FunctionUrl": "lambda-url"}


def test_how_a_url_is_described(urls: Any, boto: Any, configured: Any) -> None:
    expected = configured("TestLambdaUrl::test_url_config_lifecycle")["get_url_config"]
    del expected["ResponseMetadata"]
    expected["FunctionArn"] = "<arn>"

    found = boto.get_function_url_config(FunctionName="echo")
    (listed,) = boto.list_function_url_configs(FunctionName="echo")["FunctionUrlConfigs"]

    del found["ResponseMetadata"]
    assert found["FunctionUrl"] == listed["FunctionUrl"] == f"{address(urls, 'echo')}/"
    assert described(found) == described(listed) == expected
    assert boto.get_function_url_config(FunctionName="guarded")["AuthType"] == "AWS_IAM"
    assert boto.get_function_url_config(FunctionName="shared")["Cors"] == {
        "AllowCredentials": True, "AllowHeaders": ["content-type"], "AllowMethods": ["GET", "POST"],
        "AllowOrigins": ["https://shop.example"], "ExposeHeaders": ["x-told"], "MaxAge": 60,
    }  # fmt: skip


def test_urls_of_a_function_that_is_not_there(boto: Any, configured: Any) -> None:
    expected = configured("TestLambdaUrl::test_url_config_list_paging")["list_function_notfound"]

    with pytest.raises(ClientError) as caught:
        boto.list_function_url_configs(FunctionName="not-there")

    metadata = {"HTTPHeaders": {}, "HTTPStatusCode": caught.value.response["ResponseMetadata"]["HTTPStatusCode"]}
    assert {**caught.value.response, "ResponseMetadata": metadata} == expected
