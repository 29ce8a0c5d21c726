"""What early validation of a change set found (shapes of DescribeEvents as botocore's model has them)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bareboat.aws.changes import ChangeSet
from bareboat.aws.plan import ChangeSetError, refuse_failed
from bareboat.aws.validation import refusals

REASON = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early "
    "Validation errors, use the DescribeEvents API for detailed failure information."
)


def failed(reason: str = REASON) -> ChangeSet:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return ChangeSet("arn:cs", "cs", "arn:stack", "own-dev", "UPDATE", "FAILED", "UNAVAILABLE", when, reason)


def event(**more: Any) -> dict[str, Any]:
    return {
        "EventId": "1",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": "HelloLogGroup",
        "ResourceType": "AWS::Logs::LogGroup",
        "ValidationName": "NAME_CONFLICT_VALIDATION",
        "ValidationStatus": "FAILED",
        "ValidationFailureMode": "FAIL",
        "ValidationStatusReason": "Resource of type 'AWS::Logs::LogGroup' with identifier '/aws/lambda/own-dev-hello' "
        "already exists.",
        "ValidationPath": "/Resources/HelloLogGroup",
        **more,
    }


def test_each_resource_is_told_with_its_fix(scripted: Any) -> None:
    pages = [
        {"OperationEvents": [event(), event(ValidationFailureMode="WARN")], "NextToken": "more"},
        {
            "OperationEvents": [
                event(
                    LogicalResourceId="Jobs",
                    ResourceType="AWS::SQS::Queue",
                    ValidationStatusReason="extraneous key [Nonsense] is not permitted",
                    ValidationPath="/Resources/Jobs/Properties/Nonsense",
                )
            ]
        },
    ]
    aws = scripted({"cloudformation:describe_events": lambda **_: pages.pop(0)})

    found = refusals(aws, failed())

    first, second = (one.found for one in found)
    assert first.startswith("own-dev: HelloLogGroup (AWS::Logs::LogGroup): Resource of type 'AWS::Logs::LogGroup' with")
    assert second.endswith("extraneous key [Nonsense] is not permitted (/Resources/Jobs/Properties/Nonsense)")
    assert "aws logs delete-log-group --log-group-name /aws/lambda/own-dev-hello" in found[0].fix
    assert found[1].fix.startswith("take it out")
    assert [one.get("NextToken") for one in aws.asked("cloudformation:describe_events")] == [None, "more"]


def test_events_are_read_before_the_change_set_is_deleted(scripted: Any) -> None:
    aws = scripted(
        {
            "cloudformation:describe_events": {"OperationEvents": [event()]},
            "cloudformation:delete_change_set": {},
        }
    )

    with pytest.raises(ChangeSetError, match="already exists"):
        refuse_failed(aws, failed())

    assert [name for name, _ in aws.calls] == ["cloudformation:describe_events", "cloudformation:delete_change_set"]


def test_without_the_right_to_read_events_it_says_which_right(scripted: Any, refusal: Any) -> None:
    aws = scripted({"cloudformation:describe_events": refusal("AccessDenied", status=403)})

    (found,) = refusals(aws, failed())

    assert "ResourceExistenceCheck" in found.found
    assert found.fix.startswith("allow cloudformation:DescribeEvents")


def test_other_reasons_are_told_as_they_are(scripted: Any) -> None:
    (found,) = refusals(scripted(), failed("Transform failed"))

    assert found.found == "CloudFormation cannot work out the changes of own-dev: Transform failed"
