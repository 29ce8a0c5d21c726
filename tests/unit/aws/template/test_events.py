"""What calls functions, in the template: what osls has no case of, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.shipment import FunctionCode, Shipment, ZipCode
from bareboat.aws.template.build import make_template
from bareboat.errors import ConfigurationError
from bareboat.service import load_service

QUEUE = "arn:aws:sqs:us-east-1:123456789012:rows"


@pytest.fixture
def template(tmp_path: Path) -> Any:
    """Make the template of functions."""

    def template(functions: str) -> dict[str, Any]:
        (tmp_path / "handler.py").write_text("")
        (tmp_path / "a.model").write_text("tree")
        text = f"service: sv\nprovider: {{name: aws, runtime: python3.13}}\nfunctions:\n{functions}"
        (tmp_path / "serverless.yml").write_text(text)
        service = load_service(tmp_path / "serverless.yml", env={})
        code = ZipCode("code.zip", "0" * 64)
        codes = {name: FunctionCode(code, "x86_64", "h.h", "python3.13") for name in service.functions}
        made: dict[str, Any] = make_template(service, Shipment(codes))
        return json.loads(json.dumps(made))

    return template


def function(name: str, *events: str, more: str = "handler: handler.handle") -> str:
    lines = "".join(f"      - {event}\n" for event in events)
    return f"  {name}:\n    {more}\n    events:\n{lines}"


def allowed(role: dict[str, Any]) -> dict[str, Any]:
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {action: each["Resource"] for each in statements for action in each["Action"]}


def test_the_queue_of_a_model_function_reports_failures_unasked(template: Any) -> None:
    made = template(function("f", f"sqs: {QUEUE}", more="model: a.model"))

    mapping = made["Resources"]["FEventSourceMappingSQSRows"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_queue_is_read_by_the_role_of_its_own_function_alone(template: Any) -> None:
    own = "handler: handler.handle\n    iamRoleStatements: [{Effect: Allow, Action: ['s3:Get*'], Resource: '*'}]"
    made = template(function("own", f"sqs: {QUEUE}", more=own) + function("other", f"sqs: {QUEUE}2"))["Resources"]

    assert allowed(made["OwnIamRoleLambdaExecution"])["sqs:ReceiveMessage"] == [QUEUE]
    assert allowed(made["IamRoleLambdaExecution"])["sqs:ReceiveMessage"] == [f"{QUEUE}2"]


def test_the_scheduler_takes_the_role_of_the_function_that_it_calls(template: Any) -> None:
    own = "handler: handler.handle\n    iamRoleStatements: [{Effect: Allow, Action: ['s3:Get*'], Resource: '*'}]"
    event = "schedule: {rate: rate(1 day), method: scheduler}"
    made = template(function("own", event, more=own) + function("other"))["Resources"]

    def trusted(role: str) -> list[str]:
        (statement,) = made[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        services: list[str] = statement["Principal"]["Service"]
        return services

    assert trusted("OwnIamRoleLambdaExecution") == ["lambda.amazonaws.com", "scheduler.amazonaws.com"]
    assert trusted("IamRoleLambdaExecution") == ["lambda.amazonaws.com"]
    target = made["OwnSchedulerSchedule1"]["Properties"]["Target"]
    assert target["RoleArn"] == {"Fn::GetAtt": ["OwnIamRoleLambdaExecution", "Arn"]}


def test_a_schedule_may_fire_once(template: Any) -> None:
    made = template(function("f", "schedule: {rate: 'at(2030-01-01T00:00:00)', method: scheduler}"))

    assert made["Resources"]["FSchedulerSchedule1"]["Properties"]["ScheduleExpression"] == "at(2030-01-01T00:00:00)"


def test_a_rate_that_only_a_deployment_knows_is_kept(template: Any) -> None:
    made = template(function("f", "schedule: {rate: [{Ref: Rate}]}"))

    assert made["Resources"]["FEventsRuleSchedule1"]["Properties"]["ScheduleExpression"] == {"Ref": "Rate"}


@pytest.mark.parametrize(
    ("functions", "found"),
    [
        (function("f", f"sqs: {QUEUE}", f"sqs: {QUEUE}"), "two sqs events of one source"),
        (function("f", "sqs: {arn: {'Fn::If': [a, b, c]}}"), "the arn of sqs is"),
        (
            function("f", "s3: {bucket: a, existing: true}", "s3: {bucket: b, existing: true}"),
            "two buckets that are there already",
        ),
        ("".join(function(name, "cloudwatchLog: /a") for name in "fgh"), "more than 2 subscriptions"),
    ],
    ids=["queue", "arn", "buckets", "logs"],
)
def test_what_cannot_be_deployed_is_refused_with_its_place(template: Any, functions: str, found: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        template(functions)

    assert found in str(refused.value)
    assert "serverless.yml:" in str(refused.value)


@pytest.mark.parametrize(
    ("properties", "timeout", "fits"), [("{}", 30, True), ("{}", 31, False), ("{VisibilityTimeout: 300}", 60, True)]
)
def test_a_queue_whose_messages_come_back_too_soon_is_refused(
    template: Any, properties: str, timeout: int, fits: bool
) -> None:
    more = f"handler: handler.handle\n    timeout: {timeout}"
    queue = f"resources: {{Resources: {{Jobs: {{Type: 'AWS::SQS::Queue', Properties: {properties}}}}}}}\n"
    functions = function("f", "sqs: {arn: {'Fn::GetAtt': [Jobs, Arn]}}", more=more) + queue

    if fits:
        assert "FEventSourceMappingSQSJobs" in template(functions)["Resources"]
    else:
        with pytest.raises(ConfigurationError, match="show up again after 30 s"):
            template(functions)
