"""A call -> the event of a Lambda authorizer."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from bareboat.local.gateway import event_v1, event_v2

if TYPE_CHECKING:
    from bareboat.local.gateway.call import Call
    from bareboat.local.gateway.routes import Route
    from bareboat.local.rest.call import RestCall
    from bareboat.local.rest.methods import Method


AnyCall = TypeVar("AnyCall", bound="Call")


def request_event_v2(call: Call, route: Route, values: list[str], arn: str) -> dict[str, Any]:
    """Return the event of payload format 2.0: the request without its body.

    Args:
        values: of the identity sources.
        arn: of the route.
    Source:
        AWS's guide "Control access to HTTP APIs with AWS Lambda authorizers", and AWS's samples of such events.
    """
    event = event_v2.build_event(bodiless(call), route, call.parameters)
    del event["isBase64Encoded"]
    return {"version": "2.0", "type": "REQUEST", "routeArn": arn, "identitySource": values, **event}


def request_event_v1(call: Call, route: Route, values: list[str], arn: str) -> dict[str, Any]:
    """Return the event of payload format 1.0 as an HTTP API makes it. What is not there is `{}`, never null."""
    event = event_v1.build_event(bodiless(call), route, call.parameters)
    joined = ",".join(values)
    head = {
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": arn,
        "identitySource": joined,
        "authorizationToken": joined,
    }
    return head | request_part(event)


def request_event_rest(call: RestCall, method: Method, _values: list[str], arn: str) -> dict[str, Any]:
    """Return the event of a `request` authorizer of a REST API: the request without its body.

    Source:
        AWS's guide "Input to an API Gateway Lambda authorizer", and AWS's samples of such events.
    """
    from bareboat.local.rest.binary import BinaryTypes  # imported late: the REST API asks access control itself
    from bareboat.local.rest.event import build_event

    event = build_event(bodiless(call), method, BinaryTypes(()), "")
    del event["requestContext"]["deploymentId"]
    return {"type": "REQUEST", "methodArn": arn, **request_part(event)}


def request_part(event: dict[str, Any]) -> dict[str, Any]:
    """Return what an authorizer is told of a request in format 1.0."""
    told = {name: value for name, value in event.items() if name not in ("version", "body", "isBase64Encoded")}
    for name in (
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
    ):
        told[name] = told.get(name) or {}
    return told


def bodiless(call: AnyCall) -> AnyCall:
    """Return the same call without its body, which authorizers are not told."""
    if not call.request.body:
        return call
    other = copy.copy(call)
    headers = call.request.headers
    if not any(name.lower() == "content-length" for name, _ in headers):
        headers = [*headers, ("Content-Length", str(len(call.request.body)))]
    other.request = replace(call.request, body=b"", headers=headers)
    return other
