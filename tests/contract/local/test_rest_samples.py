"""REST events beside the samples that AWS's own people wrote: no key of theirs is missing, and the types are theirs."""

from __future__ import annotations

import json
from typing import Any

import pytest

SAMPLES = [
    "lambda-go/apigw-request.json",
    "lambda-go/apigw-restapi-openapi-request.json",
    "powertools/apiGatewayProxyEvent_noVersionAuth.json",
    "powertools/apiGatewayProxyEventPrincipalId.json",
    "sam-cli/generated_AwsProxy.json",
]
# Of another API, of access control, of an edge, and what older samples still have.
NOT_HERE = {
    "requestContext.authorizer",
    "requestContext.identity.apiKey",
    "requestContext.identity.apiKeyId",
    "requestContext.identity.clientCert",
    "requestContext.operationName",
}
FREE = {"headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters",
        "stageVariables"}  # fmt: skip


def kinds(value: Any, at: str = "") -> dict[str, str]:
    """Return the JSON type of each key."""
    found = {at: type(value).__name__} if at else {}
    if isinstance(value, dict) and at not in FREE:
        for key, inner in value.items():
            path = f"{at}.{key}" if at else key
            if path not in NOT_HERE:
                found |= kinds(inner, path)
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_an_event_has_every_key_of_the_sample_with_its_type(kit, oracle, name):
    sample = kinds(json.loads((oracle / name).read_text()))
    rest = kit.Rest(kit.service(kit.http("POST /items/{id}"), rest=kit.RestApi(stage_variables={"a": "b"})))

    rest.ask("POST", "/dev/items/1?a=b", {"User-Agent": "me", "Content-Type": "application/json"}, b"{}")

    ours = kinds(rest.event)
    assert set(sample) - set(ours) == set()
    different = {key: (kind, ours[key]) for key, kind in sample.items() if key not in FREE}
    assert {key: pair for key, pair in different.items() if pair[0] != pair[1] and "NoneType" not in pair} == {}
