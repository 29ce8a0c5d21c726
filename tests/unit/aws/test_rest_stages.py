"""Stages that are live: described by the deployment that made them, set by calls afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from bareboat.aws.rest_stages import StageChange, fitted, set_stage, stage_changes

TAGS = [{"Key": "team", "Value": "a"}]


def template(name: str, description: Any = None, stage: str = "dev") -> dict[str, Any]:
    properties: dict[str, Any] = {"RestApiId": {"Ref": "Api"}, "StageName": stage}
    if description is not None:
        properties["StageDescription"] = description
    return {"Resources": {name: {"Type": "AWS::ApiGateway::Deployment", "Properties": properties}}}


@pytest.mark.parametrize(
    ("new", "live", "keeps"),
    [
        pytest.param(template("One", {"Tags": TAGS}), None, True, id="new"),
        pytest.param(template("One", {"Tags": TAGS}), {"Resources": {}}, True, id="no-api-yet"),
        pytest.param(template("One", {"Tags": TAGS}), template("One", {"Tags": TAGS}), True, id="unchanged"),
        pytest.param(template("Two", {"Tags": TAGS}), template("One", {"Tags": TAGS}), False, id="changed"),
        pytest.param(template("One", {"Tags": TAGS}), template("One"), False, id="stays-without"),
        pytest.param(template("Two", {"Tags": TAGS}), template("One", stage="other"), True, id="other-stage"),
    ],
)
def test_a_description_goes_with_the_deployment_that_makes_the_stage(new: Any, live: Any, keeps: bool) -> None:
    made, described = fitted(new, live)

    ((_, one),) = made["Resources"].items()
    assert ("StageDescription" in one["Properties"]) is keeps
    assert bool(described) is not keeps
    assert fitted(made, live)[0] == made


class Api:
    """API Gateway with one stage."""

    region = "us-east-1"

    def __init__(self, stage: dict[str, Any]) -> None:
        self.stage = stage
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def client(self, _: str) -> Any:
        return type("Client", (), {"meta": type("Meta", (), {"partition": "aws"})})

    def call(self, service: str, operation: str, **given: Any) -> dict[str, Any]:
        self.calls.append((f"{service}:{operation}", given))
        if operation == "describe_stack_resource":
            return {"StackResourceDetail": {"PhysicalResourceId": "abc"}}
        return self.stage


DESCRIPTION = {
    "AccessLogSetting": {"DestinationArn": {"Fn::GetAtt": ["Logs", "Arn"]}, "Format": "x"},
    "TracingEnabled": True,
    "Variables": {"k": "v"},
    "LoggingLevel": "INFO",
    "ThrottlingRateLimit": 10,
    "MethodSettings": [
        {"HttpMethod": "GET", "ResourcePath": "/~1items~1{id}", "LoggingLevel": "INFO"},
        {"HttpMethod": "POST", "ResourcePath": "/", "MetricsEnabled": True},
    ],
    "Tags": TAGS,
}
WANTED = {
    "/accessLogSettings/destinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/api-gateway/x",
    "/accessLogSettings/format": "x",
    "/tracingEnabled": "true",
    "/variables/k": "v",
    "/*/*/logging/loglevel": "INFO",
    "/*/*/throttling/rateLimit": "10",
    "/~1items~1{id}/GET/logging/loglevel": "INFO",
    "/~1/POST/metrics/enabled": "true",
}
GROUP = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/api-gateway/x"}}


def changes(stage: dict[str, Any]) -> tuple[StageChange, ...]:
    made, described = fitted(template("Two", DESCRIPTION), template("One"))
    made["Resources"]["Logs"] = GROUP
    return stage_changes(Api(stage), "s", "123456789012", made, described)  # type: ignore[arg-type]


def test_what_differs_is_set_as_update_stage_has_it() -> None:
    (change,) = changes({"tags": {"other": "b"}})
    aws = Api({})
    set_stage(aws, change)  # type: ignore[arg-type]

    assert change.patches == WANTED
    ((update, patched), (tag, tagged)) = aws.calls
    assert (update, tag) == ("apigateway:update_stage", "apigateway:tag_resource")
    assert {one["path"]: one["value"] for one in patched["patchOperations"]} == WANTED
    assert tagged == {
        "resourceArn": "arn:aws:apigateway:us-east-1::/restapis/abc/stages/dev",
        "tags": {"team": "a"},
    }
    assert "v" not in str(change).replace("variables", "").replace("level", "").split()


def test_what_is_so_already_is_left_alone() -> None:
    settings = {"loggingLevel": "INFO", "metricsEnabled": True}
    stage = {
        "accessLogSettings": {
            "destinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/api-gateway/x:*",
            "format": "x",
        },
        "tracingEnabled": True,
        "variables": {"k": "v"},
        "methodSettings": {
            "*/*": {"loggingLevel": "INFO", "throttlingRateLimit": 10.0},
            "items/{id}/GET": settings,
            "~1/POST": settings,
        },
        "tags": {"team": "a", "aws:cloudformation:stack-name": "s"},
    }

    assert changes(stage) == ()
