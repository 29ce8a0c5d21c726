"""The test cloud's CloudFormation against what the real one answered (recordings of LocalStack's tests, 2022-2025)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

HERE = "tests/aws/services/cloudformation/api/"
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "test"}}
SIMPLE = {"Resources": {"SimpleParam": PARAMETER}}
NAMED = {
    "Parameters": {"TopicName": {"Type": "String"}},
    "Resources": {"topic123": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "TopicName"}}}},
}


def topic(name: str) -> dict[str, Any]:
    return {"Resources": {"topic123": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}}}


@pytest.fixture
def recorded(oracle: Path) -> Callable[[str, str], dict[str, Any]]:
    """Give what was recorded of a test."""

    def of(file: str, test: str) -> dict[str, Any]:
        text = (oracle / "localstack" / f"cloudformation__api__{file}.snapshot.json").read_text()
        return json.loads(text)[f"{HERE}{file}.py::{test}"]["recorded-content"]

    return of


class Asker:
    """Calls of CloudFormation, and what they answer with what differs from run to run masked."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(self, operation: str, **given: Any) -> Any:
        if isinstance(given.get("TemplateBody"), dict):
            given["TemplateBody"] = json.dumps(given["TemplateBody"])
        try:
            return masked(getattr(self.client, operation)(**given))
        except ClientError as error:
            return masked(error.response)

    def settled(self, stack: str) -> None:
        while self.client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"].endswith("_IN_PROGRESS"):
            pass

    def change_set(self, stack: str, name: str, template: dict[str, Any], **more: Any) -> Any:
        said = self("create_change_set", StackName=stack, ChangeSetName=name, TemplateBody=template, **more)
        if "Error" not in said:
            found = self.client.describe_change_set(StackName=stack, ChangeSetName=name)
            while found["Status"] in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                found = self.client.describe_change_set(StackName=stack, ChangeSetName=name)
        return said


def masked(value: Any) -> Any:
    """Return a value with ids, names and dates masked, on either side."""
    if isinstance(value, dict):
        return {
            key: "<name>" if key in {"StackName", "ChangeSetName", "ParameterValue"} else masked(one)
            for key, one in value.items()
            if key not in {"ResponseMetadata", "PolicyAction", "RetryAttempts"}
        }
    if isinstance(value, list):
        return [masked(one) for one in value]
    if isinstance(value, datetime):
        return "datetime"
    if isinstance(value, str):
        value = re.sub(r"arn:[^:]+:(\w+):[^:]*:[^:]*:(stack|changeSet)/[^]\s]*[^]\s.]", r"<\1 \2>", value)
        value = re.sub(r"arn:[^:]+:sns:\S+", "<topic>", value)
        value = re.sub(r"<cs-1-name>", "<name>", value)
        value = re.sub(r"<stack-id>", "<cloudformation stack>", value)
        return re.sub(r"<(stack|change-set)-name(:\d)?>|\b(stack|cs)-[a-z]+\b(?!-)", "<name>", value)
    return value


def error(code: str, operation: str, message: str) -> str:
    return f"An error occurred ({code}) when calling the {operation} operation: {message}"


@pytest.fixture
def ask(aws_cloud: AwsCloud) -> Asker:
    import botocore.session

    session = botocore.session.get_session()
    return Asker(session.create_client("cloudformation", region_name="us-east-1", endpoint_url=aws_cloud.endpoint))


def test_changing_a_name_is_described_as_aws_does(ask: Asker, recorded: Any) -> None:
    want = recorded("test_changesets", "test_create_change_set_update_without_parameters")
    ask("create_stack", StackName="stack-a", TemplateBody=topic("one"))
    ask.settled("stack-a")

    said = ask.change_set("stack-a", "cs-a", topic("two"))

    assert said == masked(want["create_change_set"])
    assert ask("describe_change_set", StackName="stack-a", ChangeSetName="cs-a") == masked(want["describe_change_set"])
    assert ask("list_change_sets", StackName="stack-a") == masked(want["list_change_set"])


def test_a_change_set_without_changes_fails_as_at_aws(ask: Asker, recorded: Any) -> None:
    want = recorded("test_changesets", "test_create_change_set_no_changes")
    ask("create_stack", StackName="stack-a", TemplateBody=SIMPLE)
    ask.settled("stack-a")

    ask.change_set("stack-a", "cs-a", SIMPLE)

    said = ask("describe_change_set", StackName="stack-a", ChangeSetName="cs-a")
    assert said == masked(want["change-set-description"])
    refused = ask(
        "execute_change_set", StackName="stack-a", ChangeSetName=said["ChangeSetName"].replace("<name>", "cs-a")
    )
    want = masked(recorded("test_changesets", "test_empty_changeset")["error_execute_failed"])
    assert error(refused["Error"]["Code"], "ExecuteChangeSet", refused["Error"]["Message"]) == want


def test_a_parameter_is_named_as_the_cause_of_a_change(ask: Asker, recorded: Any) -> None:
    want = recorded("test_changesets", "test_describe_changeset_after_delete")

    def value(text: str) -> list[dict[str, str]]:
        return [{"ParameterKey": "TopicName", "ParameterValue": text}]

    ask("create_stack", StackName="stack-a", TemplateBody=NAMED, Parameters=value("one"))
    ask.settled("stack-a")
    ask.change_set("stack-a", "cs-a", NAMED, Parameters=value("two"))
    ask("delete_change_set", StackName="stack-a", ChangeSetName="cs-a")

    gone = ask("describe_change_set", StackName="stack-a", ChangeSetName="cs-a")
    ask.change_set("stack-a", "cs-b", NAMED, Parameters=value("two"))

    assert gone["Error"] == masked(want["describe-deleted-cs"])["Error"]
    assert ask("describe_change_set", StackName="stack-a", ChangeSetName="cs-b") == masked(want["describe-2"])


def test_what_is_not_there_is_refused_in_aws_words(ask: Asker, recorded: Any) -> None:
    of = "test_changesets"
    missing = ask("describe_change_set", StackName="somestack", ChangeSetName="cs-a")["Error"]

    assert (
        error(missing["Code"], "DescribeChangeSet", missing["Message"])
        == recorded(of, "test_describe_change_set_nonexisting")["exception"]
    )
    want = recorded(of, "test_delete_change_set_exception")
    assert ask("delete_change_set", StackName="nostack", ChangeSetName="cs-a") == masked(want["e1"])
    assert ask("delete_change_set", ChangeSetName="cs-a") == masked(want["e2"])


def test_stacks_in_review_are_as_at_aws(ask: Asker, recorded: Any) -> None:
    of = "test_changesets"
    want = recorded(of, "test_create_while_in_review")
    ask.change_set("stack-a", "cs-a", SIMPLE, ChangeSetType="CREATE")
    review = ask("describe_stacks", StackName="stack-a")
    first = ask("describe_change_set", StackName="stack-a", ChangeSetName="cs-a")
    more = ask.change_set("stack-a", "cs-b", SIMPLE, ChangeSetType="CREATE")

    said = ask("create_stack", StackName="stack-a", TemplateBody=SIMPLE)
    ask.settled("stack-a")

    assert review == masked(recorded(of, "test_create_changeset_with_stack_id")["describe_stack"])
    assert first == masked(recorded(of, "test_multiple_create_changeset")["initial_changeset"])
    assert more == masked(recorded(of, "test_multiple_create_changeset")["additional_changeset"])
    assert said == masked(want["create_stack_while_in_review"])
    assert ask("describe_stacks", StackName="stack-a") == masked(want["describe_stack"])
    assert ask("describe_change_set", StackName="stack-a", ChangeSetName="cs-a") == masked(want["describe_change_set"])


def test_names_that_are_taken_and_stacks_that_are_gone_are_as_at_aws(
    ask: Asker, recorded: Any, aws_cloud: AwsCloud
) -> None:
    of = "test_changesets"
    want, gone = recorded(of, "test_name_conflicts"), recorded(of, "test_create_changeset_for_deleted_stack")
    ask.change_set("stack-a", "cs-a", SIMPLE, ChangeSetType="CREATE")
    ask("execute_change_set", StackName="stack-a", ChangeSetName="cs-a")
    ask.settled("stack-a")
    taken = ask.change_set("stack-a", "cs-b", SIMPLE, ChangeSetType="CREATE")
    stack = ask.client.describe_stacks(StackName="stack-a")["Stacks"][0]["StackId"]
    first = ask.client.describe_change_set(StackName="stack-a", ChangeSetName="cs-a")["ChangeSetId"]
    ask("delete_stack", StackName="stack-a")
    aws_cloud.settle()

    assert taken["Error"] == masked(want["create_changeset_existingstack_exc"])["Error"]
    described, wanted = ask("describe_stacks", StackName=stack), masked(want["stack_id_desc"])
    assert described["Stacks"][0].pop("StackStatusReason", "") in ("", "User Initiated")
    wanted["Stacks"][0].pop("LastUpdatedTime")  # of its executed change set
    assert described == wanted
    assert ask("describe_change_set", ChangeSetName=first) == masked(want["initial_changeset_id_desc"])
    given = {"StackName": stack, "ChangeSetName": "test", "TemplateBody": SIMPLE}
    assert ask("create_change_set", **given, ChangeSetType="CREATE") == masked(gone["ErrorForCreate"])
    assert ask("create_change_set", **given, ChangeSetType="UPDATE") == masked(gone["ErrorForUpdate"])


BROKEN = {
    "test_invalid_output_structure[none-value]": {**SIMPLE, "Outputs": {"MyOutput": {"Value": None}}},
    "test_invalid_output_structure[missing-def]": {**SIMPLE, "Outputs": {"MyOutput": {"Value": None, "Other": None}}},
    "test_invalid_output_structure[multiple-nones]": {**SIMPLE, "Outputs": {"MyOutput": {}}},
    "test_missing_resources_block": {"Outputs": {"MyOutput": {"Value": "1"}}},
    "test_resources_blocks[missing-type]": {"Resources": {"A": {}}},
    "test_resources_blocks[invalid-key]": {"Resources": {"A": {"Type": "AWS::SNS::Topic", "Invalid": 1}}},
    "test_using_pseudoparameters_in_places[resource]": {"Resources": {"AWS::NoValue": PARAMETER}},
    "test_using_pseudoparameters_in_places[parameter]": {"Parameters": {"AWS::NoValue": {"Type": "String"}}, **SIMPLE},
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_a_broken_template_is_refused_in_aws_words(case: str, ask: Asker, recorded: Any) -> None:
    file = "test_changesets" if "pseudo" in case else "test_validations"
    want = next(iter(recorded(file, case).values()))

    said = ask("create_change_set", StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=BROKEN[case])

    assert said == masked(want)
