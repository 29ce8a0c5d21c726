from typing import Any

import pytest

from bareboat.aws.changes import Change
from bareboat.aws.foreseen import foreseen, references

FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "f", "MemorySize": 128}}
PERMISSION = {
    "Type": "AWS::Lambda::Permission",
    "Properties": {"FunctionName": {"Fn::GetAtt": ["F", "Arn"]}, "Principal": "x.amazonaws.com"},
}


def changes(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Change]:
    return {one.logical_id: one for one in foreseen({"Resources": old}, {"Resources": new})}


def function(**properties: Any) -> dict[str, Any]:
    return {**FUNCTION, "Properties": {**FUNCTION["Properties"], **properties}}  # type: ignore[dict-item]


def test_a_property_that_can_change_in_place_does() -> None:
    (change,) = changes({"F": FUNCTION}, {"F": function(MemorySize=256)}).values()

    assert (change.kind, change.is_loss) == ("modify", False)
    assert [(one.path, one.before, one.after, one.recreates) for one in change.properties] == [
        ("MemorySize", 128, 256, "Never")
    ]


def test_another_name_makes_a_resource_anew_and_what_is_bound_to_it() -> None:
    found = changes({"F": FUNCTION, "P": PERMISSION}, {"F": function(FunctionName="g"), "P": PERMISSION})

    assert {name: one.kind for name, one in found.items()} == {"F": "replace", "P": "replace"}
    assert [(one.path, one.cause) for one in found["P"].properties] == [("FunctionName", "F")]


def test_a_change_of_an_unknown_type_may_replace_it() -> None:
    old, new = ({"T": {"Type": "AWS::Timestream::Table", "Properties": {"A": value}}} for value in (1, 2))

    (change,) = changes(old, new).values()

    assert (change.kind, change.is_loss) == ("maybe-replace", True)


def test_another_spelling_and_other_dependencies_are_no_change() -> None:
    old = {"Type": "AWS::S3::BucketPolicy", "Properties": {"A": {"Fn::Sub": "x-${B}"}}, "DependsOn": "B"}
    new = {"Type": "AWS::S3::BucketPolicy", "Properties": {"A": {"Fn::Join": ["-", ["x", {"Ref": "B"}]]}}}

    assert changes({"P": old}, {"P": new}) == {}


@pytest.mark.parametrize(
    ("more", "is_loss"), [({}, True), ({"DeletionPolicy": "Retain"}, False), ({"DeletionPolicy": "Snapshot"}, False)]
)
def test_what_is_removed_is_lost_unless_it_is_kept(more: dict[str, Any], is_loss: bool) -> None:
    (change,) = changes({"T": {"Type": "AWS::DynamoDB::Table", **more}}, {}).values()

    assert (change.kind, change.is_loss) == ("remove", is_loss)


def test_a_resource_of_another_type_under_the_same_name_is_a_replacement() -> None:
    (change,) = changes({"A": {"Type": "AWS::SNS::Topic"}}, {"A": {"Type": "AWS::SQS::Queue"}}).values()

    assert (change.kind, change.type) == ("replace", "AWS::SNS::Topic")


def test_references_are_found_in_every_intrinsic() -> None:
    value = {
        "a": {"Ref": "A"},
        "b": [{"Fn::GetAtt": ["B", "Arn"]}, {"Fn::GetAtt": "C.Arn"}],
        "d": {"Fn::Sub": "${D}-${E.Arn}-${!no}"},
        "f": {"Fn::Sub": ["${x}", {"x": {"Ref": "F"}}]},
        "g": {"Fn::Join": ["", [{"Ref": "G"}]]},
    }

    assert references(value) - {"x"} == {"A", "B", "C", "D", "E", "F", "G"}
