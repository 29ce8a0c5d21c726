from typing import Any

import pytest

from bareboat.aws.template.difference import ABSENT, canonical, differences

ARN = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", {"Ref": "Bucket"}, "/*"]]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ARN, {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}/*"}),
        ({"Fn::Sub": ["${b}/*", {"b": {"Ref": "Bucket"}}]}, {"Fn::Sub": "${Bucket}/*"}),
        ({"Fn::GetAtt": ["Role", "Arn"]}, {"Fn::GetAtt": "Role.Arn"}),
        ({"Fn::GetAtt": ["Role", "Arn"]}, {"Fn::Sub": "${Role.Arn}"}),
        (3, "3"),
        (True, "true"),
        ({"Action": "s3:*"}, {"Action": ["s3:*"]}),
        ({"DependsOn": "A"}, {"DependsOn": ["A"]}),
        ({"Tags": [{"Key": "a"}, {"Key": "b"}]}, {"Tags": [{"Key": "b"}, {"Key": "a"}]}),
    ],
    ids=["join-sub", "sub-map", "getatt", "getatt-sub", "number", "boolean", "action", "depends", "tags"],
)
def test_canonical_gives_one_spelling_to_what_means_the_same(one: Any, other: Any) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Ref": "Bucket"}, "${Bucket}"),
        ({"Statement": [{"Sid": "a"}, {"Sid": "b"}]}, {"Statement": [{"Sid": "b"}, {"Sid": "a"}]}),
        ({"Fn::Sub": "${!Bucket}"}, {"Fn::Sub": "${Bucket}"}),
        (0, False),
    ],
    ids=["ref-literal", "order", "escape", "zero-false"],
)
def test_canonical_keeps_apart_what_does_not(one: Any, other: Any) -> None:
    assert canonical(one) != canonical(other)


def test_canonical_of_a_literal_equals_that_of_the_sub_that_escapes_it() -> None:
    assert canonical("${stageVariables.x}") == canonical({"Fn::Sub": "${!stageVariables.x}"})


def test_differences_name_the_property_as_deep_down_as_both_have_it() -> None:
    old = {"Resources": {"F": {"Type": "T", "Properties": {"Code": {"S3Key": "a"}, "Layers": ["x", "y"]}}}}
    new = {"Resources": {"F": {"Type": "T", "Properties": {"Code": {"S3Key": "b"}, "Layers": ["x", "z"]}}}}

    found = differences(old, new)

    assert [(one.logical_id, one.type, one.path, one.old, one.new) for one in found] == [
        ("F", "T", "Properties.Code.S3Key", "a", "b"),
        ("F", "T", "Properties.Layers[1]", "y", "z"),
    ]


def test_differences_name_whole_entries_that_one_template_has_alone() -> None:
    found = differences({"Outputs": {"Gone": {"Value": 1}}}, {"Outputs": {"New": {"Value": 1}}, "Description": "x"})

    assert [(one.section, one.logical_id, one.path) for one in found] == [
        ("Description", "", ""),
        ("Outputs", "Gone", ""),
        ("Outputs", "New", ""),
    ]
    assert [one.old is ABSENT for one in found] == [True, False, True]


def test_differences_of_a_property_and_an_intrinsic_are_the_whole_value() -> None:
    old = {"Resources": {"F": {"Type": "T", "Properties": {"Role": {"Ref": "R"}}}}}
    new = {"Resources": {"F": {"Type": "T", "Properties": {"Role": {"Fn::GetAtt": ["R", "Arn"]}}}}}

    assert [one.path for one in differences(old, new)] == ["Properties.Role"]
