"""Stacks deployed as with AWS's own command line: for tests of the test cloud itself."""

from __future__ import annotations

import copy
import io
import json
import re
import time
import zipfile
from typing import Any

from aws_cloud.moto import ACCOUNT

_QUICK_S = 0.005


def archive(text: str) -> bytes:
    """Return a zip with a handler; the same text gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(zipfile.ZipInfo("handler.py"), text)
    return buffer.getvalue()


def settled(aws: Any, name: str, timeout_s: float = 30) -> dict[str, Any]:
    """Return a stack, by name or id, once nothing of it is under way."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        stack: dict[str, Any] = aws.call("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(_QUICK_S)
    raise AssertionError(f"{name} does not settle")


def change_set(aws: Any, stack: str, template: dict[str, Any], *, name: str = "c", **more: Any) -> dict[str, Any]:
    """Make a change set and return its description, whatever became of it."""
    given = {"ChangeSetType": "UPDATE", "Capabilities": ["CAPABILITY_NAMED_IAM"], **more}
    aws.call(
        "cloudformation",
        "create_change_set",
        StackName=stack,
        ChangeSetName=name,
        TemplateBody=json.dumps(template),
        **given,
    )
    while True:
        found: dict[str, Any] = aws.call("cloudformation", "describe_change_set", StackName=stack, ChangeSetName=name)
        if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
            return found
        time.sleep(_QUICK_S)


def applied(aws: Any, stack: str, template: dict[str, Any], *, name: str = "c", **more: Any) -> dict[str, Any]:
    """Make a change set, execute it, and return the stack as it settled."""
    found = change_set(aws, stack, template, name=name, **more)
    assert found["Status"] == "CREATE_COMPLETE", found.get("StatusReason")
    aws.call("cloudformation", "execute_change_set", StackName=stack, ChangeSetName=name)
    return settled(aws, stack)


def created(aws: Any, stack: str, template: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Create a stack and return it as it settled."""
    given = {"Capabilities": ["CAPABILITY_NAMED_IAM"], **more}
    aws.call("cloudformation", "create_stack", StackName=stack, TemplateBody=json.dumps(template), **given)
    return settled(aws, stack)


def reason(aws: Any, stack: str) -> str:
    """Return the first failure of a stack, oldest first."""
    events = aws.call("cloudformation", "describe_stack_events", StackName=stack)["StackEvents"]
    failed = [one for one in reversed(events) if one["ResourceStatus"].endswith("_FAILED")]
    return f"{failed[0]['LogicalResourceId']}: {failed[0].get('ResourceStatusReason')}" if failed else ""


def with_neighbours(aws: Any, cloud: Any, template: dict[str, Any]) -> None:
    """Make the roles, layers and exports that a template names without making them."""
    text = json.dumps(template)
    iam, functions = cloud.client("iam"), cloud.client("lambda")
    for name in sorted(set(re.findall(rf"arn:aws:iam::{ACCOUNT}:role/([\w/+=,.@-]+)", text))):
        path, _, last = f"/{name}".rpartition("/")
        iam.create_role(RoleName=last, Path=f"{path}/", AssumeRolePolicyDocument="{}")
    for name, version in sorted(set(re.findall(rf"arn:aws:lambda:[\w-]+:{ACCOUNT}:layer:([\w-]+):(\d+)", text))):
        while True:
            said = functions.publish_layer_version(LayerName=name, Content={"ZipFile": archive("")})
            if said["Version"] >= int(version):
                break
    _make_sources(cloud, text)
    imports = sorted(set(re.findall(r'"Fn::ImportValue": "([^"]+)"', text)))
    if imports:
        role = iam.create_role(RoleName="exported", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        resources = {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {}}}
        outputs = {f"E{index}": {"Value": role, "Export": {"Name": one}} for index, one in enumerate(imports)}
        created(aws, "neighbour", {"Resources": resources, "Outputs": outputs})


def _make_sources(cloud: Any, text: str) -> None:
    """Make the queues, topics, buses and groups of schedules that a template names without making them."""
    for name in sorted(set(re.findall(rf"arn:aws:sqs:[\w-]+:{ACCOUNT}:([\w-]+)(?:\.fifo)?", text))):
        cloud.client("sqs").create_queue(QueueName=name)
    for name in sorted(set(re.findall(rf"https://sqs[^/]+/{ACCOUNT}/([\w-]+)", text))):
        cloud.client("sqs").create_queue(QueueName=name)
    for name in sorted(set(re.findall(rf"arn:aws:sns:[\w-]+:{ACCOUNT}:([\w-]+)", text))):
        cloud.client("sns").create_topic(Name=name)
    for name in sorted(set(re.findall(r'"EventBusName": "(?:[^"]*event-bus/)?([\w.-]+)"', text)) - {"default"}):
        if f'"Name": "{name}"' not in text:
            cloud.client("events").create_event_bus(Name=name)
    for name in sorted(set(re.findall(r'"GroupName": "([\w-]+)"', text)) - {"default"}):
        cloud.client("scheduler").create_schedule_group(Name=name)


def with_code(template: dict[str, Any], bucket: str) -> tuple[dict[str, Any], list[str]]:
    """Return a template whose code lies in a bucket of another stack, and the keys that must be there."""
    made, keys = copy.deepcopy(template), []
    for one in made["Resources"].values():
        for place in ("Code", "Content"):
            code = one.get("Properties", {}).get(place)
            if isinstance(code, dict) and "S3Key" in code:
                code["S3Bucket"] = bucket
                keys.append(code["S3Key"])
        if one["Type"] == "AWS::Lambda::Version":
            one["Properties"].pop("CodeSha256", None)
    return made, keys
