"""The test cloud's CloudFormation makes what osls deploys, and goes back from what fails."""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.client import Aws, AwsError


def settled(aws: Aws, name: str) -> dict[str, Any]:
    """Return a stack once nothing of it is under way."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        stack = aws.call("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(0.01)
    raise AssertionError(f"{name} does not settle")


def archive(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(zipfile.ZipInfo("handler.py"), text)
    return buffer.getvalue()


@pytest.fixture
def osls(oracle: Path) -> dict[str, dict[str, Any]]:
    """The templates that osls wrote for the seed project."""
    return {one: json.loads((oracle / f"osls-4.3.1_seed_{one}-stack.json").read_text()) for one in ("create", "update")}


def deploy(aws: Aws, osls: dict[str, Any], code: bytes) -> dict[str, Any]:
    """Deploy as osls does: the bucket, the code, then all of it."""
    aws.call("cloudformation", "create_stack", StackName="s", TemplateBody=json.dumps(osls["create"]))
    stack = settled(aws, "s")
    return {"bucket": stack["Outputs"][0]["OutputValue"], **update(aws, osls["update"], code, stack)}


def update(aws: Aws, template: dict[str, Any], code: bytes, stack: dict[str, Any]) -> dict[str, Any]:
    template = copy.deepcopy(template)
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    bucket = outputs["ServerlessDeploymentBucketName"]
    key = template["Resources"]["PredictLambdaFunction"]["Properties"]["Code"]["S3Key"]
    aws.call("s3", "put_object", Bucket=bucket, Key=key, Body=code)
    for one in template["Resources"].values():
        if one["Type"] == "AWS::Lambda::Version":
            one["Properties"]["CodeSha256"] = base64.b64encode(hashlib.sha256(code).digest()).decode()
    aws.call(
        "cloudformation",
        "create_change_set",
        StackName="s",
        ChangeSetName="c",
        ChangeSetType="UPDATE",
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    while True:
        change_set = aws.call("cloudformation", "describe_change_set", StackName="s", ChangeSetName="c")
        if change_set["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
            break
        time.sleep(0.01)
    assert change_set["Status"] == "CREATE_COMPLETE", change_set.get("StatusReason")
    aws.call("cloudformation", "execute_change_set", StackName="s", ChangeSetName="c")
    return {"stack": settled(aws, "s"), "change_set": change_set}


def test_what_osls_writes_for_the_seed_is_made(aws: Aws, aws_cloud: Any, osls: dict[str, Any]) -> None:
    code = archive("def predict(event, context): return 1")

    made = deploy(aws, osls, code)

    assert made["stack"]["StackStatus"] == "UPDATE_COMPLETE"
    outputs = {one["OutputKey"]: one["OutputValue"] for one in made["stack"]["Outputs"]}
    function = aws.call("lambda", "get_function", FunctionName="predict-dev-predict")["Configuration"]
    assert (function["MemorySize"], function["Runtime"], function["Timeout"]) == (1024, "python3.12", 6)
    assert outputs["PredictLambdaFunctionQualifiedArn"] == f"{function['FunctionArn']}:1"
    routes = aws.call("apigatewayv2", "get_routes", ApiId=outputs["HttpApiId"])["Items"]
    assert [one["RouteKey"] for one in routes] == ["POST /predict"]
    assert outputs["HttpApiUrl"] == f"https://{outputs['HttpApiId']}.execute-api.us-east-1.amazonaws.com"


def test_deleting_a_stack_fails_at_its_bucket_while_that_has_objects(
    aws: Aws, aws_cloud: Any, osls: dict[str, Any]
) -> None:
    made = deploy(aws, osls, archive("def predict(event, context): return 1"))

    aws.call("cloudformation", "delete_stack", StackName="s")
    stack = settled(aws, "s")

    assert stack["StackStatus"] == "DELETE_FAILED"
    assert "[ServerlessDeploymentBucket]" in stack["StackStatusReason"]
    with pytest.raises(AwsError, match="not found"):
        aws.call("lambda", "get_function", FunctionName="predict-dev-predict")
    aws.call("cloudformation", "delete_stack", StackName="s", RetainResources=["ServerlessDeploymentBucket"])
    aws_cloud.settle()
    with pytest.raises(AwsError, match="Stack with id s does not exist"):
        aws.call("cloudformation", "describe_stacks", StackName="s")
    assert made["bucket"]
