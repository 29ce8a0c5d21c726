"""What CloudFormation fears for, what differs, what is lost."""

from __future__ import annotations

from typing import Any

import pytest

from bareboat.aws.changes import Change
from bareboat.aws.differences import ABSENT, Difference, differences
from bareboat.aws.following import apart, with_own_logs, with_versions, without_false_alarms
from bareboat.aws.losses import fixed_name, loss_of


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


def following(logical_id: str, cause: str, type_: str = "AWS::ApiGatewayV2::Integration") -> Change:
    return Change("modify", logical_id, type_, properties=(Difference("IntegrationUri", cause=cause),))


FUNCTION = Change("modify", "Function", "AWS::Lambda::Function", properties=(Difference("MemorySize", 128, 256),))


def test_what_only_follows_from_what_stays_is_no_change() -> None:
    real, follows = apart([FUNCTION, following("Integration", "Function.Arn"), following("Third", "Integration")])

    assert real == [FUNCTION]
    assert follows == ["Integration", "Third"]


def test_a_real_change_is_told_without_what_only_follows() -> None:
    both = Change("modify", "Route", "T", properties=(Difference("A", 1, 2), Difference("B", cause="Function.Arn")))

    real, follows = apart([FUNCTION, both])

    assert [one.path for one in real[1].properties] == ["A"]
    assert not follows


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        pytest.param(change("replace", "Function"), "Function.Arn", id="replaced"),
        pytest.param(change("maybe-replace", "Function"), "Function.Arn", id="perhaps-replaced"),
        pytest.param(change("modify", "Parameter", "AWS::SSM::Parameter"), "Parameter.Value", id="value"),
        pytest.param(change("modify", "Mine", "Custom::Mine"), "Mine.Arn", id="custom-resource"),
        pytest.param(change("modify", "Stack", "AWS::CloudFormation::Stack"), "Stack.Outputs.Arn", id="nested-stack"),
        pytest.param(change("modify", "Table", "AWS::DynamoDB::Table"), "Table.StreamArn", id="stream"),
        pytest.param(FUNCTION, "", id="without-a-cause"),
        pytest.param(FUNCTION, "Parameter", id="of-a-parameter"),
    ],
)
def test_what_could_really_follow_is_told(other: Change, cause: str) -> None:
    real, follows = apart([other, following("Integration", cause)])

    assert [one.logical_id for one in real] == [other.logical_id, "Integration"]
    assert not follows


def version(function: str) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": function}}}


def test_a_new_version_and_the_old_one_that_is_kept_know_of_each_other() -> None:
    new, old = Change("add", "V2", "AWS::Lambda::Version"), Change("remove", "V1", "AWS::Lambda::Version", keeps=True)
    other = Change("remove", "W1", "AWS::Lambda::Version", keeps=True)
    before = {"Resources": {"V1": version("Function"), "W1": version("Other")}}

    found = with_versions([new, old, other], before, {"Resources": {"V2": version("Function")}})

    assert [(one.logical_id, one.succeeds, one.succeeded_by) for one in found] == [
        ("V2", "V1", ""),
        ("V1", "", "V2"),
        ("W1", "", ""),
    ]


def test_a_function_s_own_logs_go_with_it_and_are_not_asked_for() -> None:
    def log_group(name: str) -> dict[str, Any]:
        return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}

    before = {
        "Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "own-dev-f"}},
            "Own": log_group("/aws/lambda/own-dev-f"),
            "Foreign": log_group("/audit"),
        }
    }
    removed = [change("remove", name, before["Resources"][name]["Type"]) for name in before["Resources"]]

    found = {one.logical_id: one for one in with_own_logs(removed, before)}
    alone = with_own_logs(removed[1:], before)

    assert (found["Own"].goes_with, found["Own"].is_loss, found["Own"].is_asked) == ("Function", True, False)
    assert found["Foreign"].is_asked
    assert all(one.is_asked for one in alone)


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


@pytest.mark.parametrize(
    ("type_", "before", "after", "expected"),
    [
        pytest.param("AWS::DynamoDB::Table", {"TableName": "t"}, {"TableName": "t"}, "TableName", id="same"),
        pytest.param("AWS::DynamoDB::Table", {"TableName": "t"}, {"TableName": "u"}, "", id="another"),
        pytest.param("AWS::DynamoDB::Table", {}, {}, "", id="made-up-by-cloudformation"),
        pytest.param("AWS::Lambda::Url", {"TableName": "t"}, {"TableName": "t"}, "", id="no-name"),
    ],
)
def test_a_name_that_stays_keeps_a_resource_from_being_replaced(
    type_: str, before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    assert fixed_name(type_, before, after) == expected
