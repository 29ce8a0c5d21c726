"""Events beside the samples that AWS's own people wrote: the same keys, the same types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bareboat.local.gateway import Api, Route, event_v1, event_v2
from bareboat.local.gateway.call import Call
from bareboat.local.messages import Request

# Not of this machine: client certificates, and what an authorizer adds (a later change).
ABSENT = {
    ("requestContext", "authentication"),
    ("requestContext", "authorizer"),
    ("requestContext", "identity", "clientCert"),
}
V2 = [
    "lambda-go/apigw-v2-request-no-authorizer.json",
    "lambda-go/apigw-v2-request-iam.json",
    "lambda-go/apigw-v2-request-jwt-authorizer.json",
    "lambda-go/apigw-v2-request-lambda-authorizer.json",
    "powertools/apiGatewayProxyV2Event.json",
    "powertools/apiGatewayProxyV2Event_GET.json",
    "powertools/apiGatewayProxyV2EventPathTrailingSlash.json",
    "powertools/apiGatewayProxyV2IamEvent.json",
    "powertools/apiGatewayProxyV2LambdaAuthorizerEvent.json",
    "powertools/apiGatewayProxyV2OtherGetEvent.json",
    "powertools/apiGatewayProxyV2SchemaMiddlwareValidEvent.json",
    "powertools/lambdaFunctionUrlEvent.json",
    "sam-cli/generated_HttpApi.json",
]
V1 = [
    "powertools/apiGatewayProxyEvent.json",
    "powertools/apiGatewayProxyOtherEvent.json",
    "powertools/apiGatewayProxyEventAnotherPath.json",
    "powertools/apiGatewayProxyEventPathTrailingSlash.json",
    "powertools/apiGatewayProxyEventNoOrigin.json",
]


def shape(value: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Return each key's path and JSON type; the keys of headers, parameters and variables are free."""
    free = at and at[-1] in {"headers", "multiValueHeaders", "queryStringParameters", "pathParameters",
                             "stageVariables", "multiValueQueryStringParameters"}  # fmt: skip
    if at in ABSENT:
        return {}
    kind = {dict: "object", list: "array", str: "string", int: "number", bool: "boolean", type(None): "null"}[
        type(value)
    ]
    result = {at: kind}
    if isinstance(value, dict) and not free:
        for key, inner in value.items():
            result |= shape(inner, (*at, key))
    return result


def request_of(sample: dict[str, Any], query: str, path: str, method: str) -> Request:
    headers = []
    for name, values in (sample.get("multiValueHeaders") or sample["headers"]).items():
        headers += [(name, value) for value in (values if isinstance(values, list) else [values])]
    headers += [("Cookie", "; ".join(sample["cookies"]))] if sample.get("cookies") else []
    if sample.get("isBase64Encoded"):
        headers.append(("Content-Type", "application/octet-stream"))
    elif sample.get("body"):
        headers.append(("Content-Type", "text/plain"))
    target = path + ("?" + query if query else "")
    return Request(method, target, headers, (sample.get("body") or "").encode(), ("127.0.0.1", 1))


@pytest.mark.parametrize("name", V2)
def test_a_format_2_event_has_the_shape_of_the_sample(oracle: Path, name: str) -> None:
    sample = json.loads((oracle / name).read_text())
    http = sample["requestContext"]["http"]
    request = request_of(sample, sample["rawQueryString"], http["path"], http["method"])
    key = sample["routeKey"]
    api = Api("abc", stage_variables=sample.get("stageVariables") or {})

    event = event_v2.build_event(Call(request, api), Route(key, "*", "*", "f"), sample.get("pathParameters") or {})

    assert shape(event) == shape(without_nulls(sample))
    for field in ("cookies", "queryStringParameters", "rawQueryString", "pathParameters", "routeKey", "version",
                  "stageVariables", "isBase64Encoded"):  # fmt: skip
        assert event.get(field) == (sample.get(field) or event.get(field))
    if not sample["isBase64Encoded"]:
        assert event.get("body") == sample.get("body")


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


@pytest.mark.parametrize("name", V1)
def test_a_format_1_event_has_the_shape_of_the_sample(oracle: Path, name: str) -> None:
    sample = json.loads((oracle / name).read_text())
    query = "&".join(
        f"{key}={value}" for key, values in sample["multiValueQueryStringParameters"].items() for value in values
    )
    request = request_of(sample, query, sample["path"], sample["httpMethod"])
    route = Route(f"{sample['httpMethod']} {sample['resource']}", sample["httpMethod"], sample["resource"], "f")

    event = event_v1.build_event(Call(request, Api("abc")), route, sample["pathParameters"] or {})

    ours, theirs = shape(event), shape(sample)
    # The samples leave cognitoAmr out, which real events have, and show resourceId as null, where it is the route key.
    assert ours.pop(("requestContext", "identity", "cognitoAmr")) == "null"
    assert (ours.pop(("requestContext", "resourceId")), theirs.pop(("requestContext", "resourceId"))) == (
        "string",
        "null",
    )
    assert ours == theirs
    # The samples show a repeated parameter's first value; recorded is the last (HTTP API, 2025-04-14).
    assert set(event["queryStringParameters"]) == set(sample["queryStringParameters"])
    for field in ("multiValueQueryStringParameters", "resource", "path", "httpMethod",
                  "pathParameters", "version", "isBase64Encoded"):  # fmt: skip
        assert event[field] == sample[field]
    for header in ("Header1", "Header2"):
        assert event["headers"][header] == sample["headers"][header]
        assert event["multiValueHeaders"][header] == sample["multiValueHeaders"][header]
