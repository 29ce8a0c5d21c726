"""What CloudFormation fears for, what differs, what is lost."""

from __future__ import annotations

from typing import Any

import pytest

from bareboat.aws.changes import Change, without_false_alarms
from bareboat.aws.differences import ABSENT, Difference, differences
from bareboat.aws.losses import loss_of


def change(kind: Any, logical_id: str, type_: str = "AWS::Lambda::Url", cause: str = "") -> Change:
    properties = (Difference("TargetFunctionArn", recreates="Always", cause=cause),) if cause else ()
    return Change(kind, logical_id, type_, properties=properties, loss=loss_of(type_))


def test_what_follows_from_a_change_in_place_is_changed_in_place() -> None:
    found = without_false_alarms(
        [change("modify", "Function", "AWS::Lambda::Function"), change("maybe-replace", "Url", cause="Function.Arn")]
    )

    assert [(one.logical_id, one.kind, one.is_loss) for one in found] == [
        ("Function", "modify", False),
        ("Url", "modify", False),
    ]


def test_calm_spreads_along_a_chain() -> None:
    found = without_false_alarms(
        [
            change("maybe-replace", "Third", cause="Second.Arn"),
            change("maybe-replace", "Second", cause="First.Arn"),
            change("modify", "First", "AWS::Lambda::Function"),
        ]
    )

    assert {one.kind for one in found} == {"modify"}


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        pytest.param("replace", "Function.Arn", id="replaced"),
        pytest.param("modify", "Function.LatestVersionNumber", id="version"),
        pytest.param("modify", "Function.StreamArn", id="stream"),
        pytest.param("modify", "Elsewhere.Arn", id="unknown"),
    ],
)
def test_what_may_really_be_replaced_stays_a_loss(other: Any, cause: str) -> None:
    found = without_false_alarms(
        [change(other, "Function", "AWS::Lambda::Function"), change("maybe-replace", "Url", cause=cause)]
    )

    (url,) = (one for one in found if one.logical_id == "Url")
    assert (url.kind, url.is_loss) == ("maybe-replace", True)


def test_what_is_kept_is_no_loss() -> None:
    assert Change("remove", "Table", "AWS::DynamoDB::Table", loss="the rows in it").is_loss
    assert not Change("remove", "Table", "AWS::DynamoDB::Table", keeps=True, loss="the rows in it").is_loss


def resource(**properties: Any) -> dict[str, Any]:
    return {"Type": "T", "Properties": properties}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"A": 1}, {"A": 1}, [], id="same"),
        pytest.param({"A": 1}, {"A": 2}, [("A", 1, 2)], id="changed"),
        pytest.param({}, {"A": None}, [("A", ABSENT, None)], id="null-is-there"),
        pytest.param({"A": {"B": 1, "C": 2}}, {"A": {"B": 1, "C": 3}}, [("A.C", 2, 3)], id="below"),
        pytest.param({"A": [1, 2]}, {"A": [1, 3]}, [("A[1]", 2, 3)], id="in-a-list"),
        pytest.param({"A": [1]}, {"A": [1, 2]}, [("A", [1], [1, 2])], id="longer-list"),
        pytest.param({"A": {"Ref": "X"}}, {"A": {"Ref": "Y"}}, [("A", {"Ref": "X"}, {"Ref": "Y"})], id="intrinsic"),
        pytest.param({"A": {"Ref": "X"}}, {"A": {"B": 1}}, [("A", {"Ref": "X"}, {"B": 1})], id="other-shape"),
        pytest.param({"A": True}, {"A": 1}, [("A", True, 1)], id="true-is-not-1"),
    ],
)
def test_differences_name_the_property(before: Any, after: Any, expected: Any) -> None:
    found = [(one.path, one.before, one.after) for one in differences(resource(**before), resource(**after))]

    assert found == expected


def test_differences_tell_what_stands_beside_the_properties() -> None:
    old, new = resource(A=1), {**resource(A=1), "DeletionPolicy": "Retain", "DependsOn": "X"}

    assert [(one.path, one.before, one.after) for one in differences(old, new)] == [
        ("DeletionPolicy", ABSENT, "Retain")
    ]
