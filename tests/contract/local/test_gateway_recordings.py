"""The HTTP API against what the real AWS answered: Function URLs (format 2.0) and the REST API (format 1.0).

No recording of an HTTP API itself lies in the oracle. Where one is known to differ, the test says what and why.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bareboat.local.gateway import Api, Route, event_v1, event_v2
from bareboat.local.gateway.call import Call
from bareboat.local.gateway.response import parse_v1, parse_v2
from bareboat.local.gateway.returned import MalformedResponseError
from bareboat.local.gateway.routes import RouteTable
from bareboat.local.messages import Request, encode

FUNCTION_URL = "tests/aws/services/lambda_/test_lambda.py::TestLambdaURL::"
REST = "tests/aws/services/apigateway/test_apigateway_lambda.py::"


@pytest.fixture(scope="module")
def function_url(oracle: Path) -> dict[str, Any]:
    recordings = json.loads((oracle / "localstack" / "lambda___test_lambda.snapshot.json").read_text())
    return {
        name.removeprefix(FUNCTION_URL): entry["recorded-content"]
        for name, entry in recordings.items()
        if name.startswith(FUNCTION_URL)
    }


@pytest.fixture(scope="module")
def rest(oracle: Path) -> dict[str, Any]:
    recordings = json.loads((oracle / "localstack" / "apigateway__test_apigateway_lambda.snapshot.json").read_text())
    return {name.removeprefix(REST): entry["recorded-content"] for name, entry in recordings.items()}


def marshalled(value: Any) -> bytes:
    """Return what AWS's runtime client posts for a returned value."""
    marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller")
    return marshaller.LambdaMarshaller().marshal_response(value)[0].encode()


# Responses, format 2.0: what the recorded functions returned, by the names of the recordings


@pytest.mark.parametrize(
    ("name", "returned"),
    [
        ("dict", {"hello": "world"}),
        ("http-response", {"statusCode": 200, "body": "body123"}),
        ("http-response-json", {"statusCode": 200, "body": '{"hello": "world"}'}),
        ("list-mixed", ["hello", 3, True]),
        ("string", "hello"),
        ("integer", 3),
        ("float", 3.1),
        ("boolean", True),
    ],
)
def test_an_inferred_response_is_as_recorded(function_url, name, returned):
    recorded = function_url[f"test_lambda_url_invocation[{name}]"]["lambda_url_invocation"]

    response = parse_v2(marshalled(returned))

    assert response.status == recorded["statuscode"]
    assert len(response.body) == int(recorded["headers"]["Content-Length"])
    text = response.body.decode()
    assert recorded["content"] == (text if isinstance(recorded["content"], str) else json.loads(text))
    kind = dict(response.headers)["Content-Type"]
    if name.startswith("http-response"):
        # Recorded on HTTP APIs 2025-04-14 (aws-lambda-dotnet, V2_HttpAPIHeaders): plain text, where a URL says JSON.
        assert (kind, recorded["headers"]["Content-Type"]) == ("text/plain; charset=utf-8", "application/json")
    else:
        assert kind == recorded["headers"]["Content-Type"]


# Events, format 2.0: the requests that the recorded tests sent


def echo(target: str, sent: dict[str, str], body: bytes, method: str = "POST") -> dict[str, Any]:
    request = Request(method, target, list(sent.items()), body, ("127.0.0.1", 1))
    route = Route("$default", "*", "*", "f")
    return event_v2.build_event(Call(request, Api("abc")), route, {})


SENT = {
    "Host": "h",
    "User-Agent": "test/echo",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
    "ExTrA-HeADErs": "With WeiRd CapS",
    "Content-Type": "application/json",
    "Content-Length": "14",
}
BY_TLS = {"x-amzn-tls-cipher-suite", "x-amzn-tls-version"}  # there is no TLS here
MASKED = {"host", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"} | BY_TLS


def test_the_event_of_a_request_is_as_recorded(function_url):
    recorded = function_url["test_lambda_url_echo_http_fixture_default"]["url_response"]

    event = echo("/pa2%Fth/1?q=query&multiQuery=foo&multiQuery=%2Fbar", SENT, b'{"foo": "bar"}')

    assert set(event["headers"]) == set(recorded["headers"]) - BY_TLS
    for name in set(recorded["headers"]) - MASKED:
        assert event["headers"][name] == recorded["headers"][name]
    assert event["queryStringParameters"] == recorded["args"]
    assert event["rawPath"] == recorded["path"]
    assert event["requestContext"]["http"]["method"] == recorded["method"]
    assert json.loads(event["body"]) == recorded["data"]


def test_a_form_with_parts_is_base64_as_recorded(function_url):
    recorded = function_url["test_lambda_url_form_payload"]["url_response"]
    body = base64.b64decode(recorded["data"])
    sent = {"Host": "h", "Content-Type": recorded["headers"]["content-type"], "Content-Length": str(len(body))}

    event = echo("/test/value", sent, body)

    assert (event["body"], event["isBase64Encoded"]) == (recorded["data"], True)
    assert event["headers"]["content-length"] == recorded["headers"]["content-length"]
    assert event["rawPath"] == recorded["path"]
    assert "queryStringParameters" not in event
    assert recorded["args"] == {}


# Responses, format 1.0: the sixteen cases recorded on a REST API; what the function returned, by the recording's name

RETURNED: dict[str, Any] = {
    "invoke-api-no-body": {"statusCode": 200},
    "invoke-api-with-headers": {"statusCode": 200, "headers": {"test-header": "value", "header-bool": True}},
    "invoke-api-with-headers-null": {"statusCode": 200, "headers": None},
    "invoke-api-multi-headers-valid": {"statusCode": 200, "multiValueHeaders": {"test-multi": ["value1", "value2"]}},
    "invoke-api-multi-headers-overwrite": {
        "statusCode": 200,
        "headers": {"test-multi": "value-solo"},
        "multiValueHeaders": {"test-multi": ["value-multi"]},
    },
    "invoke-api-multi-headers-overwrite-casing": {
        "statusCode": 200,
        "headers": {"test-multi": "value-solo"},
        "multiValueHeaders": {"tesT-Multi": ["value-multi"]},
    },
    "invoke-api-multi-headers-invalid": {"statusCode": 200, "multiValueHeaders": {"test-multi": "value-multi"}},
    "invoke-api-invalid-status-code": {"statusCode": "test"},
    "invoke-api-status-code-str": {"statusCode": "201"},
    "invoke-api-just-string": "wrong-format",
    "invoke-api-empty-response": {},
    "invoke-api-b64-encoded-false": {"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": False},
}
# Where an HTTP API is another matter than a REST API, and why.
DIFFERENT = {
    "invoke-api-wrong-format": "an HTTP API skips fields that it does not know (aws-sam-cli #2941)",
    "invoke-api-b64-encoded-true": "an HTTP API has no binary media types: it always decodes (recorded 2025-04-14)",
    "invoke-api-only-headers": "an HTTP API with format 1.0 wants a statusCode (aws-sam-cli #2941)",
}


def test_every_recorded_case_is_replayed_or_explained(rest):
    assert set(rest["test_aws_proxy_response_payload_format_validation"]) == set(RETURNED) | set(DIFFERENT)


@pytest.mark.parametrize("name", RETURNED)
def test_a_format_1_response_is_accepted_or_refused_as_recorded(rest, name):
    recorded = rest["test_aws_proxy_response_payload_format_validation"][name]

    try:
        response = parse_v1(marshalled(RETURNED[name]))
    except MalformedResponseError:
        assert recorded["content"] == {"message": "Internal server error"}  # 502 there, 500 on an HTTP API
        return

    assert response.body.decode() == recorded["content"]
    sent = recorded.get("headers", {})
    for header in {"test-header", "header-bool", "test-multi"} & {key.lower() for key in sent}:
        expected = next(value for key, value in sent.items() if key.lower() == header).split(", ")
        lines = [value for key, value in response.headers if key.lower() == header]
        assert sorted(lines) == sorted(expected)  # REST joins them, an HTTP API sends lines (recorded 2025-04-14)


# Events, format 1.0


@pytest.mark.parametrize(
    ("case", "target", "sent"),
    [
        ("invocation-payload-without-trailing-slash", "/proxy-value", {}),
        ("invocation-payload-with-trailing-slash", "/proxy-value/", {}),
    ],
)
def test_a_format_1_event_has_the_keys_of_the_recorded_one(rest, case, target, sent):
    recorded = rest["test_lambda_aws_proxy_integration"][case]
    table = RouteTable([Route("GET /{proxy+}", "GET", "/{proxy+}", "f", payload="1.0")])
    found = table.find("GET", target)
    assert found is not None
    headers = {"Host": "h", "Accept": "*/*", "User-Agent": "python-requests/testing", "tEsT-HEADeR": "aValUE"}
    request = Request("GET", target, list({**headers, **sent}.items()), b"", ("127.0.0.1", 1))

    event = event_v1.build_event(Call(request, Api("abc")), *found)

    assert set(event) == set(recorded) | {"version"}
    # deploymentId is the REST API's; cognitoAmr is in every event seen from an HTTP API.
    assert set(event["requestContext"]) == set(recorded["requestContext"]) - {"deploymentId"}
    assert set(event["requestContext"]["identity"]) == set(recorded["requestContext"]["identity"]) | {"cognitoAmr"}
    for key in ("body", "httpMethod", "isBase64Encoded", "queryStringParameters", "resource", "stageVariables",
                "multiValueQueryStringParameters", "path"):  # fmt: skip
        assert event[key] == recorded[key]
    assert event["headers"]["tEsT-HEADeR"] == recorded["headers"]["tEsT-HEADeR"]


def test_the_gateways_own_headers_are_those_of_an_http_api():
    # aws-lambda-dotnet, LambdaTestTool-v2, Snapshots/V2_HttpAPIHeaders.json, recorded 2025-04-14 over HTTP/1.1.
    recorded = {"Date", "Connection", "Apigw-Requestid", "Content-Type", "Content-Length"}
    response = parse_v2(b'{"statusCode": 200, "body": "Test body"}')
    response.headers = [*response.headers, ("Apigw-Requestid", "JCIndgObPHcEJVQ=")]

    head = encode(response, keep_alive=True).partition(b"\r\n\r\n")[0].decode()

    assert {line.partition(":")[0] for line in head.split("\r\n")[1:]} == recorded
    assert "Connection: keep-alive" in head
    assert "Content-Type: text/plain; charset=utf-8" in head
