"""The resource policy of a REST API, alone and beside authorizers.

Expected verdicts: API Gateway developer guide, "How API Gateway resource policies affect authorization workflow"
(flows, and Table A for one account); texts: "Troubleshoot your resource policy" and the knowledge centre's article.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from bareboat.local.addresses import api_id
from bareboat.local.gateway.call import Api
from bareboat.local.messages import Request
from bareboat.local.rest.call import RestCall
from bareboat.local.verdict import Allowed, Refused
from bareboat.service.api import IamAuthorizer, LambdaAuthorizer, RestApi
from bareboat.service.model import Place
from bareboat.service.triggers import HttpEvent

HERE = Place("serverless.yml", 1, 1)
TOKEN = LambdaAuthorizer(
    "auth", HERE, kind="token", function="auth", identity_sources=("method.request.header.Authorization",), ttl_s=0
)


def statement(effect: str = "Allow", resource: Any = "execute-api:/*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": resource, **more}


def from_ip(*addresses: str, operator: str = "IpAddress") -> dict[str, Any]:
    return {operator: {"aws:SourceIp": list(addresses)}}


def ask(
    make: Any, *statements: Any, peer: str = "10.1.2.3", authorizer: Any = None, answer: Any = None, path: str = "/x"
) -> Any:
    """Return what becomes of a request, and how often the authorizer was asked."""
    access, cloud, service = make.rest_access(
        HttpEvent("GET", "/x", HERE, authorizer=authorizer),
        api=RestApi(policy=tuple(statements)),
        functions={"auth": lambda _: answer},
    )
    request = Request("GET", f"/dev{path}", [("Host", "h"), ("Authorization", "t")], b"", (peer, 1))
    call = RestCall(request, Api(api_id(service), stage="dev"))
    verdict = access.check(call, SimpleNamespace(key="GET /x", path="/x"))

    async def wait() -> Any:
        return await verdict

    if not isinstance(verdict, Allowed | Refused):
        verdict = asyncio.run(wait())
    return verdict, cloud.called("auth"), service


def let_in(make: Any, *statements: Any, **more: Any) -> bool:
    verdict, _, _ = ask(make, *statements, **more)
    if isinstance(verdict, Refused):
        assert (verdict.kind, verdict.status) == ("ACCESS_DENIED", 403)
    return isinstance(verdict, Allowed)


def test_the_words_are_those_of_aws(make):
    silent, _, service = ask(make, statement(Condition=from_ip("192.0.2.0/24")))
    denied, _, _ = ask(make, statement(), statement("Deny"))

    arn = f"arn:aws:execute-api:eu-west-1:********9012:{api_id(service)}/dev/GET/x"
    text = f"User: anonymous is not authorized to perform: execute-api:Invoke on resource: {arn}"
    assert (silent.message, denied.message) == (text, f"{text} with an explicit deny")
    assert silent.reason == "the resource policy does not allow 10.1.2.3"


@pytest.mark.parametrize(
    ("statements", "passes"),
    [
        ([statement()], True),
        ([statement(Condition=from_ip("10.0.0.0/8"))], True),
        ([statement(Condition=from_ip("192.0.2.1"))], False),
        ([statement(), statement("Deny", Condition=from_ip("192.0.2.1", operator="NotIpAddress"))], False),
        ([statement(), statement("Deny", Condition=from_ip("10.1.2.3", operator="NotIpAddress"))], True),
        ([statement(), statement("Deny", Condition=from_ip("10.1.2.3/32"))], False),
        ([statement(resource="execute-api:/dev/GET/x")], True),
        ([statement(resource="execute-api:/prod/*")], False),
        ([statement(resource="arn:aws:execute-api:us-east-1:999999999999:real/dev/GET/*")], True),
        ([statement(), statement("Deny", "arn:aws:execute-api:us-east-1:999999999999:real/*/GET/x")], False),
        ([statement(), statement("Deny", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})], False),
        ([statement(), statement("Deny", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})], True),
        ([statement(), statement("Deny", Condition={"Bool": {"aws:SecureTransport": False}})], True),
        ([statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], False),
        ([statement(), statement("Deny", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})], False),
        ([{**statement(), "Principal": {"AWS": "*"}}], True),
        ([{**statement(), "Principal": {"AWS": "arn:aws:iam::1:root"}}], False),
        ([statement(), {**statement("Deny"), "Principal": {"AWS": "arn:aws:iam::1:root"}}], False),
        ([statement(resource={"Ref": "Api"})], False),
        (["Allow"], False),
    ],
)
def test_without_an_authorizer_an_allow_is_demanded(make, statements, passes):
    assert let_in(make, *statements) is passes


def says(effect: str) -> dict[str, Any]:
    return {"principalId": "p", "policyDocument": {"Statement": [{"Effect": effect, "Action": "*", "Resource": "*"}]}}


@pytest.mark.parametrize(
    ("policy", "authorizer_says", "passes", "asked"),
    [
        ([statement()], "Allow", True, 1),
        ([statement(resource="execute-api:/prod/*")], "Allow", True, 1),
        ([statement(), statement("Deny")], "Allow", False, 0),
        ([statement()], "Deny", False, 1),
    ],
)
def test_a_deny_comes_before_a_lambda_authorizer(make, policy, authorizer_says, passes, asked):
    verdict, calls, _ = ask(make, *policy, authorizer=TOKEN, answer=says(authorizer_says))

    assert (isinstance(verdict, Allowed), calls) == (passes, asked)


def test_who_must_sign_is_authenticated_first(make):
    verdict, _, _ = ask(make, statement("Deny"), authorizer=IamAuthorizer(HERE))

    assert verdict.kind != "ACCESS_DENIED"


def test_a_path_is_denied_however_it_is_written(make):
    assert not let_in(make, statement(), statement("Deny", "execute-api:/dev/GET/x"), path="/%78/")
