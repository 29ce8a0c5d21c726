"""Requests as events. Expectations: AWS's guide on Lambda proxy integrations for HTTP APIs, events seen on AWS."""

from __future__ import annotations

import base64
import re

import msgspec
import pytest

from bareboat.local.gateway import Api, Route, event_v1, event_v2
from bareboat.local.gateway.call import Call, clock
from bareboat.local.messages import Request

API = Api("abcdefghij", account_id="111122223333", port="3000")
PREDICT = Route("POST /predict", "POST", "/predict", "predict")


def request(target="/predict", headers=(), body=b"", method="POST", peer=("127.0.0.1", 50000)) -> Request:
    return Request(method, target, [("Host", "127.0.0.1:3000"), *headers], body, peer)


def v2(*args, route=PREDICT, parameters=None, api=API, **kwargs):
    return event_v2.build_event(Call(request(*args, **kwargs), api), route, parameters or {})


def v1(*args, route=PREDICT, parameters=None, api=API, **kwargs):
    return event_v1.build_event(Call(request(*args, **kwargs), api), route, parameters or {})


# Format 2.0


def test_what_does_not_apply_is_absent_in_format_2():
    event = v2()

    assert sorted(event) == [
        "headers", "isBase64Encoded", "rawPath", "rawQueryString", "requestContext", "routeKey", "version",
    ]  # fmt: skip
    assert event["rawQueryString"] == ""
    assert event["isBase64Encoded"] is False


def test_headers_have_lower_case_names_and_joined_values_in_format_2():
    event = v2(headers=[("X-Two", "a"), ("Accept", "*/*"), ("x-two", "b"), ("X-TWO", "")])

    assert event["headers"]["x-two"] == "a,b,"
    assert event["headers"]["accept"] == "*/*"
    assert event["headers"]["host"] == "127.0.0.1:3000"


def test_cookies_leave_the_headers_in_format_2():
    event = v2(headers=[("Cookie", "session=abc123; theme=dark"), ("cookie", 'a="b;c=d"')])

    assert event["cookies"] == ["session=abc123", "theme=dark", 'a="b', 'c=d"']
    assert "cookie" not in event["headers"]


def test_the_query_is_decoded_and_joined_and_the_raw_query_left_as_it_was():
    query = "q=Hello%20World&tag=C%23%20Programming&tag=.NET%20Core&e&=x&&s=a+b%2Bc&bad=%zz"

    event = v2(f"/predict?{query}")

    assert event["rawQueryString"] == query
    assert event["queryStringParameters"] == {
        "q": "Hello World", "tag": "C# Programming,.NET Core", "e": "", "": "x", "s": "a b+c", "bad": "%zz",
    }  # fmt: skip
    assert event["rawPath"] == "/predict"


def test_a_question_mark_alone_is_no_query():
    assert "queryStringParameters" not in v2("/predict?")
    assert "queryStringParameters" not in v2("/predict?&&")
    assert v2("/predict?a?b=c")["queryStringParameters"] == {"a?b": "c"}


def test_the_path_is_decoded_in_format_2_and_only_in_the_context_of_format_1():
    # Recorded on HTTP APIs 2025-04-14 (aws-lambda-dotnet, LambdaTestTool-v2, *_UnicodeCharactersInPath*).
    target = "/products/%E2%98%95%20Coffee/reviews/%F0%9F%98%8A%20Happy"

    new, old = v2(target), v1(target)

    assert new["rawPath"] == new["requestContext"]["http"]["path"] == "/products/☕ Coffee/reviews/😊 Happy"
    assert old["path"] == target
    assert old["requestContext"]["path"] == "/products/☕ Coffee/reviews/😊 Happy"


def test_the_context_of_format_2():
    event = v2(headers=[("User-Agent", "curl/8")], peer=("127.0.0.1", 4711))

    context = event["requestContext"]
    assert context["accountId"] == "111122223333"
    assert context["apiId"] == "abcdefghij"
    assert (context["domainName"], context["domainPrefix"]) == ("127.0.0.1", "127")
    assert context["http"] == {
        "method": "POST", "path": "/predict", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "curl/8",
    }  # fmt: skip
    assert context["routeKey"] == event["routeKey"] == "POST /predict"
    assert context["stage"] == "$default"
    assert re.fullmatch(r"[A-Za-z0-9_-]{15}=", context["requestId"])
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
    assert isinstance(context["timeEpoch"], int)


def test_the_time_is_written_as_the_guide_writes_it():
    # lambda-go apigw-v2-request-no-authorizer.json: timeEpoch 1587481701067.
    assert clock(1587481701) == "21/Apr/2020:15:08:21 +0000"


def test_an_agent_that_says_nothing_of_itself_is_the_empty_string():
    assert v2()["requestContext"]["http"]["userAgent"] == ""  # recorded 2025-04-14
    assert v1()["requestContext"]["identity"]["userAgent"] == ""


def test_the_gateway_adds_the_headers_of_a_proxy():
    headers = v2(peer=("10.1.2.3", 1))["headers"]

    assert headers["x-forwarded-for"] == "10.1.2.3"
    assert headers["x-forwarded-port"] == "3000"
    assert headers["x-forwarded-proto"] == "http"
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])


@pytest.mark.parametrize("build", [v1, v2])
def test_a_client_cannot_speak_for_the_gateway(build):
    event = build(
        headers=[
            ("X-Forwarded-For", "6.6.6.6"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Port", "443"),
            ("X-Amzn-Trace-Id", "nonsense"),
        ]
    )

    headers = {name.lower(): value for name, value in event["headers"].items()}
    assert headers["x-forwarded-for"] == "6.6.6.6, 127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == "3000"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")


@pytest.mark.parametrize("build", [v1, v2])
def test_a_client_may_carry_a_trace_on(build):
    trace = "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c;Parent=53995c3f42cd8ad8;Sampled=1"
    call = Call(request(headers=[("X-Amzn-Trace-Id", trace)]), API)

    builder = event_v1 if build is v1 else event_v2
    event = builder.build_event(call, PREDICT, {})

    assert trace in event["headers"].values()
    assert call.trace_id == trace


@pytest.mark.parametrize("build", [v1, v2])
def test_headers_of_the_connection_stay_with_the_connection(build):
    hop = [("Connection", "keep-alive"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"), ("TE", "x")]

    names = {name.lower() for name in build(headers=hop, body=b"abc")["headers"]}

    assert names == {
        "content-length", "host", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto",
    }  # fmt: skip


def test_the_length_is_as_sent_and_else_what_arrived():
    assert v2()["headers"]["content-length"] == "0"  # as in the sample of aws-lambda-go
    assert v2(body=b"abc")["headers"]["content-length"] == "3"
    assert v2(body=b"abc", headers=[("Content-Length", "03")])["headers"]["content-length"] == "03"
    assert v1()["headers"]["Content-Length"] == "0"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON; charset=utf-8", "text/plain", "text/csv;header=present", "Text/Html",
     "application/xml", "application/javascript"],
)  # fmt: skip
def test_a_body_of_text_is_the_body(content_type):
    event = v2(body='{"a": "ä☕"}'.encode(), headers=[("Content-Type", content_type)])

    assert event["body"] == '{"a": "ä☕"}'
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    "content_type",
    [None, "", "application/octet-stream", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "image/png", "application/jsonp", "textual"],
)  # fmt: skip
def test_any_other_body_is_base64(content_type):
    headers = [] if content_type is None else [("Content-Type", content_type)]

    for event in (v2(body=b"\x01\x02", headers=headers), v1(body=b"\x01\x02", headers=headers)):
        assert event["body"] == "AQI="
        assert event["isBase64Encoded"] is True


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"a": "\xe9"}', b"\xed\xa0\x80"])
def test_a_body_that_is_not_utf8_is_base64_whatever_its_type(body):
    event = v2(body=body, headers=[("Content-Type", "application/json")])

    assert base64.b64decode(event["body"]) == body
    assert event["isBase64Encoded"] is True


def test_a_body_that_is_not_json_goes_to_the_function_as_it_is():
    body = b"[" * 100_000

    event = v2(body=body, headers=[("Content-Type", "application/json")])

    assert event["body"] == body.decode()
    assert msgspec.json.decode(msgspec.json.encode(event))["body"] == body.decode()


def test_path_parameters_and_stage_variables_stand_in_both_formats():
    api = Api("x", stage_variables={"a": "b"})
    route = Route("GET /items/{id}", "GET", "/items/{id}", "items")

    new = v2("/items/7", route=route, parameters={"id": "7"}, api=api, method="GET")
    old = v1("/items/7", route=route, parameters={"id": "7"}, api=api, method="GET")

    assert new["pathParameters"] == old["pathParameters"] == {"id": "7"}
    assert new["stageVariables"] == old["stageVariables"] == {"a": "b"}
    assert old["resource"] == old["requestContext"]["resourcePath"] == "/items/{id}"
    assert old["requestContext"]["resourceId"] == "GET /items/{id}"  # recorded 2025-04-14


@pytest.mark.parametrize("build", [v1, v2])
def test_a_header_that_is_utf8_is_read_as_utf8_and_else_as_latin_1(build):
    event = build(headers=[("X-A", "ä".encode().decode("latin-1")), ("X-B", "\xe4")])

    values = {name.lower(): value for name, value in event["headers"].items()}
    assert (values["x-a"], values["x-b"]) == ("ä", "ä")
    msgspec.json.encode(event)


@pytest.mark.parametrize(
    ("host", "name", "prefix"),
    [
        ("localhost:3000", "localhost", "localhost"),
        ("api.example.com", "api.example.com", "api"),
        ("[::1]:3000", "[::1]", "[::1]"),
    ],
)
def test_the_domain_is_the_host_without_its_port(host, name, prefix):
    event = event_v2.build_event(Call(Request("GET", "/", [("Host", host)], b"", ("::1", 1)), API), PREDICT, {})

    assert event["headers"]["host"] == host
    assert (event["requestContext"]["domainName"], event["requestContext"]["domainPrefix"]) == (name, prefix)


def test_a_request_without_host_has_the_address_of_the_server():
    event = event_v2.build_event(Call(Request("GET", "/", [], b"", ("127.0.0.1", 1)), API), PREDICT, {})

    assert event["requestContext"]["domainName"] == "127.0.0.1"


def test_a_target_in_absolute_form_is_its_path():
    event = v2("http://127.0.0.1:3000/predict?a=1")

    assert event["rawPath"] == "/predict"
    assert event["rawQueryString"] == "a=1"
    assert v2("http://127.0.0.1:3000")["rawPath"] == "/"


# Format 1.0


def test_what_does_not_apply_is_null_in_format_1():
    event = v1()

    for key in (
        "body", "multiValueQueryStringParameters", "pathParameters", "queryStringParameters", "stageVariables",
    ):  # fmt: skip
        assert event[key] is None
    identity = event["requestContext"]["identity"]
    assert {name for name, value in identity.items() if value is None} == {
        "accessKey", "accountId", "caller", "cognitoAmr", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
        "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn",
    }  # fmt: skip


def test_repeated_headers_and_parameters_have_their_last_value_and_a_twin_with_all_in_format_1():
    event = v1("/predict?a=1&b=2&a=3", headers=[("Header2", "value1"), ("header2", "value2")])

    assert event["headers"]["Header2"] == "value2"
    assert event["multiValueHeaders"]["Header2"] == ["value1", "value2"]
    assert event["queryStringParameters"] == {"a": "3", "b": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "3"], "b": ["2"]}


def test_header_names_are_written_as_http_apis_write_them_in_format_1():
    # Seen on AWS from Postman, python-requests and a Go client, which all send Accept, Accept-Encoding, ...
    sent = ["accept", "USER-AGENT", "content-type", "Accept-Encoding", "Cache-Control", "Postman-Token", "x-My-own"]

    names = set(v1(headers=[(name, "x") for name in sent])["headers"])

    assert names == {
        "accept", "User-Agent", "Content-Type", "accept-encoding", "cache-control", "Postman-Token", "x-My-own",
        "Host", "Content-Length", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto",
    }  # fmt: skip


def test_cookies_are_a_header_in_format_1():
    event = v1(headers=[("Cookie", "session=abc123; theme=dark")])

    assert event["headers"]["cookie"] == "session=abc123; theme=dark"
    assert "cookies" not in event


def test_the_default_route_is_named_in_both_formats():
    route = Route("$default", "*", "*", "f")

    assert v2(route=route)["routeKey"] == "$default"
    assert v1(route=route)["resource"] == "$default"
    assert v1(route=route)["requestContext"]["resourceId"] == "$default"
