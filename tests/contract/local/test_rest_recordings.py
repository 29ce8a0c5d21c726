"""The REST API against what the real AWS answered: LocalStack's recordings, all of `apigateway__*` that apply.

docs/local-rest-api.md lists every recording: replayed here, or why it does not apply; a test holds the list complete.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bareboat.errors import LocalError
from bareboat.local.invocation import Throttled
from bareboat.local.rest.answers import KINDS
from bareboat.service.api import GatewayResponse, RequestRules, RestApi, Schema

FILES = ("api", "basic", "import", "integrations", "lambda")


@pytest.fixture(scope="module")
def recordings(oracle: Path) -> dict[str, Any]:
    found = {}
    for name in FILES:
        document = json.loads((oracle / "localstack" / f"apigateway__test_apigateway_{name}.snapshot.json").read_text())
        found |= {key.partition("::")[2]: entry["recorded-content"] for key, entry in document.items()}
    return found


# Events

CLOUDFRONT = re.compile(r"CloudFront-.*|Via|X-Amz-Cf-Id")  # added by CloudFront, in front of an edge-optimised API
MASKED_HEADERS = {"X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"}
SENT = {
    "Host": "abcde12345.execute-api.us-east-1.amazonaws.com",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
}
ECHO = SENT | {"User-Agent": "python-requests/testing", "tEsT-HEADeR": "aValUE", "authorization": "random-value"}
JSON_BODY = b'{"message": "hello world"}'
MULTI = SENT | {
    "User-Agent": "python-requests/testing",
    "Content-Type": "application/json;charset=utf-8",
    "aUThorization": "Bearer token123;API key456",
    "Content-Length": "26",
}
ENCODED = (
    "dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com&plus=test+alias@gmail.com"
    "&url=https://www.google.com/&whitespace=foo%20bar&zhash=abort/"
)
REQUESTS: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "invocation-payload-without-trailing-slash": ("GET", "/stage/proxy-value", ECHO, b""),
    "invocation-payload-with-trailing-slash": ("GET", "/stage/proxy-value/", ECHO, b""),
    "invocation-payload-with-double-slash": ("GET", "/stage/proxy-value//double-slash", ECHO, b""),
    "invocation-payload-with-prepended-slash-to-stage": ("GET", "//stage/proxy-value", ECHO, b""),
    "invocation-payload-with-prepended-slash": ("GET", "/stage//proxy-value", ECHO, b""),
    "invocation-payload-without-trailing-slash-and-query-params": (
        "GET", "/stage/proxy-value?urlparam=test", ECHO, b"",
    ),
    "invocation-payload-with-trailing-slash-and-query-params": ("GET", "/stage/proxy-value/?urlparam=test", ECHO, b""),
    "invocation-payload-with-path-encoded-email": (
        "GET", "/stage/proxy-value/api/user/test%2Balias@gmail.com/plus/test+alias@gmail.com", ECHO, b"",
    ),
    "invocation-payload-with-params-encoding": (
        "GET",
        f"/stage/proxy-value/api?{ENCODED}",
        ECHO,
        b"",
    ),
    "invocation-payload-with-params-encoding-multi": (
        "POST", "/stage/proxy-value?category=electronics&category=books&price=10&price=20&price=30", MULTI, JSON_BODY,
    ),
    "invocation-hardcoded": ("GET", "/stage//hardcoded", ECHO, b""),
}  # fmt: skip


def without_cloudfront(headers: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if not CLOUDFRONT.fullmatch(name)}


def assert_event(event: dict[str, Any], recorded: dict[str, Any]) -> None:
    """Compare a whole event; ids, times and hosts are masked where the recording has masked them."""
    event = json.loads(json.dumps(event))
    if isinstance(recorded["body"], dict):  # the recording shows JSON parsed
        event["body"] = json.loads(event["body"])
    host = event["requestContext"]["domainName"]
    assert event["headers"]["Host"] == host
    assert event["requestContext"]["domainPrefix"] == event["requestContext"]["apiId"]
    expected = dict(recorded)
    for name in ("headers", "multiValueHeaders"):
        expected[name] = without_cloudfront(recorded[name])
        assert set(event[name]) == set(expected[name])
        for header in (*MASKED_HEADERS, "Host"):
            assert event[name][header]
            event[name][header] = expected[name][header]
    context = event["requestContext"]
    assert set(context) == set(recorded["requestContext"])
    for name in ("accountId", "apiId", "deploymentId", "domainName", "domainPrefix", "extendedRequestId", "requestId",
                 "requestTime", "requestTimeEpoch", "resourceId"):  # fmt: skip
        assert context[name]
        context[name] = recorded["requestContext"][name]
    assert re.fullmatch(r"127\.0\.0\.1", context["identity"]["sourceIp"])
    context["identity"]["sourceIp"] = recorded["requestContext"]["identity"]["sourceIp"]
    assert event == expected


@pytest.mark.parametrize("name", REQUESTS)
def test_the_event_of_a_request_is_as_recorded(kit, recordings, name):
    recorded = recordings["test_lambda_aws_proxy_integration"]
    assert set(recorded) == set(REQUESTS)
    rest = kit.Rest(kit.service(kit.http("ANY /{proxy+}"), kit.http("ANY /hardcoded"), stage="stage"))
    method, target, headers, body = REQUESTS[name]

    response = rest.ask(method, target, headers, body)

    assert response.status == 200
    assert_event(rest.event, recorded[name])


def test_a_proxy_integration_maps_no_parameters_as_recorded(kit, recordings):
    recorded = recordings["test_lambda_aws_proxy_integration_request_data_mapping"]
    parameters = dict.fromkeys(
        ("header.foobar", "querystring.testVar", "path.pathVariable", "querystring.testQueryString"), True
    )
    event = kit.http("ANY /{pathVariable}", rules=RequestRules(parameters))
    rest = kit.Rest(kit.service(event, stage="test"))
    sent = SENT | {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "foobar": "mapped-value",
        "user-Agent": "test/integration",
        "headerVar": "request-value",
    }

    response = rest.ask("POST", "/test/foobar?testQueryString=foo&testVar=bar", sent, JSON_BODY)

    assert response.status == recorded["http-proxy-invocation-data-mapping"]["status_code"]
    assert_event(rest.event, recorded["http-proxy-invocation-data-mapping"]["content"])


# Headers that change their names, or go

ALL_HEADERS = {
    "Host": "h",
    "Accept": "application/json",
    "Accept-Charset": "UTF-8",
    "Accept-Encoding": "br",
    "Age": "request_Age",
    "Authorization": "Unauthorized",
    "Connection": "close",
    "Content-Encoding": "deflate",
    "Content-MD5": "request_Content-MD5",
    "Content-Type": "application/json",
    "Date": "request_Date",
    "Expect": "100-continue",
    "Max-Forwards": "2",
    "Pragma": "cache",
    "Proxy-Authenticate": "Basic",
    "Range": "bytes=500-999",
    "Referer": "https://example.com/",
    "Server": "https://example.com/",
    "TE": "deflate",
    "Trailer": "Expires",
    "Transfer-Encoding": "chunked",
    "Upgrade": "HTTP/2.0",
    "User-Agent": "localStack/0.0",
    "Via": "p.example.net",
    "Warn": "299 localStack/0.0",
    "WWW-Authenticate": "Basic YWxhZGRpbjpvcGVuc2VzYW1l",
}
REMAPPING = "TestApiGatewayHeaderRemapping::test_apigateway_header_remapping_"
OF_THE_SERVER = {"Connection", "Content-Length", "Date"}


def test_headers_reach_a_function_or_not_as_recorded(kit, recordings):
    recorded = recordings[f"{REMAPPING}aws[AWS_PROXY]"]["no-param-integration"]
    rest = kit.Rest(kit.service(kit.http("GET /no-param"), stage="test"))

    response = rest.ask("GET", "/test/no-param", ALL_HEADERS)

    masked = {"Host", "Via", "Date", *MASKED_HEADERS}
    event = rest.event
    assert set(event["headers"]) == set(recorded["headers"])
    assert {n: v for n, v in event["headers"].items() if n not in masked} == {
        name: value for name, value in recorded["headers"].items() if name not in masked
    }
    assert event["body"] == recorded["body"]
    assert {name for name, _ in response.headers} | OF_THE_SERVER == set(recorded["response-headers"])


@pytest.mark.parametrize("integration", ["http[HTTP]", "aws[AWS]"])
def test_headers_of_a_response_are_renamed_as_recorded(kit, recordings, integration):
    recorded = recordings[REMAPPING + integration]["full-integration"]["response-headers"]
    headers = {name: f"response_param_{name}" for name in (*ALL_HEADERS, "Content-Length")}
    rest = kit.Rest(kit.service(kit.http("GET /full")), kit.Functions(lambda _: {"headers": headers}))

    response = rest.ask("GET", "/dev/full")

    sent = kit.joined(response)
    assert set(sent) | OF_THE_SERVER == set(recorded) | OF_THE_SERVER
    for name in set(recorded) - OF_THE_SERVER:
        if recorded[name].startswith("response_param_"):
            assert sent[name] == recorded[name]


@pytest.mark.parametrize("case", ["content-length", "transfer-encoding", "authorization", "connection", "expect", "te"])
def test_a_500_is_as_recorded(kit, recordings, case):
    recorded = recordings[f"{REMAPPING}aws[AWS_PROXY]"][case]

    def throttled(_):
        raise Throttled("f", 1, reserved=True)

    response = kit.Rest(kit.service(kit.http("GET /x")), kit.Functions(throttled)).ask("GET", "/dev/x")

    assert response.status == 500
    assert json.loads(response.body) == recorded["body"]
    assert len(response.body) == int(recorded["response-headers"]["Content-Length"])
    headers = dict(response.headers)
    assert set(headers) | OF_THE_SERVER == set(recorded["response-headers"])
    for name in ("Content-Type", "x-amzn-ErrorType"):
        assert headers[name] == recorded["response-headers"][name]


# What a function may return

RETURNED: dict[str, tuple[Any, int]] = {
    "invoke-api-no-body": ({"statusCode": 200}, 200),
    "invoke-api-with-headers": ({"statusCode": 200, "headers": {"test-header": "value", "header-bool": True}}, 200),
    "invoke-api-with-headers-null": ({"statusCode": 200, "headers": None}, 200),
    "invoke-api-wrong-format": ({"statusCode": 200, "wrongValue": "value"}, 502),
    "invoke-api-empty-response": (ZeroDivisionError("json.loads(None)"), 502),  # the recorded function raises
    "invoke-api-b64-encoded-true": ({"statusCode": 200, "body": "dGVzdC1kYXRh", "isBase64Encoded": True}, 200),
    "invoke-api-b64-encoded-false": ({"statusCode": 200, "body": "dGVzdC1kYXRh"}, 200),
    "invoke-api-multi-headers-valid": (
        {"statusCode": 200, "multiValueHeaders": {"test-multi": ["value1", "value2"]}},
        200,
    ),
    "invoke-api-multi-headers-overwrite": (
        {
            "statusCode": 200,
            "multiValueHeaders": {"test-multi": ["value-multi"]},
            "headers": {"test-multi": "value-solo"},
        },
        200,
    ),
    "invoke-api-multi-headers-overwrite-casing": (
        {
            "statusCode": 200,
            "multiValueHeaders": {"tesT-Multi": ["value-multi"]},
            "headers": {"test-multi": "value-solo"},
        },
        200,
    ),
    "invoke-api-multi-headers-invalid": (
        {"statusCode": 200, "multiValueHeaders": {"test-multi-invalid": "value1"}},
        502,
    ),
    "invoke-api-invalid-status-code": ({"statusCode": "test"}, 502),
    "invoke-api-status-code-str": ({"statusCode": "201"}, 201),
    "invoke-api-just-string": ("justAString", 502),
    "invoke-api-only-headers": ({"headers": {"test-header": "value"}}, 200),
}
BY_CLOUDFRONT = {"Via", "X-Amz-Cf-Id", "X-Amz-Cf-Pop", "X-Cache"}


@pytest.mark.parametrize("name", RETURNED)
def test_a_response_is_as_recorded(kit, recordings, name):
    recorded = recordings["test_aws_proxy_response_payload_format_validation"]
    assert set(recorded) == set(RETURNED)
    returned, status = RETURNED[name]

    def handler(_):
        if isinstance(returned, Exception):
            raise returned
        return returned

    response = kit.Rest(kit.service(kit.http("ANY /{proxy+}")), kit.Functions(handler)).ask("POST", "/dev/test")

    assert response.status == status
    content = recorded[name]["content"]
    assert (json.loads(response.body) if isinstance(content, dict) else response.body.decode()) == content
    if "headers" in recorded[name]:
        headers = kit.joined(response)
        expected = {name: value for name, value in recorded[name]["headers"].items() if name not in BY_CLOUDFRONT}
        assert set(headers) | OF_THE_SERVER == set(expected)
        for header, value in expected.items():
            if not value.startswith("<") and header not in OF_THE_SERVER:
                assert headers[header] == value


# Integrations with templates: what Serverless makes of `integration: lambda`


@pytest.mark.parametrize("said", ["400", "500"])
def test_an_error_is_the_body_and_its_message_the_status_as_recorded(kit, recordings, said):
    recorded = recordings["test_lambda_selection_patterns"][f"lambda-selection-pattern-{said}"]
    document = recorded | {"errorMessage": f"[{said}] {recorded['errorMessage']}"}  # Serverless's pattern, not theirs
    invoke = kit.Functions(lambda _: kit.outcome(json.dumps(document).encode(), "Unhandled"))
    rest = kit.Rest(kit.service(kit.http("GET /x", integration="AWS")), invoke)

    response = rest.ask("GET", "/dev/x")

    assert response.status == int(said)
    assert json.loads(response.body) == document


def test_an_answer_is_the_body_as_recorded(kit, recordings):
    recorded = recordings["test_lambda_aws_integration"]["lambda-aws-integration"]
    rest = kit.Rest(kit.service(kit.http("POST /x", integration="AWS")), kit.Functions(lambda event: event["body"]))

    response = rest.ask("POST", "/dev/x", {"Content-Type": "application/json"}, json.dumps(recorded).encode())

    assert json.loads(response.body) == recorded
    passed = recordings["test_lambda_selection_patterns"]["lambda-selection-pattern-200"]
    rest = kit.Rest(kit.service(kit.http("GET /x", integration="AWS")), kit.Functions(lambda _: passed))
    assert json.loads(rest.ask("GET", "/dev/x").body) == passed


# Models that refer to each other


def models_of(recorded: dict[str, Any], kit: Any) -> dict[str, Schema]:
    return {
        model["name"]: Schema(
            model["contentType"],
            json.loads(json.dumps(model["schema"]).replace("<model-base-url>", "https://apigateway.amazonaws.com")
                       .replace("<rest-id:1>", "abcde12345")),
            kit.HERE,
            name=model["name"],
        )
        for model in recorded["get-models"]["items"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (
            {
                "name": "Person1",
                "b": 2,
                "house": {"randomProperty": "this is random", "contains": [{"name": "Person2", "b": 3}]},
            },
            200,
        ),
        ({"random": "blabla"}, 400),
        (
            {
                "name": "Person1",
                "b": 2,
                "house": {
                    "randomProperty": "as a House, but for contains",
                    "contains": [{"randomObject": "no Person"}],
                },
            },
            400,
        ),
    ],
)
def test_models_in_a_circle_let_in_what_they_did_on_aws(kit, recordings, body, status):
    models = models_of(
        recordings["TestApiGatewayImportRestApi::test_import_with_circular_models_and_request_validation"], kit
    )
    others = kit.http("POST /other", rules=RequestRules(schemas=(models["House"],)))  # a model is known by its use
    event = kit.http("POST /person", rules=RequestRules(schemas=(models["Person"],)))
    rest = kit.Rest(kit.service(event, others))

    response = rest.ask("POST", "/dev/person", {"Content-Type": "application/json"}, json.dumps(body).encode())

    assert response.status == status
    if status == 400:
        assert json.loads(response.body) == {"message": "Invalid request body"}  # asserted against AWS beside it


# Gateway responses

CRUD = "TestApiGatewayGatewayResponse::test_gateway_response_crud"
PUT = "TestApiGatewayGatewayResponse::test_gateway_response_put"


def configured(recorded: dict[str, Any], kit: Any) -> GatewayResponse:
    return GatewayResponse(
        recorded["responseType"],
        kit.HERE,
        status=int(recorded["statusCode"]),
        headers={
            name.removeprefix("gatewayresponse.header."): value.strip("'")
            for name, value in recorded["responseParameters"].items()
        },
        templates=recorded["responseTemplates"],
    )


def test_every_kind_of_gateway_response_has_the_recorded_status(recordings):
    recorded = recordings[CRUD]["get-gateway-responses"]["items"]
    statuses = {item["responseType"]: item.get("statusCode") for item in recorded if item["defaultResponse"]}

    assert {kind: str(KINDS[kind].status) for kind in statuses if statuses[kind]} == {
        kind: status for kind, status in statuses.items() if status
    }
    assert {item["responseType"] for item in recorded} == set(KINDS)


def test_a_gateway_response_of_the_service_is_filled_in(kit, recordings):
    own = configured(recordings[CRUD]["put-gateway-response"], kit)
    rest = kit.Rest(kit.service(kit.http("GET /pets"), rest=RestApi(responses=(own,), stage_variables={"a": "one"})))

    response = rest.ask("GET", "/dev/nothing?q=asked", {"Accept": "text/plain"})

    assert response.status == 404
    assert json.loads(response.body) == {
        "message": "Missing Authentication Token",
        "type": "MISSING_AUTHENTICATION_TOKEN",
        "stage": "dev",
        "resourcePath": "",
        "stageVariables.a": "one",
        "statusCode": "'404'",
    }
    headers = dict(response.headers)
    assert headers["Access-Control-Allow-Origin"] == "a.b.c"
    assert headers["x-request-header"] == "text/plain"
    assert headers["x-request-query"] == "asked"
    assert "x-request-path" not in headers


def test_a_default_takes_the_place_of_each_kind_that_is_not_configured_as_recorded(kit, recordings):
    from bareboat.local.rest.answers import Answers

    recorded = recordings[PUT]
    own = [
        configured(recorded[name], kit)
        for name in (
            "put-gateway-response-response-templates-only",  # the last one put of its kind
            "put-gateway-response-default-5xx",
            "put-gateway-response-default-ignored",
        )
    ]
    answers = Answers(own)

    for item in recorded["get-gateway-responses"]["items"]:
        if not item["responseType"].startswith("DEFAULT_"):
            response = answers.make(item["responseType"])
            assert response.status == int(item["statusCode"]), item["responseType"]
            assert ("foo", "bar") in response.headers or "'bar'" not in item["responseParameters"].values()
            assert (b'"stage"' in response.body) == ("$context.stage" in item["responseTemplates"]["application/json"])


# TestInvokeMethod, asked through AWS's own API

DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4} : ")
MASKS = (
    (DATE, "DDD MMM dd hh:mm:ss UTC yyyy : "),
    (re.compile(r"Authorization=[^,]+"), "Authorization=<authorization-header>"),
    (re.compile(r"X-Amz-Date=[^,]+"), "X-Amz-Date=<date>"),
    (re.compile(r"Security-Token=\S+ \[TRUNCATED\]\}?"), "Security-Token=<token> [TRUNCATED]"),
    (re.compile(r"latency: \d+ ms"), "latency: <latency> ms"),
    (re.compile(r"\{Date=[^,]+, [^,]+,"), "{Date=Day, dd MMM yyyy hh:mm:ss GMT,"),
    (re.compile(r"Content-Length=\d+"), "Content-Length=N"),
    (re.compile(r"x-amzn-RequestId=[^,]+"), "x-amzn-RequestId=<request-id-lambda>"),
    (re.compile(r"X-Amzn-Trace-Id=[^,}]+"), "X-Amzn-Trace-Id=<trace>"),
    (re.compile(r"https://\S+/2015-03-31/functions/\S+/invocations"), "<uri>"),
    (re.compile(r"AmazonAPIGateway_[^,]+"), "AmazonAPIGateway_<api>"),
    (re.compile(r"api-id=[^,]+"), "api-id=<api>"),
    (re.compile(r"<request-id-\d>|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<id>"),
)


def masked(line: str) -> str:
    for pattern, put in MASKS:
        line = pattern.sub(put, line)
    return line


def masked_log(log: str | dict[str, str]) -> list[str]:
    lines = log.split("\n") if isinstance(log, str) else [log[key] for key in sorted(log)]
    return [masked(line) for line in lines]


BODY_LINES = ("Endpoint request body", "Endpoint response body", "Method response body")


@pytest.mark.parametrize("name", ["test_invoke_method_response", "test_invoke_method_response_with_body"])
def test_a_test_of_a_method_answers_and_logs_as_recorded(kit, recordings, name):
    recorded = recordings["TestAPIGateway::test_apigw_test_invoke_method_api"][name]
    with_body = name.endswith("body")
    answer = recorded["body"]
    rest = kit.control(kit.service(kit.http("GET /foo", integration="AWS")), kit.Functions(lambda _: answer))
    asked = {"pathWithQueryString": "/foo"}
    if with_body:
        asked = {
            "pathWithQueryString": "/foo?queryTest=value",
            "body": '{"test": "val123"}',
            "headers": {"content-type": "application/json"},
        }

    status, told = kit.try_method(rest, "/foo", "GET", asked)

    assert (status, told["status"]) == (200, recorded["status"])
    assert json.loads(told["body"]) == recorded["body"]
    assert set(told["headers"]) == set(recorded["headers"])
    assert set(told["multiValueHeaders"]) == set(recorded["multiValueHeaders"])
    assert isinstance(told["latency"], int)
    lines, expected = masked_log(told["log"]), masked_log(recorded["log"])
    assert len(lines) == len(expected)
    for line, wanted in zip(lines, expected, strict=True):
        if any(part in wanted for part in BODY_LINES):  # Serverless's template made another event; JSON is spaced
            assert line.partition(": ")[0] == wanted.partition(": ")[0]
        else:
            assert line == wanted


PETS = {
    "test-invoke-method-get-pets": ("/pets", {"pathWithQueryString": "/pets"}),
    "test-invoke-method-get-pets-bad-path": ("/pets", {"pathWithQueryString": "/random/test"}),
    "test-invoke-method-get-pets-id": ("/pets/{petId}", {"pathWithQueryString": "/pets/123"}),
    "test-invoke-method-get-pets-id-no-path": ("/pets/{petId}", {}),
    "test-invoke-method-get-pets-id-bad-path": ("/pets/{petId}", {"pathWithQueryString": "/random/test"}),
    "test-invoke-method-get-with-qs": ("/pets/{petId}", {"pathWithQueryString": "/pets/123?foo=bar"}),
    "test-invoke-method-post-with-body": (
        "/pets/{petId}", {"pathWithQueryString": "/pets/123", "body": '{"foo": "bar"}'},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PETS)
def test_a_test_reads_its_path_as_recorded(kit, recordings, name):
    recorded = recordings["TestApigatewayTestInvoke::test_invoke_test_method"][name]
    resource, asked = PETS[name]
    rest = kit.control(
        kit.service(kit.http("GET /pets"), kit.http("GET /pets/{petId}"), kit.http("POST /pets/{petId}")),
        kit.Functions(lambda event: {"body": json.dumps({"petId": (event["pathParameters"] or {}).get("petId", "")})}),
    )

    status, told = kit.try_method(rest, resource, "POST" if "post" in name else "GET", asked)

    assert (status, told["status"]) == (200, recorded["status"])
    lines, expected = masked_log(told["log"]), masked_log(recorded["log"])
    assert lines[:7] == expected[:7]
    assert lines[-3:] == expected[-3:]
    if "petId" in recorded["body"]:
        assert json.loads(told["body"]) == recorded["body"]
        body_line = "Method response body after transformations: "
        assert [line for line in lines if body_line in line] == [line for line in expected if body_line in line]


@pytest.mark.parametrize(
    ("name", "api", "resource", "verb"),
    [
        ("resource-method-not-found", "", "/pets", "POST"),
        ("resource-id-not-found", "", "nothing", "GET"),
        ("rest-api-not-found", "aaaaaaaaaa", "/pets", "GET"),
    ],
)
def test_a_test_of_what_is_not_there_is_refused_as_recorded(kit, recordings, name, api, resource, verb):
    recorded = recordings["TestApigatewayTestInvoke::test_invoke_test_method"][name]
    rest = kit.control(kit.service(kit.http("GET /pets")))

    status, told = kit.try_method(rest, resource, verb, {}, api=api)

    assert status == recorded["ResponseMetadata"]["HTTPStatusCode"]
    assert told == {"message": recorded["message"]}


def test_a_test_that_fails_is_answered_and_logged_as_recorded(kit, recordings):
    recorded = recordings["TestApigatewayTestInvoke::test_failed_invoke_test_method"]["test-invoke-failure"]

    def throttled(_):
        raise Throttled("f", 1, reserved=True)

    rest = kit.control(kit.service(kit.http("GET /")), kit.Functions(throttled))

    _, told = kit.try_method(rest, "/", "GET", {"pathWithQueryString": "/"})

    assert told["status"] == recorded["status"]
    assert json.loads(told["body"]) == recorded["body"]
    assert told["headers"] == recorded["headers"]
    assert told["multiValueHeaders"] == recorded["multiValueHeaders"]
    lines, expected = masked_log(told["log"]), masked_log(recorded["log"])
    assert lines[:7] == expected[:7]
    assert lines[-2:] == expected[-2:]
    assert lines[-3].startswith("DDD MMM dd hh:mm:ss UTC yyyy : Execution failed due to configuration error: ")
    assert expected[-3].startswith("DDD MMM dd hh:mm:ss UTC yyyy : Execution failed due to configuration error: ")


# The list of all recordings


def test_every_recording_is_listed_in_the_docs(recordings, repository):
    text = (repository / "docs" / "local-rest-api.md").read_text()
    section = text.partition("## The recordings")[2]
    named = re.findall(r"`([^`]+)`", section)

    missing = [key for key in recordings if not any(listed(key, name) for name in named)]
    unknown = [name for name in named if name.startswith("test_") and not any(listed(key, name) for key in recordings)]

    assert missing == []
    assert unknown == []


def listed(key: str, name: str) -> bool:
    """Return whether a name of the list is that recording; a star stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, name.split("*"))), key) is not None


# Resources that AWS does not make

PROXY = "TestApiGatewayApiResource::test_create_proxy_resource_validation"


@pytest.mark.parametrize(
    ("case", "paths", "refused"),
    [
        ("create-proxy-dynamic-sibling-resource", ("/{proxy+}", "/{dynamic}"), True),
        ("create-proxy-static-child-resource", ("/{proxy+}/static",), True),
        ("create-proxy-dynamic-child-resource", ("/{proxy+}/{dynamic}",), True),
        ("create-greedy-child-resource", ("/{proxy+}", "/parent/{child+}"), False),
    ],
)
def test_resources_are_refused_where_aws_refused_them(kit, recordings, case, paths, refused):
    recorded = recordings[PROXY][case]
    service = kit.service(*(kit.http(f"GET {path}") for path in paths))

    assert ("Error" in recorded) is refused
    if refused:
        with pytest.raises(LocalError):
            kit.Rest(service)
    else:
        kit.Rest(service)
