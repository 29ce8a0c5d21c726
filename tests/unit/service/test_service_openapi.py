"""`custom.bareboat.openapi`: routes of a document as events, who may call them, and what is wrong with it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from bareboat.service.api import Cors, IamAuthorizer, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.triggers import HttpApiEvent, HttpEvent

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"
FUNCTIONS = "functions:\n" + "".join(
    f"  {name}: {{handler: handler.predict}}\n" for name in ("list", "create", "guard")
)
OPEN = "openapi: 3.0.3\ninfo: {title: x, version: '1'}\n"


@pytest.fixture
def document(folder):
    """Write api.yaml and return a serverless.yml that names it."""

    def document(text: str, *, head: str = OPEN, more: str = "", said: str = "api.yaml", functions: str = FUNCTIONS):
        (folder / "api.yaml").write_text(head + dedent(text))
        return f"{HEAD}{more}custom: {{bareboat: {{openapi: {said}}}}}\n{functions}"

    return document


def events(service):
    return [
        (name, event) for name, function in service.functions.items() for event in function.events
        if isinstance(event, (HttpApiEvent, HttpEvent))
    ]  # fmt: skip


def test_routes_are_events_of_the_functions_that_they_name(load, document):
    service = load(
        document("""\
            paths:
              /items:
                get: {operationId: list, responses: {}}
                post: {x-bareboat-function: create, responses: {}}
              /items/{id}:
                get: {tags: [other, list], responses: {}}
              /any:
                x-bareboat-function: create
                x-amazon-apigateway-any-method: {}
              /$default:
                x-amazon-apigateway-any-method: {x-bareboat-function: list}
            """)
    )

    assert {(name, event.route_key) for name, event in events(service)} == {
        ("list", "GET /items"),
        ("create", "POST /items"),
        ("list", "GET /items/{id}"),
        ("create", "ANY /any"),
        ("list", "$default"),
    }
    assert str(next(event.where for _, event in events(service) if event.route_key == "POST /items")) == "api.yaml:6:5"
    assert service.folder / "api.yaml" in service.read


def test_an_only_function_has_all_routes(load, document):
    one = "functions: {predict: {handler: handler.predict}}\n"

    service = load(document("paths: {/a: {get: {}}, /b: {put: {}}}\n", functions=one))

    assert [event.route_key for _, event in events(service)] == ["GET /a", "PUT /b"]


SCHEMES = """\
components:
  securitySchemes:
    users:
      type: oauth2
      x-amazon-apigateway-authorizer:
        {type: jwt, jwtConfiguration: {issuer: https://i.example, audience: [shop]}, identitySource: $request.header.X}
    own:
      type: apiKey
      x-bareboat-function: guard
      x-amazon-apigateway-authorizer:
        type: request
        identitySource: $request.header.A, $request.querystring.b
        enableSimpleResponses: true
        authorizerPayloadFormatVersion: 2.0
        authorizerResultTtlInSeconds: 60
    signed: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}
    key: {type: apiKey, name: X-API-Key, in: header}
"""


def test_security_becomes_authorizers_of_the_http_api(load, document):
    service = load(
        document(
            """\
            security: [{users: [read]}]
            x-bareboat-function: list
            paths:
              /a: {get: {}}
              /b: {get: {security: [{own: []}]}}
              /c: {get: {security: [{signed: []}]}}
              /d: {get: {security: []}}
            """,
            head=OPEN + SCHEMES,
        )
    )

    found = {event.path: (event.authorizer, event.scopes) for _, event in events(service)}
    users, own = found["/a"][0], found["/b"][0]
    assert isinstance(users, JwtAuthorizer)
    assert (users.issuer, users.audience, users.identity_source, found["/a"][1]) == (
        "https://i.example", ("shop",), "$request.header.X", ("read",),
    )  # fmt: skip
    assert isinstance(own, LambdaAuthorizer)
    assert (own.function, own.simple, own.payload, own.ttl_s) == ("guard", True, "2.0", 60)
    assert own.identity_sources == ("$request.header.A", "$request.querystring.b")
    assert isinstance(found["/c"][0], IamAuthorizer)
    assert found["/d"] == (None, ())


def test_an_authorizer_of_serverless_yml_decides_for_a_scheme_of_its_name(load, document):
    more = "  httpApi: {authorizers: {users: {issuerUrl: https://mine.example, audience: [a]}}}\n"

    service = load(document("paths: {/a: {get: {operationId: list, security: [{users: []}]}}}\n", more=more))

    ((_, event),) = events(service)
    assert event.authorizer.issuer == "https://mine.example"


def test_rest_apis_have_keys_functions_and_user_pools_that_decide(load, document):
    pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Abc"
    schemes = f"""\
components:
  securitySchemes:
    key: {{type: apiKey, name: x-api-key, in: header}}
    pool:
      type: apiKey
      x-amazon-apigateway-authorizer: {{type: cognito_user_pools, providerARNs: ['{pool}']}}
    asked:
      type: apiKey
      x-bareboat-function: guard
      x-amazon-apigateway-authorizer:
        {{type: request, identitySource: method.request.header.A, authorizerResultTtlInSeconds: 5}}
"""
    service = load(
        document(
            """\
            x-bareboat-function: list
            paths:
              /a: {get: {security: [{key: []}]}}
              /b: {get: {security: [{pool: [read], key: []}]}}
              /c: {get: {security: [{asked: []}]}}
              /d: {get: {security: [{guard: []}]}}
            """,
            head=OPEN + schemes,
            said="{file: api.yaml, api: rest}",
        )
    )

    found = {event.path: event for _, event in events(service)}
    assert (found["/a"].private, found["/a"].authorizer) == (True, None)
    assert (found["/b"].private, found["/b"].authorizer.cognito, found["/b"].scopes) == (True, True, ("read",))
    assert (found["/c"].authorizer.function, found["/c"].authorizer.kind, found["/c"].authorizer.ttl_s) == (
        "guard", "request", 5,
    )  # fmt: skip
    assert (found["/d"].authorizer.function, found["/d"].authorizer.kind) == ("guard", "token")


def test_a_validator_holds_requests_to_parameters_and_schemas(load, document):
    service = load(
        document(
            """\
            x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: true}}
            x-amazon-apigateway-request-validator: all
            paths:
              /items/{id}:
                parameters: [{name: id, in: path, required: true}, {$ref: '#/components/parameters/Lang'}]
                put:
                  operationId: list
                  parameters: [{name: X-A, in: header}]
                  requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Item'}}}}
            components:
              parameters: {Lang: {name: lang, in: query, required: true}}
              schemas:
                Item: {type: object, properties: {parent: {$ref: '#/components/schemas/Item'}}}
            """,
            said="{file: api.yaml, api: rest}",
        )
    )

    ((_, event),) = events(service)
    assert event.rules.parameters == {"path.id": True, "querystring.lang": True, "header.X-A": False}
    (schema,) = event.rules.schemas
    item = {"type": "object", "properties": {"parent": {"$ref": "#/definitions/Item"}}}
    assert schema.schema == {"allOf": [{"$ref": "#/definitions/Item"}], "definitions": {"Item": item}}


def test_cors_of_the_document_is_that_of_the_http_api(load, document):
    service = load(
        document("""\
            x-amazon-apigateway-cors: {allowOrigins: [https://a.example], allowMethods: 'GET,POST', maxAge: 5}
            paths: {/a: {get: {operationId: list}}}
            """)
    )

    cors = service.provider.http_api.cors
    assert isinstance(cors, Cors)
    assert (cors.allowed_origins, cors.allowed_methods, cors.max_age_s) == (("https://a.example",), ("GET", "POST"), 5)


PATHS = "x-bareboat-function: list\npaths: {/a: {get: {%s}}}\n"


@pytest.mark.parametrize(
    ("text", "found", "where"),
    [
        ("paths: {/a: {get: {operationId: liste}}}\n", "api.yaml: GET /a names no function", "api.yaml:3:14"),
        (
            "paths: {/a: {get: {x-bareboat-function: lst}}}\n",
            "api.yaml: GET /a is for the function 'lst'",
            "api.yaml:3:41",
        ),
        (PATHS % "security: [{nobody: []}]", "GET /a asks for 'nobody', and nothing says who decides", "api.yaml:4:40"),
        (PATHS % "security: [{a: []}, {}]", "GET /a may be called in 2 ways", "api.yaml:4:30"),
        (PATHS % "security: {a: []}", "security of GET /a is no list of mappings", "api.yaml:4:30"),
        (
            PATHS % "x-amazon-apigateway-integration: {type: http_proxy}",
            "api.yaml: the integration of GET /a is http_proxy",
            "api.yaml:4:60",
        ),
        (
            "x-bareboat-function: list\npaths: {/a: {trace: {}}}\n",
            "api.yaml: API Gateway has no TRACE",
            "api.yaml:4:14",
        ),
        (
            "x-bareboat-function: list\npaths: {'/a/{id}b': {get: {}}}\n",
            "functions.list.events[0].httpApi: path '/a/{id}b' has '{id}b'",
            "api.yaml:4:22",
        ),
    ],
    ids=["no function", "misspelt", "scheme", "ways", "no list", "integration", "method", "path"],
)
def test_what_is_wrong_with_a_document_has_its_place_there(refuse, document, text, found, where):
    (problem,) = refuse(document(text))

    assert (problem.found, problem.where) == (found, where)


def test_a_key_for_a_route_of_the_http_api_is_refused(refuse, document):
    (problem,) = refuse(document(PATHS % "security: [{key: []}]", head=OPEN + SCHEMES))

    assert problem.found == "api.yaml: GET /a asks for an API key, which HTTP APIs do not have"
    assert problem.expected == "custom.bareboat.openapi: {file: api.yaml, api: rest}"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("other.yaml", "custom.bareboat.openapi: other.yaml cannot be read: No such file or directory"),
        ("{file: api.yaml, api: soap}", "custom.bareboat.openapi.api is 'soap'"),
        ("{files: api.yaml}", "custom.bareboat.openapi has no key 'files'"),
        ("[a]", "custom.bareboat.openapi names no file"),
    ],
)
def test_what_names_no_document_is_refused(refuse, document, said, found):
    problems = refuse(document("paths: {}\n", said=said))

    assert found in {problem.found for problem in problems}


@pytest.mark.parametrize(
    ("head", "found"),
    [("a: 1\n", "api.yaml is no OpenAPI document"), ("openapi: 4.0.0\n", "api.yaml is OpenAPI 4.0.0")],
)
def test_what_is_no_openapi_document_is_refused(refuse, document, head, found):
    (problem,) = refuse(document("paths: {}\n", head=head))

    assert problem.found == found


def test_a_document_that_is_no_yaml_is_refused_with_its_place(refuse, document):
    (problem,) = refuse(document("", head="openapi: 3.0.0\npaths: {a: [\n"))

    assert problem.where.startswith("api.yaml:")


def test_a_route_that_stands_in_both_files_is_refused(refuse, document):
    twice = "functions: {list: {handler: handler.predict, events: [{httpApi: GET /a}]}}\n"

    problems = refuse(document("paths: {/a: {get: {}}}\n", functions=twice))

    assert [problem.where.partition(":")[0] for problem in problems] == ["api.yaml"]
