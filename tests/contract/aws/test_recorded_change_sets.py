"""Our reading of change sets and errors against what the real CloudFormation answered (recordings of 2022 to 2025)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.changes import ChangeSet, describe_change_set
from bareboat.aws.client import AwsError
from bareboat.aws.stack import Stack, find_stack

WHEN = datetime(2025, 1, 1, tzinfo=UTC)
TEST = "tests/aws/services/cloudformation/api/test_changesets.py::"


class Recorded:
    """Answers each call with what was recorded."""

    region = "us-east-1"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def call(self, service: str, operation: str, /, *, region: str = "", **arguments: Any) -> Any:
        if "Error" in self.answer:
            error = self.answer["Error"]
            raise AwsError(f"{operation}: {error['Message']}", code=error["Code"], operation=operation, status=400)
        return self.answer


@pytest.fixture
def recorded(oracle: Path) -> dict[str, Any]:
    path = oracle / "localstack" / "cloudformation__api__test_changesets.snapshot.json"
    text = path.read_text().replace('"datetime"', '"2025-01-01T00:00:00+00:00"')
    return {name.removeprefix(TEST): entry["recorded-content"] for name, entry in json.loads(text).items()}


def read(answer: Any, **more: Any) -> ChangeSet:
    return describe_change_set(Recorded(answer), "any", "any", **more)  # type: ignore[arg-type]


def stack_of(answer: Any) -> Stack | None:
    return find_stack(Recorded(answer), "any")  # type: ignore[arg-type]


def test_a_replacement_is_told_as_one_with_what_is_lost(recorded: dict[str, Any]) -> None:
    answer = recorded["test_create_change_set_update_without_parameters"]["describe_change_set"]

    found = read(answer)

    (change,) = found.changes
    assert (change.kind, change.logical_id, change.type) == ("replace", "topic123", "AWS::SNS::Topic")
    assert [(one.path, one.recreates) for one in change.properties] == [("TopicName", "Always")]
    assert change.is_loss
    assert found.losses == (change,)


def test_the_worst_of_several_details_counts_and_its_cause_is_named(recorded: dict[str, Any]) -> None:
    (change,) = read(recorded["test_describe_changeset_after_delete"]["describe-2"]).changes

    assert change.kind == "replace"
    assert [(one.path, one.recreates, one.cause) for one in change.properties] == [("TopicName", "Always", "TopicName")]


def test_what_the_template_keeps_is_no_loss(recorded: dict[str, Any]) -> None:
    answer = json.loads(json.dumps(recorded["test_describe_changeset_after_delete"]["describe-2"]))
    answer["Changes"][0]["ResourceChange"]["PolicyAction"] = "ReplaceAndRetain"

    (change,) = read(answer).changes

    assert change.keeps
    assert not change.is_loss


@pytest.mark.parametrize(
    ("test", "key"),
    [
        ("test_empty_changeset", "describe_nochange"),
        ("test_create_change_set_no_changes", "change-set-description"),
    ],
)
def test_nothing_to_change_is_known_from_the_reason(recorded: dict[str, Any], test: str, key: str) -> None:
    assert read(recorded[test][key]).is_empty


def test_what_can_be_carried_out_is_not_empty(recorded: dict[str, Any]) -> None:
    found = read(recorded["test_empty_changeset"]["describe_first_cs"])

    assert not found.is_empty
    assert [(one.kind, one.logical_id) for one in found.changes] == [("add", "CDKMetadata")]


def test_a_change_set_that_was_overtaken_is_obsolete(recorded: dict[str, Any]) -> None:
    assert read(recorded["test_create_while_in_review"]["describe_change_set"]).execution == "OBSOLETE"


def test_a_stack_in_review_is_empty_and_a_deleted_one_is_none(recorded: dict[str, Any]) -> None:
    answers = recorded["test_name_conflicts"]

    reviewed = stack_of(answers["new_stack_desc"])

    assert reviewed is not None
    assert reviewed.is_empty
    assert not reviewed.is_busy
    assert stack_of(answers["stack_id_desc"]) is None


def test_a_stack_that_does_not_exist_is_none(recorded: dict[str, Any]) -> None:
    assert stack_of(recorded["test_delete_change_set_exception"]["e1"]) is None
