"""No secret leaves a plan: neither as lines nor as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bareboat.aws.changes import Change
from bareboat.aws.differences import ABSENT, Difference, differences
from bareboat.aws.secret_values import without_secrets
from bareboat.cli.changes import change_documents, change_lines
from bareboat.cli.terminal import Terminal

HIDDEN = "hunter2-very-secret"
FUNCTION, KEY, PARAMETER = "AWS::Lambda::Function", "AWS::ApiGateway::ApiKey", "AWS::SSM::Parameter"


def shown(type_: str, before: Any, after: Any) -> str:
    found = tuple(differences({"Properties": before}, {"Properties": after}))
    assert found
    change = Change("modify", "Thing", type_, properties=found)
    lines = [*change_lines(Terminal(), change)]
    return "\n".join([*lines, json.dumps(change_documents([change]))])


@pytest.mark.parametrize(
    ("type_", "before", "after", "name"),
    [
        pytest.param(FUNCTION, {}, {"Environment": {"Variables": {"LEVEL": HIDDEN}}}, "LEVEL", id="first-variable"),
        pytest.param(FUNCTION, {"Environment": {"Variables": {"PW": HIDDEN}}}, {}, "PW", id="last-variable"),
        pytest.param(
            FUNCTION,
            {"Environment": {}},
            {"Environment": {"Variables": {"PW": {"Fn::Sub": HIDDEN}}}},
            "PW",
            id="substituted",
        ),
        pytest.param(
            FUNCTION,
            {"Environment": {"Variables": {"PW": "a"}}},
            {"Environment": {"Variables": {"PW": HIDDEN}}},
            "PW",
            id="variable",
        ),
        pytest.param(KEY, {"Value": "AAAA"}, {"Value": HIDDEN}, "Value", id="api-key"),
        pytest.param(PARAMETER, {"Value": HIDDEN}, {"Value": "b"}, "Value", id="parameter"),
        pytest.param("AWS::RDS::DBInstance", {}, {"MasterUserPassword": HIDDEN}, "MasterUserPassword", id="password"),
        pytest.param(
            "AWS::ECS::TaskDefinition",
            {},
            {"ContainerDefinitions": [{"Environment": [{"Name": "PW", "Value": HIDDEN}]}]},
            "PW",
            id="container",
        ),
        pytest.param(
            "AWS::ApiGateway::Deployment", {}, {"StageDescription": {"Variables": {"k": HIDDEN}}}, "k", id="stage"
        ),
        pytest.param(
            "AWS::ApiGateway::Deployment",
            {},
            {"Metadata": {"BareboatStage": {"Variables": {"k": HIDDEN}}}},
            "k",
            id="stage-metadata",
        ),
    ],
)
def test_a_value_that_may_be_a_secret_is_not_shown(type_: str, before: Any, after: Any, name: str) -> None:
    text = shown(type_, before, after)

    assert HIDDEN not in text
    assert name in text
    assert "not shown" in text


def test_what_is_no_secret_is_shown() -> None:
    assert "1024 -> 2048" in shown(FUNCTION, {"MemorySize": 1024}, {"MemorySize": 2048})
    assert '"Value": "red"' in shown("AWS::SQS::Queue", {}, {"Tags": [{"Key": "colour", "Value": "red"}]})


def test_a_resource_as_a_whole_keeps_its_shape() -> None:
    whole = {"Properties": {"Environment": {"Variables": {"A": HIDDEN}}, "Timeout": 3}}

    assert without_secrets(FUNCTION, "", whole) == {
        "Properties": {"Environment": {"Variables": {"A": "(not shown)"}}, "Timeout": 3}
    }


def test_what_is_not_there_stays_so() -> None:
    text = [*change_lines(Terminal(), Change("modify", "F", KEY, properties=(Difference("Value", ABSENT, HIDDEN),)))]

    assert text[1].endswith("Value  is set (not shown)")
