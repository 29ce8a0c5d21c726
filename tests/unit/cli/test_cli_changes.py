"""What of a plan a person reads, and what is refused of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bareboat.aws.changes import Change
from bareboat.cli.changes import outcomes, refuse_fixed_names, summary
from bareboat.errors import RemoteError

TABLE = "AWS::DynamoDB::Table"


def plan(*changes: Change) -> Any:
    return SimpleNamespace(changes=changes, drifted=(), further=(), is_empty=False)


def test_a_new_version_counts_as_one_and_not_as_added_and_removed() -> None:
    new = Change("add", "V2", "AWS::Lambda::Version", succeeds="V1")
    old = Change("remove", "V1", "AWS::Lambda::Version", keeps=True, succeeded_by="V2")

    assert summary(plan(Change("modify", "F", "AWS::Lambda::Function"), new, old)) == "1 changed, 1 new version"


def test_a_replacement_under_the_same_name_is_refused_before_it_is_tried() -> None:
    stuck = Change("replace", "Rows", TABLE, loss="the rows in it", fixed_name="TableName")

    with pytest.raises(RemoteError, match=r"CloudFormation cannot replace Rows \(TableName\)"):
        refuse_fixed_names(plan(stuck))

    refuse_fixed_names(plan(Change("maybe-replace", "Rows", TABLE, fixed_name="TableName")))


def test_what_was_lost_is_told_afterwards() -> None:
    done = plan(
        Change("replace", "Rows", TABLE, loss="the rows in it"), Change("modify", "Other", TABLE, loss="the rows in it")
    )

    assert list(outcomes(done)) == ["  Rows was replaced; lost: the rows in it"]
