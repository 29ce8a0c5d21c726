"""A stack is watched until it rests; a deployment's settings; limits of templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.accounts import allowed_accounts
from bareboat.aws.limits import template_text
from bareboat.aws.settings import stack_settings
from bareboat.aws.stack import settle, stack_template
from bareboat.errors import ConfigurationError, RemoteError
from bareboat.service import load_service

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/own-dev/1"


def line(number: int, name: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "EventId": str(number),
        "StackId": ID,
        "Timestamp": BEGAN + timedelta(seconds=number),
        "LogicalResourceId": name,
        "PhysicalResourceId": ID if name == "own-dev" else name,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


HISTORY = [
    line(-5, "own-dev", "UPDATE_COMPLETE"),
    line(1, "own-dev", "UPDATE_IN_PROGRESS"),
    line(2, "A", "UPDATE_IN_PROGRESS"),
    line(3, "A", "UPDATE_COMPLETE"),
    line(4, "own-dev", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    line(5, "own-dev", "UPDATE_COMPLETE"),
]


def stack(status: str) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "own-dev", "StackId": ID, "StackStatus": status, "CreationTime": BEGAN}]}


def test_each_event_is_told_once_and_the_stack_is_asked_at_the_end(scripted: Any) -> None:
    looks = iter((2, 3, 5, 6))
    aws = scripted(
        {
            "cloudformation:describe_stack_events": lambda **_: {"StackEvents": HISTORY[: next(looks)][::-1]},
            "cloudformation:describe_stacks": stack("UPDATE_COMPLETE"),
        }
    )
    told: list[str] = []
    slept: list[float] = []

    settled = settle(aws, ID, since=BEGAN, on_event=lambda one: told.append(one.id), sleep=slept.append)

    assert told == ["1", "2", "3", "4", "5"]
    assert settled.status == "UPDATE_COMPLETE"
    assert slept == sorted(slept)
    assert slept[0] == pytest.approx(0.1)


def test_the_wait_has_an_end(scripted: Any) -> None:
    aws = scripted(
        {
            "cloudformation:describe_stack_events": {"StackEvents": HISTORY[1:2]},
            "cloudformation:describe_stacks": stack("UPDATE_IN_PROGRESS"),
        }
    )
    now = iter(range(0, 10_000, 60))

    with pytest.raises(RemoteError, match="has been at work for 10 minutes"):
        settle(aws, ID, since=BEGAN, sleep=lambda _: None, clock=lambda: float(next(now)), limit_s=600)


def test_a_template_that_somebody_wrote_as_yaml_is_read(scripted: Any) -> None:
    aws = scripted({"cloudformation:get_template": {"TemplateBody": "Resources:\n  A: {Type: 'AWS::SNS::Topic'}\n"}})

    assert stack_template(aws, "x") == {"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}


def test_a_template_over_the_limits_is_refused_before_it_is_sent() -> None:
    many = {"Resources": {f"R{number}": {"Type": "AWS::SNS::Topic"} for number in range(501)}}

    with pytest.raises(ConfigurationError, match="the template has 501 resources"):
        template_text(many)
    with pytest.raises(ConfigurationError, match="bytes"):
        template_text({"Resources": {"A": {"Type": "x" * 1_000_001}}})


Load = Callable[[str], Any]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(more: str) -> Any:
        (tmp_path / "serverless.yml").write_text("service: own\n" + more)
        return load_service(tmp_path, env={})

    return loaded


def test_the_settings_of_the_stack_are_read(load: Load) -> None:
    service = load(
        "provider:\n  name: aws\n  stage: prod\n  stackTags: {team: ml}\n"
        "  iam: {deploymentRole: 'arn:aws:iam::1:role/x'}\n"
        "  notificationArns: ['arn:aws:sns:us-east-1:1:x']\n  disableRollback: true\n"
        "  deletionProtection: {prod: true, default: false}\n"
        "  stackParameters: [{ParameterKey: A, ParameterValue: 1}, {ParameterKey: B, UsePreviousValue: true}]\n"
    )

    found = stack_settings(service)

    assert dict(found.tags) == {"STAGE": "prod", "team": "ml"}
    assert found.role == "arn:aws:iam::1:role/x"
    assert found.notified == ("arn:aws:sns:us-east-1:1:x",)
    assert dict(found.parameters) == {"A": "1", "B": None}
    assert found.keeps_failed
    assert found.protected is True


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        pytest.param("['123456789012']", ("123456789012",), id="list"),
        pytest.param("123456789012", ("123456789012",), id="number"),
        pytest.param("{dev: ['123456789012', '210987654321']}", ("123456789012", "210987654321"), id="stage"),
        pytest.param("{prod: '123456789012'}", None, id="other-stage"),
        pytest.param("{default: '123456789012'}", ("123456789012",), id="default"),
    ],
)
def test_accounts_are_a_list_or_by_stage(load: Load, accounts: str, expected: Any) -> None:
    service = load(f"provider: {{name: aws}}\ncustom: {{bareboat: {{accounts: {accounts}}}}}\n")

    assert allowed_accounts(service) == expected
