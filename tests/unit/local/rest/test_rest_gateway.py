"""The REST API with functions that are a few lines of Python: paths, errors, what it tells of each request."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from bareboat.errors import LocalError
from bareboat.local.invocation import Throttled
from bareboat.local.messages import Response
from bareboat.local.verdict import Allowed, Refused
from bareboat.service.api import GatewayResponse, RequestRules, RestApi

MEBIBYTE = 1024 * 1024


def test_a_request_reaches_its_function_and_the_answer_the_client(kit):
    rest = kit.Rest(kit.service(kit.http("GET /items/{id}")))

    response = rest.ask("GET", "/dev/items/7?a=1&a=2", {"User-Agent": "me"})

    assert response.status == 200
    event = json.loads(response.body)
    assert event["pathParameters"] == {"id": "7"}
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    function, _, trace_id, source = rest.invoke.calls[0]
    headers = dict(response.headers)
    assert (function, source) == ("f", "http")
    assert headers["X-Amzn-Trace-Id"] == trace_id
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-amzn-RequestId"])
    assert len(headers["x-amz-apigw-id"]) == 16
    record = rest.records[0]
    assert (record.api, record.route, record.path) == ("http", "GET /items/{id}", "/dev/items/7")
    assert (record.function, record.invocation_id, record.refused) == ("f", "an-id", "")
    assert record.request_id == headers["x-amzn-RequestId"]


@pytest.mark.parametrize(
    ("target", "body", "refused", "error"),
    [
        ("/dev/none", b'{"message":"Missing Authentication Token"}', "MISSING_AUTHENTICATION_TOKEN", ""),
        ("/", b'{"message":"Missing Authentication Token"}', "MISSING_AUTHENTICATION_TOKEN", "/dev/"),
        ("/items/1", b'{"message":"Forbidden"}', "STAGE_NOT_FOUND", "/dev/items/1"),
        ("/development/items/1", b'{"message":"Forbidden"}', "STAGE_NOT_FOUND", "/dev/development/items/1"),
    ],
)
def test_what_is_not_there_is_a_403(kit, target, body, refused, error):
    rest = kit.Rest(kit.service(kit.http("GET /items/{id}")))

    response = rest.ask("GET", target)

    assert (response.status, response.body) == (403, body)
    assert rest.records[0].refused == refused
    assert error in rest.records[0].error
    assert rest.records[0].function == ""


@pytest.mark.parametrize(
    ("method", "target", "key"),
    [
        ("GET", "/dev", "GET /"),
        ("GET", "/dev/", "GET /"),
        ("POST", "/dev/test", "POST /test"),
        ("OPTIONS", "/dev/test", "OPTIONS /{proxy+}"),  # checked against AWS: a path without the method lets others in
        ("OPTIONS", "/dev/test/any", "ANY /test/any"),
        ("GET", "/dev/test/any/", "ANY /test/any"),
        ("HEAD", "/dev/test/any", "ANY /test/any"),
        ("OPTIONS", "/dev/test/other", "OPTIONS /{proxy+}"),
        ("POST", "/dev/", ""),
        ("HEAD", "/dev", ""),
        ("GET", "/dev/files/", ""),
        ("GET", "/dev/files/a//b", "GET /files/{path+}"),
        ("GET", "http://h/dev/test/any", "ANY /test/any"),
    ],
)
def test_the_method_of_a_path(kit, method, target, key):
    keys = ("GET /", "POST /test", "ANY /test/any", "OPTIONS /{proxy+}", "GET /files/{path+}")
    rest = kit.Rest(kit.service(*(kit.http(each) for each in keys)))

    rest.ask(method, target)

    assert rest.records[0].route == key


@pytest.mark.parametrize(
    ("method", "target", "why"),
    [
        ("GET", "/dev/nope", "no route has this path"),
        ("POST", "/dev/x", "no route: the path has GET"),
        ("GET", "/dev/x", "Missing required request parameters: [q]"),
    ],
)
def test_the_log_says_why_a_request_is_refused(kit, method, target, why):
    rules = RequestRules({"querystring.q": True})
    rest = kit.Rest(kit.service(kit.http("GET /x", rules=rules)))

    rest.ask(method, target)

    assert rest.records[0].error == why


def test_path_parameters_and_bodies_are_as_sent(kit):
    rest = kit.Rest(kit.service(kit.http("POST /a/{x}/{y+}")))

    rest.ask("POST", "/dev/a/1%2F2/b%20c/d/", {"Content-Type": "text/plain"}, "é".encode() + b"\xff")

    assert rest.event["pathParameters"] == {"x": "1%2F2", "y": "b%20c/d"}
    assert (rest.event["body"], rest.event["isBase64Encoded"]) == ("é\ufffd", False)


@pytest.mark.parametrize(("types", "encoded"), [(("image/png",), True), (("*/*",), True), (("image/jpeg",), False)])
def test_a_body_of_a_binary_type_is_base64(kit, types, encoded):
    rest = kit.Rest(kit.service(kit.http("POST /x"), rest=RestApi(binary_types=types)))

    rest.ask("POST", "/dev/x", {"content-type": "image/png; q=1"}, b"png")

    assert rest.event["isBase64Encoded"] is encoded
    assert rest.event["body"] == ("cG5n" if encoded else "png")


@pytest.mark.parametrize(
    ("outcome", "status", "body", "why"),
    [
        (ZeroDivisionError("division by zero"), 502, "Internal server error", "ZeroDivisionError: division by zero"),
        (None, 502, "Internal server error", "null"),
        ({"statusCode": 200, "cookies": []}, 502, "Internal server error", "multiValueHeaders"),
        ({"statusCode": 99}, 502, "Internal server error", "99"),
        ({"statusCode": "9" * 5000}, 502, "Internal server error", "expected a whole number"),
        ({"headers": {"a": {}}}, 502, "Internal server error", "an object"),
        ({"headers": {"a b": "c"}}, 502, "Internal server error", "no header name"),
        ({"headers": {"a": "b\r\nc: d"}}, 502, "Internal server error", "line break"),
        ({"body": {"a": 1}}, 502, "Internal server error", "body"),
        (Throttled("f", 1, reserved=True), 500, "Internal server error", "Rate Exceeded"),
        (LocalError("no interpreter"), 502, "Internal server error", "no interpreter"),
    ],
)
def test_what_goes_wrong_is_an_error_whose_reason_is_only_told_here(kit, outcome, status, body, why):
    def handler(_):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    rest = kit.Rest(kit.service(kit.http("GET /x")), kit.Functions(handler))

    response = rest.ask("GET", "/dev/x")

    assert response.status == status
    assert response.body == b'{"message": "%s"}' % body.encode()
    assert why in rest.records[0].error
    assert rest.records[0].refused == ""
    assert "X-Amzn-Trace-Id" not in dict(response.headers)


@pytest.mark.parametrize("function_timeout_s", [1, 900])
def test_a_function_that_takes_too_long_is_a_504(kit, function_timeout_s):
    async def slow(*_):
        await asyncio.sleep(5)

    service = kit.service(kit.http("GET /x", timeout_s=0.05), timeout_s=function_timeout_s)

    response = kit.Rest(service, slow).ask("GET", "/dev/x")

    assert (response.status, response.body) == (504, b'{"message": "Endpoint request timed out"}')


def test_what_is_too_large_is_a_413(kit):
    rest = kit.Rest(kit.service(kit.http("POST /x")))

    large = rest.ask("POST", "/dev/x", {}, b"x" * (6 * MEBIBYTE + 1))
    escaped = rest.ask("POST", "/dev/x", {}, b'"' * (4 * MEBIBYTE))  # each is two bytes in the event
    larger = rest.gateway.refuse(413)

    for response in (large, escaped, larger):
        assert (response.status, response.body) == (413, b'{"message":"Request Too Long"}')
    assert rest.records[0].refused == "REQUEST_TOO_LARGE"
    assert rest.invoke.calls == []


def test_async_answers_at_once_and_the_function_gets_the_templates_event(kit):
    event = kit.http("POST /later/{id}", integration="AWS", asynchronous=True)
    rest = kit.Rest(kit.service(event))

    response = rest.ask("POST", "/dev/later/1?a=b", {"Content-Type": "application/x-www-form-urlencoded"}, b"k=v+w&x")

    assert (response.status, response.body) == (200, b"")
    assert rest.event["body"] == {"k": "v w", "x": ""}
    assert (rest.event["path"], rest.event["query"]) == ({"id": "1"}, {"a": "b"})
    assert rest.event["requestPath"] == "/later/{id}"
    assert rest.event["identity"]["sourceIp"] == "127.0.0.1"
    assert rest.event["identity"]["user"] == ""


def test_a_lambda_integration_knows_two_types_of_body(kit):
    rest = kit.Rest(kit.service(kit.http("POST /x", integration="AWS")))

    refused = rest.ask("POST", "/dev/x", {"Content-Type": "text/plain"}, b"x")
    taken = rest.ask("POST", "/dev/x", {}, b'{"a": 1}')

    assert (refused.status, refused.body) == (415, b'{"message": "Unsupported Media Type"}')
    assert taken.status == 200
    assert rest.event["body"] == {"a": 1}


@pytest.mark.parametrize("options", [{"response": {}}, {"request": {"template": {}}}])
def test_templates_of_ones_own_are_a_501(kit, options):
    rest = kit.Rest(kit.service(kit.http("GET /x", integration="AWS", options=options)))

    response = rest.ask("GET", "/dev/x")

    assert response.status == 501
    assert b"not served locally" in response.body
    assert rest.invoke.calls == []


class Says:
    """Access control that always says the same."""

    def __init__(self, verdict, *, later: bool = False) -> None:
        self.verdict = verdict
        self.later = later
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def check(self, call, route):
        self.asked.append((route.key, call.path, call.parameters))

        async def answer():
            await asyncio.sleep(0)
            return self.verdict

        return answer() if self.later else self.verdict


@pytest.mark.parametrize("later", [False, True])
def test_access_control_is_asked_before_anything_else(kit, later):
    refused = Refused("INVALID_API_KEY", 403, "Forbidden", (("X-More", "1"),), reason="no key", authorizer="a")
    access = Says(refused, later=later)
    rest = kit.Rest(kit.service(kit.http("GET /x/{id}")), access=access)

    response = rest.ask("GET", "/dev/x/1")

    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert dict(response.headers)["x-amzn-ErrorType"] == "ForbiddenException"
    assert dict(response.headers)["X-More"] == "1"
    assert access.asked == [("GET /x/{id}", "/x/1", {"id": "1"})]
    assert rest.invoke.calls == []
    record = rest.records[0]
    assert (record.refused, record.error, record.authorizer) == ("INVALID_API_KEY", "no key", "a")


@pytest.mark.parametrize("later", [False, True])
def test_what_access_control_lets_in_is_in_the_event(kit, later):
    allowed = Allowed({"principalId": "me"}, {"apiKey": "k", "apiKeyId": "i"}, authorizer="a", api_key="first")
    rest = kit.Rest(kit.service(kit.http("GET /x")), access=Says(allowed, later=later))

    rest.ask("GET", "/dev/x")

    assert rest.event["requestContext"]["authorizer"] == {"principalId": "me"}
    assert rest.event["requestContext"]["identity"]["apiKey"] == "k"
    assert (rest.records[0].authorizer, rest.records[0].api_key) == ("a", "first")


def test_an_authorizers_failure_says_null_and_a_denial_has_a_capital_letter(kit):
    failed = kit.Rest(kit.service(kit.http("GET /x")), access=Says(Refused("AUTHORIZER_FAILURE", 500, "never told")))
    denied = kit.Rest(kit.service(kit.http("GET /x")), access=Says(Refused("ACCESS_DENIED", 403, "no")))

    assert failed.ask("GET", "/dev/x").body == b'{"message":null}'
    assert denied.ask("GET", "/dev/x").body == b'{"Message":"no"}'


def test_a_gateway_response_can_name_what_the_schema_said_and_the_request(kit):
    own = GatewayResponse(
        "DEFAULT_4XX",
        kit.HERE,
        headers={"x-path": "method.request.path.id", "x-ip": "context.identity.sourceIp"},
        templates={
            "application/xml": "<e>$context.error.message</e>",
            "application/json": '{"id":"$context.requestId"}',
        },
    )
    service = kit.service(kit.http("GET /x/{id}"), rest=RestApi(responses=(own,)))
    rest = kit.Rest(service, access=Says(Refused("UNAUTHORIZED", 401, "Unauthorized")))

    xml = rest.ask("GET", "/dev/x/1", {"Accept": "application/xml;q=1, */*"})
    plain = rest.ask("GET", "/dev/x/1")

    assert (xml.status, xml.body) == (401, b"<e>Unauthorized</e>")
    headers = dict(xml.headers)
    assert (headers["x-path"], headers["x-ip"]) == ("1", "127.0.0.1")
    assert headers["Content-Type"] == "application/xml"
    assert json.loads(plain.body) == {"id": dict(plain.headers)["x-amzn-RequestId"]}


def test_two_path_variables_in_a_place_are_refused_with_the_place(kit):
    with pytest.raises(LocalError, match="takes one path variable") as caught:
        kit.Rest(kit.service(kit.http("GET /{a}"), kit.http("GET /{b}/c")))

    assert "serverless.yml:1:1" in str(caught.value)


def test_close_ends_what_still_runs(kit):
    ended = []

    async def slow(*_):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def run() -> None:
        event = kit.http("POST /x", integration="AWS", asynchronous=True)
        rest = kit.Rest(kit.service(event, kit.http("GET /y", timeout_s=0.01), timeout_s=900), slow)
        for method, target in (("POST", "/dev/x"), ("GET", "/dev/y")):
            answer = rest.gateway.handle(kit.Request(method, target, [], b"", ("127.0.0.1", 1)))
            assert not isinstance(answer, Response)
            await answer
        await asyncio.sleep(0)
        await rest.gateway.close()

    asyncio.run(run())

    assert ended == [True, True]
