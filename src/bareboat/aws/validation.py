"""A change set that CloudFormation refused before it did anything -> what is wrong, resource by resource.

Since November 2025 a change set is checked early: names that are taken, properties that a type does not have. Its own
reason then only names the check; what failed stands in the events of the operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bareboat.aws.causes import failure
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.stack import StackEvent
from bareboat.errors import Problem

if TYPE_CHECKING:
    from bareboat.aws.changes import ChangeSet

_EARLY = "EarlyValidation"


def refusals(aws: Aws, change_set: ChangeSet) -> tuple[Problem, ...]:
    """Return why a change set failed, each resource with its fix; asked for before the change set is deleted.

    Raises:
        AwsError: AWS does not answer.
    """
    about = f"CloudFormation cannot work out the changes of {change_set.stack_name}"
    expected = "a template that it takes"
    if _EARLY not in change_set.reason:
        return (Problem(f"{about}: {change_set.reason}", expected=expected),)
    try:
        found = [failure(_event(one, change_set)) for one in _events(aws, change_set) if _has_failed(one)]
    except AwsError as error:
        if error.status != 403:
            raise
        fix = "allow cloudformation:DescribeEvents to the one that deploys (docs/deploy.md): it says which resource"
        return (Problem(f"{about}: {change_set.reason}", expected=expected, fix=fix),)
    told = dict.fromkeys((one.found, one.fix) for one in found)
    return tuple(
        Problem(f"{change_set.stack_name}: {what}", expected="nothing of the stack was changed", fix=fix)
        for what, fix in told
    ) or (Problem(f"{about}: {change_set.reason}", expected=expected),)


def _events(aws: Aws, change_set: ChangeSet) -> Iterator[Mapping[str, Any]]:
    arguments = {"ChangeSetName": change_set.id}
    while True:
        said = aws.call("cloudformation", "describe_events", **arguments)
        yield from said.get("OperationEvents") or ()
        if not said.get("NextToken"):
            return
        arguments["NextToken"] = said["NextToken"]


def _has_failed(said: Mapping[str, Any]) -> bool:
    """Return whether an event is a check that failed; one that only warns does not stop a change set."""
    return said.get("ValidationStatus") == "FAILED" and said.get("ValidationFailureMode", "FAIL") == "FAIL"


def _event(said: Mapping[str, Any], change_set: ChangeSet) -> StackEvent:
    reason = said.get("ValidationStatusReason") or said.get("ValidationName") or ""
    path = said.get("ValidationPath") or ""
    return StackEvent(
        id=said.get("EventId") or "",
        at=said.get("Timestamp") or datetime.now(UTC),
        logical_id=said.get("LogicalResourceId") or change_set.stack_name,
        physical_id=said.get("PhysicalResourceId") or "",
        type=said.get("ResourceType") or "AWS::CloudFormation::Stack",
        status="VALIDATION_FAILED",
        reason=f"{reason} ({path})" if path and path not in reason and "already exists" not in reason else reason,
    )
