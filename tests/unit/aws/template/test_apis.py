"""APIs in the template: what osls has no case of, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.shipment import FunctionCode, Shipment, ZipCode
from bareboat.aws.template.build import make_template
from bareboat.errors import ConfigurationError
from bareboat.service import load_service

HEAD = "service: sv\nprovider:\n  name: aws\n  runtime: python3.13\n"


@pytest.fixture
def resources(tmp_path: Path) -> Any:
    """Make the template of a file, and return its resources."""

    def resources(text: str, **files: str) -> dict[str, Any]:
        (tmp_path / "handler.py").write_text("")
        (tmp_path / "serverless.yml").write_text(text)
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content)
        service = load_service(tmp_path / "serverless.yml", env={})
        code = ZipCode("code.zip", "0" * 64)
        codes = {name: FunctionCode(code, "x86_64", "h.h", "python3.13") for name in service.functions}
        made = json.loads(json.dumps(make_template(service, Shipment(codes))))
        return dict(made["Resources"])

    return resources


def functions(**events: str) -> str:
    lines = "".join(f"  {name}: {{handler: handler.handle, events: {said}}}\n" for name, said in events.items())
    return f"functions:\n{lines}"


def of_kind(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: each for name, each in resources.items() if each["Type"] == f"AWS::{kind}"}


def deployment(resources: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    ((name, found),) = of_kind(resources, "ApiGateway::Deployment").items()
    return name, found


def test_limits_of_the_http_api_wait_for_the_routes_that_they_are_of(resources):
    made = resources(
        HEAD
        + "custom: {bareboat: {throttle: {rate: 10, burst: 20, routes: {'POST /a': {rate: 0.5, burst: 2}}}}}\n"
        + functions(f="[{httpApi: POST /a}, {httpApi: GET /a}]")
    )

    stage = made["HttpApiStage"]
    assert stage["Properties"]["RouteSettings"] == {"POST /a": {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 0.5}}
    assert stage["Properties"]["DefaultRouteSettings"] == {
        "DetailedMetricsEnabled": False,
        "ThrottlingBurstLimit": 20,
        "ThrottlingRateLimit": 10,
    }
    assert stage["DependsOn"] == ["HttpApiRoutePostA"]


def test_stage_variables_that_only_a_deployment_knows_are_intrinsic_functions_again(resources):
    custom = "custom: {bareboat: {stageVariables: {colour: blue, queue: {'Fn::GetAtt': [Queue, Arn]}}}}\n"
    own = "resources: {Resources: {Queue: {Type: AWS::SQS::Queue}}}\n"

    made = resources(HEAD + custom + functions(f="[{httpApi: GET /a}, {http: GET /a}]") + own)

    variables = {"colour": "blue", "queue": {"Fn::Sub": "${Queue.Arn}"}}
    assert made["HttpApiStage"]["Properties"]["StageVariables"] == variables
    assert deployment(made)[1]["Metadata"]["BareboatStage"]["Variables"] == variables


def test_two_routes_with_one_logical_id_are_told_apart(resources):
    made = resources(HEAD + functions(f="[{httpApi: GET /a_b}, {httpApi: GET /ab}]"))

    routes = of_kind(made, "ApiGatewayV2::Route")
    assert {each["Properties"]["RouteKey"] for each in routes.values()} == {"GET /a_b", "GET /ab"}
    assert "HttpApiRouteGetAb" in routes


def test_limits_of_methods_are_those_of_the_stage_beside_its_other_settings(resources):
    logs = "  logs: {restApi: {level: ERROR, accessLogging: false, roleManagedExternally: true}}\n"
    routes = "{'GET /items/{id}': {rate: 1, burst: 2}, 'ANY /': {rate: 3, burst: 4}}"
    custom = f"custom: {{bareboat: {{throttle: {{rate: 10, burst: 20, routes: {routes}}}}}}}\n"

    made = resources(HEAD + logs + custom + functions(f="[{http: 'GET /items/{id}'}, {http: ANY /}]"))

    said = deployment(made)[1]["Metadata"]["BareboatStage"]
    assert (said.pop("RestApiId"), said.pop("StageName")) == ({"Ref": "ApiGatewayRestApi"}, "dev")
    shared = {"LoggingLevel": "ERROR", "DataTraceEnabled": True}
    limits = {(each["HttpMethod"], each["ResourcePath"]): each for each in said.pop("MethodSettings")}
    assert said == {**shared, "ThrottlingBurstLimit": 20, "ThrottlingRateLimit": 10}
    assert limits["GET", "/~1items~1{id}"] == {
        **shared,
        "HttpMethod": "GET",
        "ResourcePath": "/~1items~1{id}",
        "ThrottlingBurstLimit": 2,
        "ThrottlingRateLimit": 1,
    }
    assert {method for method, path in limits if path == "/"} == {
        "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
    }  # fmt: skip


BASE = functions(f="[{http: GET /a}]")
RESPONSE = (
    "resources: {Resources: {Bad: {Type: AWS::ApiGateway::GatewayResponse, Properties: {ResponseType: UNAUTHORIZED, "
    "RestApiId: {Ref: ApiGatewayRestApi}}}}}\n"
)
EXTENSION = "resources: {extensions: {ApiGatewayMethodAGet: {Properties: {OperationName: a}}}}\n"


def test_a_rest_api_that_did_not_change_is_not_deployed_again(resources):
    first, again = resources(HEAD + BASE), resources(HEAD + BASE)
    other = resources(HEAD + BASE.replace("handler.handle", "handler.other"))

    assert deployment(first)[0] == deployment(again)[0] == deployment(other)[0]


@pytest.mark.parametrize(
    ("base", "more"),
    [
        (BASE.replace("GET", "PUT"), ""),
        (functions(f="[{http: {path: a, method: get, private: true}}]"), ""),
        (BASE, RESPONSE),
        (BASE, EXTENSION),
    ],
    ids=["method", "key", "gateway response", "extension"],
)
def test_a_rest_api_that_changed_is_deployed(resources, base, more):
    before = deployment(resources(HEAD + BASE))[0]

    assert deployment(resources(HEAD + base + more))[0] != before


@pytest.mark.parametrize("said", ["throttle: {rate: 1, burst: 1}", "stageVariables: {a: b}"], ids=["limit", "variable"])
def test_settings_of_the_stage_are_metadata_and_deploy_no_rest_api_anew(resources, said):
    before, plain = deployment(resources(HEAD + BASE))

    after, made = deployment(resources(HEAD + BASE + f"custom: {{bareboat: {{{said}}}}}\n"))

    assert "Metadata" not in plain
    assert "BareboatStage" in made["Metadata"]
    assert after == before


def test_gateway_responses_of_resources_are_there_before_they_are_deployed(resources):
    assert "Bad" in deployment(resources(HEAD + BASE + RESPONSE))[1]["DependsOn"]


def test_a_deployment_that_the_file_names_by_the_run_is_the_one_that_there_is(resources):
    own = (
        "resources:\n  Resources:\n"
        "    ApiGatewayDeployment${sls:instanceId}: {Properties: {StageDescription: {CacheClusterEnabled: true}}}\n"
        "    Live:\n      Type: AWS::ApiGateway::Stage\n      Properties:\n        StageName: live\n"
        "        RestApiId: {Ref: ApiGatewayRestApi}\n"
        "        DeploymentId:\n          Ref: ApiGatewayDeployment${sls:instanceId}\n"
    )

    first, again = resources(HEAD + BASE + own), resources(HEAD + BASE + own)

    name, found = deployment(first)
    assert found["Properties"]["StageDescription"] == {"CacheClusterEnabled": True}
    assert first["Live"]["Properties"]["DeploymentId"] == {"Ref": name}
    assert first == again


def test_two_authorizers_of_one_name_stay_two(resources):
    arn = "arn:aws:lambda:us-east-1:123456789012:function:other-dev-guard"
    made = resources(
        HEAD
        + functions(
            f=f"[{{http: {{path: a, method: get, authorizer: guard}}}}, "
            f"{{http: {{path: b, method: get, authorizer: '{arn}'}}}}, "
            f"{{http: {{path: c, method: get, authorizer: '{arn}'}}}}]",
            guard="[{http: GET /g}]",
        )
    )

    authorizers = of_kind(made, "ApiGateway::Authorizer")
    asked = [made[f"ApiGatewayMethod{name}Get"]["Properties"]["AuthorizerId"]["Ref"] for name in "ABC"]
    assert len(authorizers) == len({each["Properties"]["Name"] for each in authorizers.values()}) == 2
    assert asked[0] != asked[1] == asked[2]
    permitted = {
        json.dumps(each["Properties"]["FunctionName"]) for each in of_kind(made, "Lambda::Permission").values()
    }
    assert json.dumps(arn) in permitted
    assert json.dumps({"Fn::GetAtt": ["GuardLambdaFunction", "Arn"]}) in permitted


def test_a_path_that_a_shared_api_must_have_already_is_asked_for(resources):
    shared = "  apiGateway: {restApiId: a, restApiRootResourceId: r, restApiResources: {reviews/best: x}}\n"

    with pytest.raises(ConfigurationError) as raised:
        resources(HEAD + shared + functions(f="[{http: GET /reviews/worst}]"))

    assert "the shared REST API has the resource /reviews/best, so it has /reviews, too" in str(raised.value)
    assert "add /reviews to provider.apiGateway.restApiResources" in str(raised.value)


def test_the_role_for_logs_stays_when_the_stack_goes(resources):
    made = resources(HEAD + "  logs: {restApi: true}\n" + BASE)

    assert made["ApiGatewayAccount"]["DeletionPolicy"] == made["ApiGatewayCloudWatchRole"]["DeletionPolicy"] == "Retain"
    assert "ApiGatewayAccount" in deployment(made)[1]["DependsOn"]


@pytest.mark.parametrize(
    ("logs", "wanted"),
    [("{role: 'arn:aws:iam::123456789012:role/logs'}", 1), ("{roleManagedExternally: true}", 0)],
    ids=["own", "outside"],
)
def test_a_role_for_logs_from_elsewhere_is_used(resources, logs, wanted):
    made = resources(HEAD + f"  logs: {{restApi: {logs}}}\n" + BASE)

    assert "ApiGatewayCloudWatchRole" not in made
    assert len(of_kind(made, "ApiGateway::Account")) == wanted


def test_a_stage_that_a_plugin_made_a_resource_stays_one(resources):
    made = resources(
        HEAD
        + "plugins: [serverless-api-stage]\n"
        + "custom: {stageSettings: {Variables: {a: b}, "
        + "MethodSettings: {ThrottlingRateLimit: 5, ThrottlingBurstLimit: 6}}}\n"
        + functions(f="[{http: {path: a, method: get, private: true}}]")
    )

    name, found = deployment(made)
    assert "StageName" not in found["Properties"]
    assert made["ApiGatewayStageDev"]["Properties"] == {
        "StageName": "dev",
        "Description": "dev stage of sv",
        "RestApiId": {"Ref": "ApiGatewayRestApi"},
        "DeploymentId": {"Ref": name},
        "Variables": {"a": "b"},
        "MethodSettings": [
            {"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingBurstLimit": 6, "ThrottlingRateLimit": 5}
        ],
    }


DOMAIN = "{domainName: api.example.com, endpointType: regional, certificateArn: {Ref: Cert}"


def test_a_domain_of_the_http_api_leads_to_its_stage(resources):
    made = resources(
        HEAD
        + f"custom: {{bareboat: {{domains: stack}}, customDomain: {DOMAIN}, apiType: http, basePath: v1}}}}\n"
        + functions(f="[{httpApi: GET /a}]")
    )

    mapping = made["CustomDomainApiExampleComMappingV1"]
    assert mapping["Type"] == "AWS::ApiGatewayV2::ApiMapping"
    assert mapping["Properties"] == {
        "ApiId": {"Ref": "HttpApi"},
        "DomainName": {"Ref": "CustomDomainApiExampleCom"},
        "Stage": {"Ref": "HttpApiStage"},
        "ApiMappingKey": "v1",
    }
    records = of_kind(made, "Route53::RecordSet")
    assert {each["Properties"]["Type"] for each in records.values()} == {"A", "AAAA"}
    assert {each["Properties"]["HostedZoneName"] for each in records.values()} == {"example.com."}


def test_a_domain_of_the_rest_api_waits_for_the_deployment_that_makes_its_stage(resources):
    made = resources(
        HEAD
        + "custom: {bareboat: {domains: stack}, customDomain: {domainName: api.example.com, certificateArn: arn, "
        + "createRoute53Record: false}}\n"
        + BASE
    )

    mapping = made["CustomDomainApiExampleComMapping"]
    assert mapping["DependsOn"] == deployment(made)[0]
    assert made["CustomDomainApiExampleCom"]["Properties"]["EndpointConfiguration"] == {"Types": ["EDGE"]}
    assert not of_kind(made, "Route53::RecordSet")


def test_a_domain_of_an_api_that_is_not_there_is_refused(resources):
    with pytest.raises(ConfigurationError) as raised:
        resources(
            HEAD
            + f"custom: {{bareboat: {{domains: stack}}, customDomain: {DOMAIN}}}}}\n"
            + functions(f="[{httpApi: GET /a}]")
        )

    assert "api.example.com is for the REST API, and no function has an http event" in str(raised.value)


def test_domains_that_a_plugin_made_are_left_alone(resources):
    made = resources(HEAD + f"custom: {{customDomain: {DOMAIN}}}}}\n" + BASE)

    assert not [name for name in made if "Domain" in name]


def test_an_openapi_document_makes_what_its_routes_as_events_make(resources):
    document = """
openapi: 3.0.3
info: {title: x, version: '1'}
paths:
  /a: {get: {operationId: f, responses: {}}}
  /b/{id}: {post: {operationId: g, security: [{guard: []}], responses: {}}}
components:
  securitySchemes:
    guard:
      type: oauth2
      x-amazon-apigateway-authorizer:
        type: jwt
        jwtConfiguration: {issuer: https://i.example, audience: [a]}
        identitySource: $request.header.Authorization
"""
    imported = resources(HEAD + "custom: {bareboat: {openapi: api.yaml}}\n" + functions(f="[]", g="[]"), api=document)

    written = resources(
        HEAD
        + "  httpApi: {authorizers: {guard: {type: jwt, issuerUrl: https://i.example, audience: [a], "
        + "identitySource: [$request.header.Authorization]}}}\n"
        + functions(f="[{httpApi: GET /a}]", g="[{httpApi: {method: POST, path: '/b/{id}', authorizer: guard}}]")
    )
    assert imported == written
