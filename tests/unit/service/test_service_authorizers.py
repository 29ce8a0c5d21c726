"""Authorizers of both APIs: each form, and what is wrong with one."""

from __future__ import annotations

import pytest

from bareboat.service.api import IamAuthorizer, JwtAuthorizer, LambdaAuthorizer

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"
JWT = "{type: jwt, issuerUrl: 'https://issuer.example/', audience: [me]}"


def text(authorizers: str = "", events: str = "[]", custom: str = "") -> str:
    """Return a file with a function `auth`, and `predict` with events in flow style."""
    api = f"  httpApi: {{authorizers: {authorizers}}}\n" if authorizers else ""
    return (
        f"{HEAD}{api}{custom}functions:\n"
        f"  my-auth: {{handler: handler.predict}}\n"
        f"  predict: {{handler: handler.predict, events: {events}}}\n"
    )


@pytest.fixture
def authorizer(load):
    """Load a file and return the authorizer of predict's first event, with the event and the warnings."""

    def authorizer(*arguments: str):
        service = load(text(*arguments))
        event = service.functions["predict"].events[0]
        return event.authorizer, event, [note.text for note in service.notes if note.level == "warning"]

    return authorizer


def route(said: str) -> str:
    return f"[{{httpApi: {{path: /x, method: get, authorizer: {said}}}}}]"


def method(said: str, more: str = "") -> str:
    return f"[{{http: {{path: x, method: get, authorizer: {said}{more}}}}}]"


# Serverless Framework v3, guide "HTTP API (API Gateway v2)", JWT and Lambda authorizers
@pytest.mark.parametrize("said", ["own", "{name: own}"])
def test_a_route_names_its_authorizer(authorizer, said):
    found, event, warnings = authorizer(f"{{own: {JWT}}}", route(said))

    assert isinstance(found, JwtAuthorizer)
    assert (found.name, found.issuer, found.audience) == ("own", "https://issuer.example/", ("me",))
    assert found.identity_source == "$request.header.Authorization"
    assert (event.scopes, warnings) == ((), [])


def test_a_route_asks_for_scopes(authorizer):
    _, event, _ = authorizer(f"{{own: {JWT}}}", route("{name: own, scopes: [a.read, b]}"))

    assert event.scopes == ("a.read", "b")


def test_aws_iam_of_a_route(authorizer):
    found, _, _ = authorizer("", route("{type: aws_iam}"))

    assert isinstance(found, IamAuthorizer)


def test_an_authorizer_of_another_stack_closes_the_route(load):
    service = load(text("", route("{id: abc123, type: jwt}")).replace("functions:", "  httpApi: {id: xyz}\nfunctions:"))
    found = service.functions["predict"].events[0].authorizer
    (warning,) = [note.text for note in service.notes if note.level == "warning"]

    assert isinstance(found, LambdaAuthorizer)
    assert (found.function, found.arn) == ("", "")
    assert "closed to everybody" in warning


@pytest.mark.parametrize(
    "arn",
    [
        "'arn:aws:lambda:us-east-1:123456789012:function:demo-dev-my-auth'",
        "!GetAtt MyDashauthLambdaFunction.Arn",
        "{Fn::GetAtt: [MyDashauthLambdaFunction, Arn]}",
        "{Fn::Sub: 'arn:aws:lambda:${AWS::Region}:123456789012:function:demo-dev-my-auth'}",
    ],
)
def test_an_arn_of_a_function_of_this_file_is_that_function(authorizer, arn):
    found, _, warnings = authorizer(f"{{own: {{type: request, functionArn: {arn}}}}}", route("own"))

    assert found.function == "my-auth"
    assert warnings == []


def test_an_arn_of_another_function_closes_the_route(authorizer):
    arn = "arn:aws:lambda:us-east-1:1:function:other"

    found, _, (warning,) = authorizer(f"{{own: {{type: request, functionArn: '{arn}'}}}}", route("own"))

    assert (found.function, found.arn) == ("", arn)
    assert "closed" in warning


def test_what_only_a_deployment_knows_stays_as_its_text(authorizer):
    issuer = "{Fn::Join: ['', [https://cognito-idp., !Ref AWS::Region, .amazonaws.com/, !Ref Pool]]}"

    found, _, warnings = authorizer(f"{{own: {{issuerUrl: {issuer}, audience: !Ref Client}}}}", route("own"))

    assert found.issuer == "https://cognito-idp.us-east-1.amazonaws.com/${Pool}"
    assert found.audience == ("${Client}",)
    assert len(warnings) == 2


def test_keys_of_a_jwt_authorizer_come_from_a_file(folder, authorizer):
    (folder / "keys.json").write_text('{"keys": []}')
    custom = "custom: {bareboat: {jwks: {own: keys.json}}}\n"

    found, _, _ = authorizer(f"{{own: {JWT}}}", route("own"), custom)

    assert found.jwks == str(folder / "keys.json")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("garbage", "keys.json is no JSON, at 1:1"),
        ("[]", "keys.json has no list of keys"),
        ("{}", "has no list of keys"),
    ],
)
def test_a_file_that_is_no_key_set_is_refused(folder, refuse, content, found):
    (folder / "keys.json").write_text(content)

    (problem,) = refuse(text(f"{{own: {JWT}}}", "[]", "custom: {bareboat: {jwks: {own: keys.json}}}\n"))

    assert found in problem.found


def test_jwks_stand_in_for_what_only_a_deployment_knows(authorizer):
    jwks = "{own: {keys: 'https://a.example/jwks', issuer: 'https://a.example', audience: b}}"
    custom = f"custom: {{bareboat: {{jwks: {jwks}}}}}\n"

    found, _, warnings = authorizer("{own: {issuerUrl: !Ref A, audience: !Ref B}}", route("own"), custom)

    assert (found.issuer, found.audience, found.jwks) == ("https://a.example", ("b",), "https://a.example/jwks")
    assert warnings == []


# Serverless Framework v3, guide "REST API (API Gateway v1)", custom authorizers
def test_a_function_is_a_token_authorizer_of_a_method(authorizer):
    found, _, _ = authorizer("", method("my-auth"))

    assert found == LambdaAuthorizer(
        name="my-auth",
        where=found.where,
        function="my-auth",
        kind="token",
        payload="1.0",
        identity_sources=("method.request.header.Authorization",),
        ttl_s=300,
    )


def test_a_request_authorizer_of_a_method(authorizer):
    said = (
        "{name: my-auth, type: REQUEST, identitySource: 'method.request.header.A, method.request.querystring.b', "
        "resultTtlInSeconds: 60}"
    )

    found, _, _ = authorizer("", method(said))

    assert (found.kind, found.ttl_s) == ("request", 60)
    assert found.identity_sources == ("method.request.header.A", "method.request.querystring.b")


def test_a_request_authorizer_without_a_cache_needs_no_source(authorizer):
    found, _, _ = authorizer("", method("{name: my-auth, type: request, resultTtlInSeconds: 0}"))

    assert found.identity_sources == ()


def test_a_token_must_match_an_expression(authorizer):
    found, _, _ = authorizer("", method("{name: my-auth, identityValidationExpression: '^Bearer .+$'}"))

    assert found.pattern == "^Bearer .+$"


@pytest.mark.parametrize("said", ["aws_iam", "AWS_IAM", "{type: aws_iam}"])
def test_aws_iam_of_a_method(authorizer, said):
    found, _, _ = authorizer("", method(said))

    assert isinstance(found, IamAuthorizer)


def test_a_user_pool_of_a_method(authorizer):
    arn = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCd"

    found, event, warnings = authorizer("", method(f"{{name: pool, arn: '{arn}', scopes: [a/b]}}"))

    assert isinstance(found, JwtAuthorizer)
    assert found.issuer == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd"
    assert (found.cognito, found.audience, event.scopes) == (True, (), ("a/b",))
    assert found.identity_source == "method.request.header.Authorization"
    assert warnings == []


def test_a_user_pool_of_the_stack_is_known_after_a_deployment(authorizer):
    found, _, (warning,) = authorizer("", method("{name: pool, type: COGNITO_USER_POOLS, arn: !GetAtt Pool.Arn}"))

    assert found.issuer == "https://cognito-idp.us-east-1.amazonaws.com/${Pool}"
    assert "custom.bareboat.jwks.pool" in warning


def test_an_authorizer_of_another_api_closes_the_method(authorizer):
    found, _, (warning,) = authorizer("", method("{type: CUSTOM, authorizerId: !Ref Elsewhere}"))

    assert isinstance(found, LambdaAuthorizer)
    assert found.function == ""
    assert "closed to everybody" in warning


@pytest.mark.parametrize(
    ("authorizers", "events", "found", "at", "fix"),
    [
        (f"{{own: {JWT}}}", route("onw"), "GET /x asks for the authorizer 'onw'", "onw", "write own"),
        (
            "{own: {type: request, functionName: my-auht}}",
            "[]",
            "authorizers.own asks for the function 'my-auht'",
            "my-auht",
            "write my-auth",
        ),
        ("{own: {type: request}}", "[]", "authorizers.own has no function", "{type:", ""),
        (
            "{own: {type: request, functionName: my-auth, functionArn: a}}",
            "[]",
            "authorizers.own has functionName and functionArn",
            "{type:",
            "",
        ),
        (
            "{own: {type: request, functionName: my-auth, resultTtlInSeconds: 5}}",
            "[]",
            "keeps answers for 5 s and has no identitySource",
            "5}",
            "",
        ),
        (
            "{own: {type: request, functionName: my-auth, enableSimpleResponses: true, payloadVersion: '1.0'}}",
            "[]",
            "has simple responses with the payload 1.0",
            "true",
            "",
        ),
        ("{own: {type: jwt, audience: a}}", "[]", "authorizers.own has no issuerUrl", "{type:", ""),
        ("{own: {type: jwt, issuerUrl: 'https://a.test'}}", "[]", "authorizers.own has no audience", "{type:", ""),
        ("{own: {type: jtw}}", "[]", "authorizers.own.type is 'jtw'", "jtw", "write jwt"),
        (
            "{own: {type: request, functionName: my-auth}}",
            route("{name: own, scopes: [a]}"),
            "GET /x asks for scopes, and its authorizer own is a function",
            "[a]",
            "take out scopes, and let the function look at them",
        ),
        ("", route("{type: aws_iam, name: own}"), "the authorizer of GET /x is aws_iam and more", "{type:", ""),
        ("", route("{type: jwt}"), "the authorizer of GET /x has no name", "{type:", ""),
        (
            "",
            method("my-auht"),
            "the authorizer of http GET /x asks for the function 'my-auht'",
            "my-auht",
            "write my-auth",
        ),
        ("", method("{type: tokn, name: my-auth}"), "has the type 'tokn'", "tokn", "write token"),
        ("", method("{type: token}"), "has neither name nor arn", "{type:", ""),
        ("", method("''"), "the authorizer of http GET /x is empty", "''", ""),
        ("", method("{type: cognito_user_pools}"), "has no arn", "{type:", ""),
        ("", method("{arn: !GetAtt P.Arn, type: cognito_user_pools}"), "has no name", "{arn:", ""),
        ("", method("{name: my-auth, resultTtlInSeconds: 3601}"), "resultTtlInSeconds is 3601", "3601", ""),
        (
            "",
            method("{name: my-auth, identitySource: 'method.request.header.A,method.request.header.B'}"),
            "is a token authorizer with 2 identity sources",
            "'method",
            "write type: request",
        ),
    ],
)
def test_a_faulty_authorizer_is_refused_with_its_place(refuse, authorizers, events, found, at, fix):
    file = text(authorizers, events)

    (problem,) = refuse(file)

    _, line, column = problem.where.split(":")
    assert found in problem.found
    assert file.splitlines()[int(line) - 1][int(column) - 1 :].startswith(at)
    assert problem.fix == fix


@pytest.mark.parametrize(
    ("jwks", "found", "fix"),
    [
        ("{onw: 'https://a.example'}", "custom.bareboat.jwks has keys for 'onw'", "write own"),
        ("{own: nowhere.json}", "custom.bareboat.jwks.own: there is no file nowhere.json", ""),
        ("[a]", "custom.bareboat.jwks is no mapping", ""),
        ("{own: {key: a}}", "own has no key 'key'", "rename it to 'keys'"),
    ],
)
def test_faulty_keys_are_refused(refuse, jwks, found, fix):
    (problem,) = refuse(text(f"{{own: {JWT}}}", "[]", f"custom: {{bareboat: {{jwks: {jwks}}}}}\n"))

    assert found in problem.found
    assert problem.fix == fix
