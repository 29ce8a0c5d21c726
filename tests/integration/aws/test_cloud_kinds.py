"""Every resource of what osls writes is really made in moto, found by its own API, and gone with the stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bareboat.aws.client import Aws

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

OSLS = Path(__file__).parents[2] / "contract" / "aws" / "osls"
GIVEN = {
    "resources": [{"ParameterKey": "Size", "ParameterValue": "100"}]
}  # without it a condition takes a function away
NOT_MADE = {  # they name what other stacks make, in ways of which moto has no call
    "brokers": "brokers of MQ and Kafka",
    "http-shared": "an HTTP API under a given id",
    "rest-shared": "a REST API under a given id",
    "rest-full": "a function of another stack",
    "queues": "queues of other accounts",
    "streams": "streams and tables under given ARNs",
    "topics": "queues of other accounts",
    "buses": "osls names a target with 70 characters, of which AWS takes 64",
}
CASES = sorted({one.parent.name for one in OSLS.glob("*/template.json")} - set(NOT_MADE))


@pytest.mark.parametrize("case", CASES)
def test_what_osls_writes_is_made_and_gone_again(case: str, aws: Aws, aws_cloud: AwsCloud) -> None:
    from aws_cloud.by_hand import archive, created, reason, with_code, with_neighbours
    from aws_cloud.inventory import inventory

    template = json.loads((OSLS / case / "template.json").read_text())
    aws.call("s3", "create_bucket", Bucket="code")
    template, keys = with_code(template, "code")
    for key in keys:
        aws.call("s3", "put_object", Bucket="code", Key=key, Body=archive(f"# {key}\n"))
    with_neighbours(aws, aws_cloud, template)
    before = inventory(aws_cloud)

    stack = created(
        aws,
        "s",
        template,
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=GIVEN.get(case, []),
    )

    assert stack["StackStatus"] == "CREATE_COMPLETE", reason(aws, "s")
    assert len(inventory(aws_cloud)) > len(before) + 3
    aws.call("cloudformation", "delete_stack", StackName="s")
    aws_cloud.settle()
    pages = aws.pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack["StackId"])
    kept = {one["PhysicalResourceId"] for one in pages if one["ResourceStatus"] == "DELETE_SKIPPED"}
    left = inventory(aws_cloud) - before
    assert not [one for one in left if one.split(" ", 1)[1] not in kept], reason(aws, stack["StackId"])
