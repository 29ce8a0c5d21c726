"""Lambda authorizers: what they are asked, what their answers mean, how long those are kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from bareboat.errors import LocalError
from bareboat.local.access import Allowed, Refused, lambda_guard
from bareboat.local.gateway import Api
from bareboat.local.messages import Request
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.methods import rest_table
from bareboat.local.verdict import Verdict
from bareboat.service.api import LambdaAuthorizer
from bareboat.service.model import Place
from bareboat.service.triggers import HttpEvent

HERE = Place("serverless.yml", 1, 1)
SIMPLE = LambdaAuthorizer(
    "gate", HERE, function="gate", simple=True, identity_sources=("$request.header.X-Who",), ttl_s=0
)
TOKEN = LambdaAuthorizer(
    "gate",
    HERE,
    function="gate",
    kind="token",
    payload="1.0",
    identity_sources=("method.request.header.Authorization",),
    ttl_s=300,
)


def policy(effect: str = "Allow", resource: Any = "*", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {"principalId": "ada", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}, **more}


# --- HTTP APIs


def http(make, answer, authorizer=SIMPLE, **more):
    def gate(event):
        return answer(event) if callable(answer) else answer

    return make.http_api(authorizer, functions={"gate": gate}, **more)


def test_a_simple_answer_lets_in_with_its_context(make):
    api = http(make, {"isAuthorized": True, "context": {"n": 1, "deep": {"a": [True, None]}}})

    response = api.get(headers={"X-Who": "ada"})

    assert json.loads(response.body)["authorizer"] == {"lambda": {"n": 1, "deep": {"a": [True, None]}}}
    assert api.records[-1].authorizer == "gate"


def test_a_simple_no_is_forbidden(make):
    api = http(make, {"isAuthorized": False})

    response = api.get(headers={"X-Who": "ada"})

    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert (api.records[-1].refused, api.records[-1].function) == ("ACCESS_DENIED", "")
    assert api.cloud.called("f") == 0


@pytest.mark.parametrize("headers", [{}, {"X-Who": ""}, {"X-Who": " "}, {"X-Other": "ada"}])
def test_without_its_identity_nobody_is_asked(make, headers):
    api = http(make, {"isAuthorized": True})

    response = api.get(headers=headers)

    assert (response.status, response.body) == (401, b'{"message":"Unauthorized"}')
    assert api.cloud.calls == []


@pytest.mark.parametrize(
    "answer",
    [
        None,
        True,
        "true",
        [],
        {},
        {"isAuthorized": "true"},
        {"isAuthorized": 1},
        {"isAuthorized": None},
        {"isauthorized": True},
        {"isAuthorized": True, "context": "text"},
        policy(),
    ],
)
def test_an_answer_that_is_neither_yes_nor_no_lets_nobody_in(make, answer):
    api = http(make, answer)

    response = api.get(headers={"X-Who": "ada"})

    assert (response.status, response.body) == (500, b'{"message":"Internal Server Error"}')
    assert api.cloud.called("f") == 0


@pytest.mark.parametrize("error", [ValueError("Unauthorized"), LocalError("no interpreter"), KeyError("x")])
def test_a_function_that_fails_lets_nobody_in(make, error):
    def gate(_event):
        raise error

    api = make.http_api(SIMPLE, functions={"gate": gate})

    assert api.get(headers={"X-Who": "ada"}).status == 500
    assert api.cloud.called("f") == 0


def test_a_function_that_cannot_be_started_lets_nobody_in(make):
    api = make.http_api(replace(SIMPLE, function="nobody"))

    assert api.get(headers={"X-Who": "ada"}).status == 500


def test_a_function_of_elsewhere_lets_nobody_in(make):
    api = make.http_api(replace(SIMPLE, function="", arn="arn:aws:lambda:eu-west-1:1:function:other"))

    assert api.get(headers={"X-Who": "ada"}).status == 500
    assert api.cloud.calls == []


def test_an_answer_that_takes_too_long_lets_nobody_in(make, monkeypatch):
    monkeypatch.setattr("bareboat.local.access.lambda_guard.LIMIT_S", 0.05)

    async def gate(_event):
        await asyncio.sleep(0.3)
        return {"isAuthorized": True}

    api = make.http_api(SIMPLE, functions={"gate": gate})

    assert api.get(headers={"X-Who": "ada"}).status == 500
    assert api.cloud.called("f") == 0


def test_the_event_of_format_2_0(make):
    api = http(make, {"isAuthorized": True}, paths=("/x/{id}",))

    asyncio.run(api.send("GET", "/x/7?a=1&a=2", {"X-Who": "ada", "Cookie": "c=1"}, b"secret body"))

    _, event = api.cloud.calls[0]
    assert event["version"] == "2.0"
    assert event["type"] == "REQUEST"
    assert event["routeArn"] == "arn:aws:execute-api:eu-west-1:123456789012:abc123/$default/GET/x/7"
    assert event["identitySource"] == ["ada"]
    assert event["routeKey"] == "GET /x/{id}"
    assert event["rawPath"] == "/x/7"
    assert event["rawQueryString"] == "a=1&a=2"
    assert event["cookies"] == ["c=1"]
    assert event["headers"]["x-who"] == "ada"
    assert event["headers"]["content-length"] == "11"
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["stageVariables"] == {"tier": "gold"}
    assert event["requestContext"]["http"]["method"] == "GET"
    assert "body" not in event
    assert "isBase64Encoded" not in event


def test_the_event_of_format_1_0(make):
    authorizer = replace(
        SIMPLE, simple=False, payload="1.0", identity_sources=("$request.header.X-Who", "$context.stage")
    )
    api = http(make, policy(), authorizer)

    assert api.get(headers={"X-Who": "ada"}).status == 200

    _, event = api.cloud.calls[0]
    assert event["version"] == "1.0"
    assert event["type"] == "REQUEST"
    assert event["methodArn"] == "arn:aws:execute-api:eu-west-1:123456789012:abc123/$default/GET/x"
    assert event["identitySource"] == event["authorizationToken"] == "ada,$default"
    assert event["queryStringParameters"] == {}
    assert event["pathParameters"] == {}
    assert "body" not in event


@pytest.mark.parametrize(
    ("source", "target", "headers", "value"),
    [
        ("$request.header.x-WHO", "/x", {"X-Who": "ada"}, "ada"),
        ("$request.querystring.who", "/x?who=a%20b&who=c", {}, "a b,c"),
        ("$context.httpMethod", "/x", {}, "GET"),
        ("$context.routeKey", "/x", {}, "GET /x"),
        ("$context.identity.sourceIp", "/x", {}, "127.0.0.1"),
        ("$stageVariables.tier", "/x", {}, "gold"),
    ],
)
def test_identity_sources(make, source, target, headers, value):
    api = http(make, {"isAuthorized": True}, replace(SIMPLE, identity_sources=(source,)))

    assert api.get(target, headers).status == 200
    assert api.cloud.calls[0][1]["identitySource"] == [value]


@pytest.mark.parametrize("source", ["$request.body.x", "$context.nothing", "", "Authorization"])
def test_an_identity_source_that_means_nothing_lets_nobody_in(make, source):
    api = http(make, {"isAuthorized": True}, replace(SIMPLE, identity_sources=(source,)))

    assert api.get("/x", {"X-Who": "ada", "Authorization": "ada"}).status == 500


def test_answers_are_kept_by_identity_for_their_time(make):
    api = http(make, lambda event: {"isAuthorized": event["identitySource"] == ["ada"]}, replace(SIMPLE, ttl_s=60))

    statuses = [api.get(headers={"X-Who": who}).status for who in ("ada", "bob", "ada", "bob", "ada")]
    asked = api.cloud.called("gate")
    make.clock.at += 60
    again = api.get(headers={"X-Who": "ada"}).status

    assert statuses == [200, 403, 200, 403, 200]
    assert (asked, again, api.cloud.called("gate")) == (2, 200, 3)


def test_without_a_time_each_request_asks(make):
    api = http(make, {"isAuthorized": True})

    for _ in range(3):
        api.get(headers={"X-Who": "ada"})

    assert api.cloud.called("gate") == 3


def test_failures_are_not_kept(make):
    answers = iter([None, {"isAuthorized": True}])
    api = http(make, lambda _: next(answers), replace(SIMPLE, ttl_s=60))

    assert [api.get(headers={"X-Who": "ada"}).status for _ in range(3)] == [500, 200, 200]


def test_a_kept_policy_is_asked_again_for_each_route(make):
    arn = "arn:aws:execute-api:eu-west-1:123456789012:abc123/$default/GET/x"
    api = http(make, policy(resource=arn), replace(SIMPLE, simple=False, ttl_s=60), paths=("/x", "/y"))

    assert [api.get(path, {"X-Who": "ada"}).status for path in ("/x", "/y", "/x")] == [200, 403, 200]
    assert api.cloud.called("gate") == 1


def test_a_denied_path_cannot_be_reached_by_writing_it_otherwise(make):
    denied = [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"},
        {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*/GET/admin/*"},
    ]
    answer = {"principalId": "ada", "policyDocument": {"Version": "2012-10-17", "Statement": denied}}
    api = http(make, answer, replace(SIMPLE, simple=False), paths=("/admin/{proxy+}", "/{proxy+}"))

    ways = ["/admin/x", "/%61dmin/x", "/admin%2Fx", "/admin//x", "/admin/../admin/x"]

    assert [api.get(way, {"X-Who": "ada"}).status for way in ways] == [403] * len(ways)
    assert api.get("/open", {"X-Who": "ada"}).status == 200


# --- REST APIs


class Rest:
    """A REST API's access control that can be asked."""

    def __init__(self, make, answer, authorizer=TOKEN, *, paths=("/x",), method="GET", **more):
        events = tuple(HttpEvent(method, path, HERE, authorizer=authorizer, **more) for path in paths)
        gate = answer if callable(answer) else lambda _: answer
        self.access, self.cloud, self.service = make.rest_access(*events, functions={"gate": gate})
        self.table = rest_table(self.service)

    def check(self, path="/x", headers=(), *, method="GET", body=b"") -> Verdict:
        api = Api("abc123", stage="dev", stage_variables={"tier": "gold"})
        call = RestCall(Request(method, f"/dev{path}", [("Host", "a"), *headers], body, ("127.0.0.1", 1)), api)
        found = self.table.find(method, call.resource_path)
        assert found is not None
        route, call.parameters = found

        async def run() -> Verdict:
            verdict = self.access.check(call, route)
            return verdict if isinstance(verdict, Allowed | Refused) else await verdict

        return asyncio.run(run())


AUTHORIZATION = [("Authorization", "ada")]


def test_a_policy_lets_in_with_its_context_as_text(make):
    """The values are those that somebody saw on AWS (docs/fidelity.md)."""
    rest = Rest(make, policy(context={"str": "hello", "num": 123, "bool": True, "null": None}))

    verdict = rest.check(headers=AUTHORIZATION)

    assert isinstance(verdict, Allowed)
    assert verdict.context == {
        "str": "hello",
        "bool": "true",
        "null": None,
        "num": "123",
        "principalId": "ada",
        "integrationLatency": 0,
    }


def test_the_event_of_a_token_authorizer(make):
    rest = Rest(make, policy(), paths=("/x/{id}",))

    rest.check("/x/7?a=1", AUTHORIZATION)

    assert rest.cloud.calls[0][1] == {
        "type": "TOKEN",
        "authorizationToken": "ada",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/x/7",
    }


def test_the_event_of_a_request_authorizer(make, oracle):
    sample = json.loads((oracle / "lambda-go" / "apigw-custom-auth-request-type-request.json").read_text())
    authorizer = replace(TOKEN, kind="request", identity_sources=("method.request.querystring.who",))
    rest = Rest(make, policy(), authorizer, paths=("/x/{id}",))

    rest.check("/x/7?who=ada", body=b"secret")

    event = rest.cloud.calls[0][1]
    assert sample.keys() <= event.keys() | {"multiValueQueryStringParameters"}
    assert sample["requestContext"].keys() <= event["requestContext"].keys()
    assert event["methodArn"] == "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/x/7"
    assert event["queryStringParameters"] == {"who": "ada"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["stageVariables"] == {"tier": "gold"}
    assert "body" not in event


def said(verdict: Verdict) -> tuple[str, int, str | None]:
    assert isinstance(verdict, Refused)
    return verdict.kind, verdict.status, verdict.message


def test_without_a_token_nobody_is_asked(make):
    rest = Rest(make, policy())

    assert said(rest.check()) == ("UNAUTHORIZED", 401, "Unauthorized")
    assert rest.cloud.calls == []


@pytest.mark.parametrize(("token", "is_asked"), [("Bearer abc", True), ("Bearer ", False), ("abc", False)])
def test_a_token_must_match_the_expression(make, token, is_asked):
    rest = Rest(make, policy(), replace(TOKEN, pattern="^Bearer [a-z]+$"))

    verdict = rest.check(headers=[("Authorization", token)])

    assert isinstance(verdict, Allowed) is is_asked
    assert len(rest.cloud.calls) == is_asked


def test_an_expression_that_does_not_end_lets_nobody_in(make):
    rest = Rest(make, policy(), replace(TOKEN, pattern="^(a|a)*$"))

    verdict = rest.check(headers=[("Authorization", "a" * 40 + "!")])

    assert isinstance(verdict, Refused)
    assert verdict.status == 401
    assert rest.cloud.calls == []


def test_an_expression_that_is_none_lets_nobody_in(make):
    rest = Rest(make, policy(), replace(TOKEN, pattern="(["))

    assert said(rest.check(headers=AUTHORIZATION)) == ("AUTHORIZER_CONFIGURATION_ERROR", 500, None)


ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/x"
NOT_ALLOWED = ("ACCESS_DENIED", 403, "User is not authorized to access this resource")
DENIED = ("ACCESS_DENIED", 403, "User is not authorized to access this resource with an explicit deny")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (policy(resource=ARN), None),
        (policy(resource=[ARN + "/other", ARN]), None),
        (policy(resource="arn:aws:execute-api:*:*:*/*/GET/*"), None),
        (policy(resource="arn:aws:execute-api:eu-west-1:123456789012:abc123/d?v/GET/x"), None),
        (policy(resource=ARN.replace("GET", "POST")), NOT_ALLOWED),
        (policy(resource=ARN + "/"), NOT_ALLOWED),
        (policy(resource=ARN.replace("/x", "/X")), NOT_ALLOWED),
        (policy(resource=ARN.replace("abc123", "abc1.3")), NOT_ALLOWED),
        (policy("Deny"), DENIED),
        (policy("Deny", resource=ARN + "y"), NOT_ALLOWED),
    ],
)
def test_policies(make, answer, expected):
    verdict = Rest(make, answer).check(headers=AUTHORIZATION)

    assert isinstance(verdict, Allowed) if expected is None else said(verdict) == expected


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "allow",
        {},
        {"principalId": "ada"},
        {**policy(), "principalId": None},
        {**policy(), "principalId": ""},
        {"isAuthorized": True},
        {"principalId": "ada", "policyDocument": {}},
        {"principalId": "ada", "policyDocument": {"Statement": "Allow"}},
        {"principalId": "ada", "policyDocument": {"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]}},
        {"principalId": "ada", "policyDocument": {"Statement": [{"Effect": "Allow", "Resource": "*"}]}},
        {"principalId": "ada", "policyDocument": {"Statement": [{"Effect": "Allow", "Action": "*"}]}},
        policy(context={"a": {"b": 1}}),
        policy(context=["a"]),
    ],
)
def test_a_policy_that_is_none_is_a_configuration_error(make, answer):
    rest = Rest(make, answer)

    assert said(rest.check(headers=AUTHORIZATION)) == ("AUTHORIZER_CONFIGURATION_ERROR", 500, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Unauthorized", ("UNAUTHORIZED", 401, "Unauthorized")),
        ("unauthorized", ("AUTHORIZER_CONFIGURATION_ERROR", 500, None)),
        ("Unauthorized: who?", ("AUTHORIZER_CONFIGURATION_ERROR", 500, None)),
    ],
)
def test_raising_unauthorized_is_401(make, text, expected):
    def gate(_event):
        raise RuntimeError(text)

    assert said(Rest(make, gate).check(headers=AUTHORIZATION)) == expected


def test_a_kept_policy_of_a_rest_api_is_asked_again_for_each_method(make):
    rest = Rest(make, policy(resource=ARN), paths=("/x", "/y"))

    kinds = [type(rest.check(path, AUTHORIZATION)) for path in ("/x", "/y", "/x")]

    assert kinds == [Allowed, Refused, Allowed]
    assert rest.cloud.called("gate") == 1


def test_a_request_authorizer_without_sources_keeps_nothing(make):
    authorizer = replace(TOKEN, kind="request", identity_sources=(), ttl_s=0)
    rest = Rest(make, policy(), authorizer)

    assert all(isinstance(rest.check(), Allowed) for _ in range(2))
    assert rest.cloud.called("gate") == 2


def test_the_kept_answers_are_bounded(make, monkeypatch):
    monkeypatch.setattr(lambda_guard, "KEPT_ANSWERS", 3)
    rest = Rest(make, policy())

    for who in "abcda":
        rest.check(headers=[("Authorization", who)])

    assert rest.cloud.called("gate") == 5
