"""APIs of other stacks and private ones: what cannot be said of them has its place."""

from __future__ import annotations

import pytest

ELSEWHERE = "provider.apiGateway.restApiId names a REST API that another stack makes"


def text(provider: str, events: str = "[]") -> str:
    return (
        f"service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n  {provider}\n"
        f"functions:\n  predict: {{handler: handler.predict, events: {events}}}\n"
    )


@pytest.mark.parametrize(
    ("provider", "found"),
    [
        (
            "httpApi: {id: abc, cors: true}",
            "provider.httpApi.cors has no effect: provider.httpApi.id names an HTTP API that another stack makes",
        ),
        (
            "httpApi: {id: abc}\n  logs: {httpApi: true}",
            "provider.logs.httpApi has no effect: provider.httpApi.id names an HTTP API that another stack makes",
        ),
        ("apiGateway: {restApiId: abc}", "provider.apiGateway has restApiId and no restApiRootResourceId"),
        (
            "apiGateway: {restApiId: abc, restApiRootResourceId: r}\n  tracing: {apiGateway: true}",
            "provider.tracing.apiGateway has no effect: " + ELSEWHERE,
        ),
        ("endpointType: regional\n  vpcEndpointIds: [vpce-1]", "provider.vpcEndpointIds is for private APIs"),
        ("endpointType: global", "provider.endpointType is global"),
    ],
    ids=["cors", "logs", "root", "tracing", "endpoints", "endpoint"],
)
def test_what_an_api_cannot_have_is_refused(refuse, provider, found):
    (problem,) = refuse(text(provider))

    assert problem.found == found
    assert problem.where.startswith("serverless.yml:")


def test_an_authorizer_from_elsewhere_needs_an_api_from_elsewhere(refuse):
    (problem,) = refuse(text("stage: dev", "[{httpApi: {path: /a, method: get, authorizer: {id: a1, type: jwt}}}]"))

    assert problem.found == "the authorizer of GET /a has an id, and the HTTP API is this stack's own"


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ("integration: http", "functions.predict.events[0].http has the integration http and no request.uri"),
        (
            "integration: http-proxy, connectionType: vpc-link, request: {uri: 'http://a.example'}",
            "functions.predict.events[0].http has connectionType and no connectionId",
        ),
    ],
)
def test_an_integration_with_another_server_says_where_it_is(refuse, event, found):
    (problem,) = refuse(text("stage: dev", f"[{{http: {{path: a, method: get, {event}}}}}]"))

    assert problem.found == found
