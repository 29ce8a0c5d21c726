"""APIs on the test cloud: made, left alone when nothing changed, deployed anew when something did, an API kept."""

from __future__ import annotations

from typing import Any

import pytest

from bareboat.aws.live import look
from bareboat.aws.parcels import make_shipment
from bareboat.aws.plan import make_plan
from bareboat.aws.template.build import make_template

REST = """
service: demo
provider:
  name: aws
  runtime: python3.13
  tags: {team: a}
  tracing: {apiGateway: true}
  apiGateway:
    apiKeys: [{name: first, value: abcdefghijklmnopqrstuvwxyz}]
    usagePlan: {throttle: {burstLimit: 20, rateLimit: 10}}
custom:
  bareboat: {throttle: {rate: 5, burst: 6}, stageVariables: {colour: blue}}
functions:
  hello:
    handler: handler.hello
    events:
      - http: {path: items, method: get, private: true, cors: true}
      - http: {path: 'items/{id}', method: get, request: {parameters: {paths: {id: true}}}}
"""
HTTP = """
service: demo
provider:
  name: aws
  runtime: python3.13
  logs: {httpApi: true}
  httpApi:
    cors: true
    authorizers:
      users: {issuerUrl: https://issuer.example, audience: [a], identitySource: $request.header.Authorization}
custom: {bareboat: {openapi: api.yaml, throttle: {routes: {'GET /items': {rate: 1, burst: 2}}}}}
functions:
  hello:
    handler: handler.hello
    url: {cors: true}
"""
DOCUMENT = """
openapi: 3.0.3
info: {title: x, version: '1'}
paths:
  /items:
    get: {security: [{users: [read]}]}
    post: {}
"""


def foreseen(stage: Any, text: str) -> list[tuple[str, str]]:
    """Return what a deployment would change."""
    service = stage.service
    shipment = make_shipment(service, [stage.artifact(service, text)])
    live = look(stage.aws, service, [one.full_name for one in service.functions.values()])
    plan = make_plan(stage.aws, service, make_template(service, shipment), live)
    return [(change.kind, change.type) for change in plan.changes]


def outputs(stage: Any) -> dict[str, str]:
    return dict(look(stage.aws, stage.service, []).stack.outputs)


def test_a_rest_api_is_deployed_when_it_changed_and_only_then(stage):
    stage.yaml = REST
    stage.deploy("one")
    endpoint = outputs(stage)["ServiceEndpoint"]

    assert foreseen(stage, "one") == []
    stage.yaml = REST.replace("path: 'items/{id}', method: get", "path: 'items/{id}', method: put")
    changes = foreseen(stage, "one")
    stage.deploy("one")

    kinds = [(kind, kind_of) for kind, kind_of in changes if kind_of == "AWS::ApiGateway::Deployment"]
    assert sorted(kinds) == [("add", "AWS::ApiGateway::Deployment"), ("remove", "AWS::ApiGateway::Deployment")]
    assert not [change for change in changes if change[1] == "AWS::ApiGateway::RestApi"]
    assert outputs(stage)["ServiceEndpoint"] == endpoint
    assert foreseen(stage, "one") == []


def test_code_alone_leaves_the_rest_api_alone(stage):
    stage.yaml = REST
    stage.deploy("one")

    touched = {kind for _, kind in foreseen(stage, "two")}

    assert "AWS::ApiGateway::Deployment" not in touched
    assert "AWS::Lambda::Function" in touched


@pytest.fixture
def document(stage):
    """Write the OpenAPI document of the service."""

    def document(text: str) -> None:
        (stage.folder / "api.yaml").write_text(text)

    stage.yaml = HTTP
    document(DOCUMENT)
    return document


def test_a_route_of_a_document_is_a_change_of_its_own(stage, document):
    stage.deploy("one")
    url = outputs(stage)["HttpApiUrl"]
    assert foreseen(stage, "one") == []

    document(DOCUMENT + "  /more:\n    get: {}\n")

    assert foreseen(stage, "one") == [("add", "AWS::ApiGatewayV2::Route")]
    stage.deploy("one")
    assert outputs(stage)["HttpApiUrl"] == url
    assert outputs(stage)["HelloLambdaFunctionUrl"]
