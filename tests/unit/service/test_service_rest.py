"""The REST API: keys, plans, request rules, CORS, gateway responses, and what is wrong with them."""

from __future__ import annotations

import pytest

from bareboat.service.api import ApiKey, Quota, RestCors, Throttle
from bareboat.service.triggers import HttpEvent

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"
HEADERS = (
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Amzn-Trace-Id",
)


def text(api: str = "", events: str = "[]", more: str = "") -> str:
    """Return a file with `provider.apiGateway` and events of one function, both in flow style."""
    api = f"  apiGateway: {api}\n" if api else ""
    return f"{HEAD}{api}functions:\n  predict: {{handler: handler.predict, events: {events}}}\n{more}"


@pytest.fixture
def rest(load):
    """Load a file and return its REST API and warnings."""

    def rest(*arguments: str):
        service = load(text(*arguments))
        return service.provider.rest_api, [note.text for note in service.notes if note.level == "warning"]

    return rest


@pytest.fixture
def methods(load):
    """Load a file and return its methods."""

    def methods(events: str, api: str = "", more: str = "") -> tuple[HttpEvent, ...]:
        return load(text(api, events, more)).functions["predict"].events

    return methods


def at(file: str, where: str) -> str:
    """Return what of a file begins at a place."""
    _, line, column = where.split(":")
    return file.splitlines()[int(line) - 1][int(column) - 1 :]


PRIVATE = "[{http: {path: x, method: get, private: true}}]"
VALUE = "a" * 20


# Serverless Framework v3, guide "REST API (API Gateway v1)", setting API keys for your REST API
def test_api_keys_have_a_name_a_value_or_both(rest):
    api, warnings = rest(f"{{apiKeys: [first, {{name: second, value: {VALUE}, enabled: false}}]}}", PRIVATE)

    first, second = api.keys
    assert (first.name, first.value, first.enabled, first.plan) == ("first", None, True, "")
    assert second == ApiKey("second", second.where, VALUE, enabled=False)
    assert warnings == []


def test_keys_belong_to_plans(rest):
    api, warnings = rest(
        "{apiKeys: [{free: [a, b]}, {paid: [{name: c, description: d}]}], usagePlan: [{free: {quota: {limit: 5, "
        "offset: 2, period: MONTH}, throttle: {rateLimit: 2, burstLimit: 4}}}, {paid: {throttle: {burstLimit: 9}}}]}",
        PRIVATE,
    )

    free, paid = api.plans
    assert [(key.name, key.plan) for key in api.keys] == [("a", "free"), ("b", "free"), ("c", "paid")]
    assert (free.quota, free.throttle) == (Quota(5, "MONTH", 2), Throttle(2.0, 4))
    assert (paid.name, paid.quota, paid.throttle) == ("paid", None, Throttle(10_000.0, 9))
    assert warnings == []


def test_one_plan_has_no_name(rest):
    api, _ = rest("{apiKeys: [a], usagePlan: {quota: {limit: 1, period: DAY}}}", PRIVATE)

    assert [(plan.name, plan.quota) for plan in api.plans] == [("", Quota(1, "DAY"))]


def test_the_older_places_of_keys_and_plans_are_read(load):
    older = HEAD + "  apiKeys: [a]\n  usagePlan: {throttle: {rateLimit: 1, burstLimit: 1}}\n"

    service = load(older + f"functions: {{predict: {{handler: handler.predict, events: {PRIVATE}}}}}\n")

    assert [key.name for key in service.provider.rest_api.keys] == ["a"]
    assert service.provider.rest_api.plans[0].throttle == Throttle(1.0, 1)
    assert [note.level for note in service.notes] == ["info", "info"]


def test_a_private_method_without_a_key_is_told_to_be_closed(rest):
    _, (warning,) = rest("", PRIVATE)

    assert "http GET /x is private and there is no API key" in warning


def test_a_plan_that_no_key_uses_is_told(rest):
    _, (warning,) = rest("{apiKeys: [{a: [k]}], usagePlan: [{a: {}}, {b: {quota: {limit: 1, period: DAY}}}]}", PRIVATE)

    assert "the usage plan 'b' has no API key" in warning


def test_binary_types_come_from_each_of_their_homes(rest):
    more = (
        "custom: {apigwBinary: {types: [image/gif]}}\n"
        "resources: {extensions: {ApiGatewayRestApi: {Properties: {BinaryMediaTypes: [image~1png]}}}}\n"
    )

    api, _ = rest("{binaryMediaTypes: [image/jpeg, image/gif], minimumCompressionSize: 1024}", "[]", more)

    assert api.binary_types == ("image/jpeg", "image/gif", "image/png")
    assert api.compress_from_bytes == 1024


ALLOW = "{Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*'%s}"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (ALLOW % "", ""),
        (ALLOW % ", Condition: {IpAddress: {'aws:SourceIp': [203.0.113.0/24, 127.0.0.1]}}", ""),
        (ALLOW % ", Condition: {IpAddress: {'aws:SourceIp': 203.0.113.0/24}}", "name 127.0.0.1 in aws:SourceIp"),
        ("{Effect: Deny, Principal: '*'}", "cannot be judged (a Statement has no Action)"),
        (ALLOW.replace("'execute-api:/*'", "{Ref: Api}") % "", "cannot be judged (a Statement has no Resource)"),
        (ALLOW % ", Condition: {StringEquals: {'aws:PrincipalOrgID': o-1}}", "StringEquals aws:PrincipalOrgID cannot"),
        (ALLOW.replace("'*'", "{AWS: 'arn:aws:iam::1:root'}") % "", 'Principal {"AWS": "arn:aws:iam::1:root"} cannot'),
    ],
    ids=["open", "here", "elsewhere", "broken", "intrinsic", "condition", "principal"],
)
def test_what_a_resource_policy_means_here_is_told(rest, statement, said):
    api, warnings = rest(f"{{resourcePolicy: [{statement}]}}", "[http: GET /x]")

    assert len(api.policy) == 1
    assert (said in " ".join(warnings)) if said else (warnings == [])


# Serverless Framework v3, guide "REST API (API Gateway v1)", request parameters and request schema validators
def test_what_a_request_must_have(methods):
    (event,) = methods(
        "[{http: {path: 'a/{id}', method: post, request: {parameters: {querystrings: {q: true}, headers: {X-A: "
        "{required: true, mappedValue: 'x'}, X-B: false}, paths: {id: true}}}}}]"
    )

    assert event.rules.parameters == {
        "querystring.q": True,
        "header.X-A": True,
        "header.X-B": False,
        "path.id": True,
    }


@pytest.mark.parametrize(
    "said",
    [
        "schemas: {application/json: {type: object}}",
        "schema: {application/json: {type: object}}",
        "schemas: {application/json: {name: own, description: d, schema: {type: object}}}",
        'schemas: {application/json: \'{"type": "object"}\'}',
        "schemas: {application/json: shared}",
        "schemas: {application/json: '${file(schema.json)}'}",
    ],
)
def test_schemas_in_every_form(folder, methods, said):
    (folder / "schema.json").write_text('{"type": "object"}')

    (event,) = methods(
        f"[{{http: {{path: a, method: post, request: {{{said}}}}}}}]",
        "{request: {schemas: {shared: {schema: {type: object}}}}}",
    )

    (schema,) = event.rules.schemas
    assert (schema.content_type, schema.schema) == ("application/json", {"type": "object"})
    assert schema.name == {"name: own": "own", "json: shared": "shared"}.get(
        next((part for part in ("name: own", "json: shared") if part in said), ""), ""
    )


# What osls 4.3.1 writes into OPTIONS methods (api-gateway/lib/validate.js and cors.js)
def test_cors_true_of_a_method(methods):
    (event,) = methods("[{http: {path: a, method: post, cors: true}}]")

    assert event.cors == RestCors(methods=("OPTIONS", "POST"), headers=HEADERS)


def test_cors_of_any_method_is_spelt_out(methods):
    (event,) = methods("[{http: {path: a, method: any, cors: true}}]")

    assert event.cors.methods == ("OPTIONS", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def test_methods_of_one_resource_share_their_cors(methods):
    first, second = methods(
        "[{http: {path: a, method: get, cors: {origin: 'https://a.example', headers: [A], maxAge: 5}}}, "
        "{http: {path: a/, method: post, cors: {origins: ['https://b.example'], headers: [B], allowCredentials: true, "
        "cacheControl: no-cache}}}]"
    )

    assert first.cors == second.cors
    assert first.cors == RestCors(
        origins=("https://b.example", "https://a.example"),
        methods=("OPTIONS", "POST", "GET"),
        headers=("B", "A"),
        allow_credentials=True,
        max_age_s=5,
        cache_control="no-cache",
    )


def test_other_integrations_are_told_not_to_be_served(rest):
    _, (warning,) = rest("", "[{http: {path: a, method: get, integration: mock}}]")

    assert "the integration mock of GET /a is not served locally" in warning


def test_a_method_s_own_time_and_way(methods):
    (event,) = methods("[{http: {path: a, method: get, timeoutInMillis: 1500, async: true, operationId: getA}}]")

    assert (event.timeout_s, event.asynchronous, event.integration) == (1.5, True, "AWS")
    assert event.options == {"operationId": "getA", "timeoutInMillis": 1500}


def test_gateway_responses_are_read(rest):
    more = """resources:
  Resources:
    Refused:
      Type: AWS::ApiGateway::GatewayResponse
      Properties:
        ResponseType: UNAUTHORIZED
        StatusCode: '418'
        ResponseParameters: {gatewayresponse.header.Access-Control-Allow-Origin: "'*'"}
        ResponseTemplates: {application/json: '{"why": $context.error.messageString}'}
"""

    ((response,), _) = (rest("", "[]", more)[0].responses, None)

    assert (response.kind, response.status) == ("UNAUTHORIZED", 418)
    assert response.headers == {"Access-Control-Allow-Origin": "*"}
    assert response.templates == {"application/json": '{"why": $context.error.messageString}'}


@pytest.mark.parametrize(
    ("api", "events", "found", "token", "fix"),
    [
        ("{apiKeys: [a, a]}", PRIVATE, "there are two API keys with the name 'a'", "a]", ""),
        (
            f"{{apiKeys: [{{value: {VALUE}}}, {{value: {VALUE}}}]}}",
            PRIVATE,
            "there are two API keys with one value",
            "{value",
            "",
        ),
        ("{apiKeys: [{value: short}]}", PRIVATE, "apiKeys[0].value has 5 characters", "short", ""),
        ("{apiKeys: [{description: x}]}", PRIVATE, "apiKeys[0] has neither name nor value", "{desc", ""),
        (
            "{apiKeys: [{fre: [k]}], usagePlan: [{free: {}}]}",
            PRIVATE,
            "apiKeys[0] asks for the usage plan 'fre'",
            "fre:",
            "write free",
        ),
        ("{apiKeys: [k], usagePlan: [{free: {}}]}", PRIVATE, "the API key 'k' is in no usage plan", "k]", ""),
        ("{usagePlan: {quota: {limit: 1}}}", "[]", "usagePlan.quota has no period", "{limit", ""),
        ("{usagePlan: {quota: {limit: 1, period: YEAR}}}", "[]", "quota.period is 'YEAR'", "YEAR", ""),
        ("{usagePlan: {throtle: {}}}", "[]", "usagePlan has no key 'throtle'", "throtle", "rename it to 'throttle'"),
        ("{usagePlan: {throttle: {rateLimit: -1}}}", "[]", "rateLimit is -1", "-1", ""),
        ("{apiKeySourceType: HEADR}", "[]", "apiKeySourceType is 'HEADR'", "HEADR", "write HEADER"),
        ("{binaryMediaTypes: [png]}", "[]", "binaryMediaTypes has 'png'", "[png]", ""),
        ("{minimumCompressionSize: -1}", "[]", "minimumCompressionSize is -1", "-1", ""),
        ("{apiKeySourceType: AUTHORIZER, apiKeys: [k]}", PRIVATE, "the key comes from an authorizer", "{path", ""),
        (
            "{request: {schemas: {item: {schema: {}}}}}",
            "[{http: {path: a, method: post, request: {schemas: {application/json: itme}}}}]",
            "schemas.application/json is 'itme'",
            "itme",
            "write item",
        ),
        (
            "",
            "[{http: {path: a, method: post, request: {schemas: {a/b: {properties: {a: {type: nubmer}}}}}}}]",
            "properties.a.type is 'nubmer'",
            "nubmer",
            "write number",
        ),
        (
            "",
            "[{http: {path: a, method: post, request: {schemas: {json: {}}}}}]",
            "'json' is no content type",
            "{}",
            "",
        ),
        (
            "",
            "[{http: {path: a, method: post, request: {parameters: {querystring: {a: true}}}}}]",
            "has no key 'querystring'",
            "querystring",
            "rename it to 'querystrings'",
        ),
        ("", "[{http: {path: a, method: get, integration: lamda}}]", "integration is 'lamda'", "lamda", "write lambda"),
        (
            "",
            "[{http: {path: a, method: get, cors: {methods: [GTE]}}}]",
            "cors.methods has 'GTE'",
            "[GTE]",
            "write GET",
        ),
        ("", "[{http: GET a}, {http: GET /a/}]", "functions.predict has the route GET /a again", "GET /a/", ""),
        (
            "",
            "[{http: 'GET /a/{id}'}, {http: 'POST /a/{key}/b'}]",
            "functions.predict has {key} where another method has {id}, below /a",
            "'POST",
            "write {id}",
        ),
        (
            "",
            "[{httpApi: 'GET /a/{id}'}, {httpApi: 'GET /a/{key}'}]",
            "GET /a/{key} and GET /a/{id} take the same requests",
            "'GET /a/{key}'",
            "",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(refuse, api, events, found, token, fix):
    file = text(api, events)

    (problem,) = refuse(file)

    assert found in problem.found
    assert at(file, problem.where).startswith(token)
    assert problem.fix == fix


@pytest.mark.parametrize(
    ("properties", "found", "fix"),
    [
        ("{ResponseType: UNAUTHORISED}", "ResponseType is 'UNAUTHORISED'", "write UNAUTHORIZED"),
        ("{StatusCode: 400}", "Refused has no ResponseType", ""),
        ("{ResponseType: THROTTLED, StatusCode: 99}", "StatusCode is '99'", ""),
        ("{ResponseType: THROTTLED, ResponseParameters: {X-A: \"'b'\"}}", "ResponseParameters has 'X-A'", ""),
    ],
)
def test_a_faulty_gateway_response_is_refused(refuse, properties, found, fix):
    resource = f"Refused: {{Type: 'AWS::ApiGateway::GatewayResponse', Properties: {properties}}}"

    (problem,) = refuse(text("", "[]", f"resources: {{Resources: {{{resource}}}}}\n"))

    assert found in problem.found
    assert problem.fix == fix
