from __future__ import annotations

import pytest

from bareboat.aws.template.resources import merge, without_nulls
from bareboat.errors import ConfigurationError

ONE = "functions: {one: {handler: handler.handle}}\n"


def test_an_extension_of_nothing_is_refused(template_of):
    with pytest.raises(ConfigurationError) as caught:
        template_of(ONE + "resources: {extensions: {TwoLambdaFunction: {Properties: {Timeout: 3}}}}\n")

    (problem,) = caught.value.problems
    assert problem.found == "resources.extensions.TwoLambdaFunction: the template has no resource TwoLambdaFunction"
    assert problem.fix == "rename it to 'OneLambdaFunction'"


def test_an_extension_changes_properties_and_policies_alone(template_of):
    with pytest.raises(ConfigurationError) as caught:
        template_of(ONE + "resources: {extensions: {OneLambdaFunction: {Type: 'AWS::SNS::Topic'}}}\n")

    assert caught.value.problems[0].found == "resources.extensions.OneLambdaFunction has Type"


def test_lists_are_merged_entry_by_entry():
    assert merge({"a": [1, {"b": 2}, 3]}, {"a": [0, {"c": 4}]}) == {"a": [0, {"b": 2, "c": 4}, 3]}


def test_merging_changes_neither():
    old, new = {"a": {"b": [1]}}, {"a": {"b": [2, 3]}}

    merged = merge(old, new)
    merged["a"]["b"].append(4)

    assert (old, new) == ({"a": {"b": [1]}}, {"a": {"b": [2, 3]}})


def test_nulls_are_left_out():
    assert without_nulls({"a": None, "b": [{"c": None}]}) == {"b": [{}]}
