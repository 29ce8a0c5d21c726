"""remove: everything goes, what holds data is asked for, what stays is said, and an interruption is gone on from."""

from __future__ import annotations

import json

import pytest

from bareboat.aws.belongings import find_belongings
from bareboat.aws.bucket import find_bucket
from bareboat.aws.client import AwsError
from bareboat.aws.remove import refuse_removal, remove
from bareboat.aws.stack import find_stack
from bareboat.errors import RemoteError

TABLE = """
resources:
  Resources:
    Uploads: {Type: AWS::S3::Bucket, Properties: {BucketName: demo-uploads}}
    Kept: {Type: AWS::SQS::Queue, DeletionPolicy: Retain, Properties: {QueueName: demo-kept}}
"""


def everything(aws_cloud):
    """Return what is in the account, as the services themselves list it."""
    return {
        "buckets": [one["Name"] for one in aws_cloud.client("s3").list_buckets()["Buckets"]],
        "logs": [one["logGroupName"] for one in aws_cloud.client("logs").describe_log_groups()["logGroups"]],
        "functions": aws_cloud.client("lambda").list_functions()["Functions"],
        "roles": aws_cloud.client("iam").list_roles()["Roles"],
        "repositories": aws_cloud.client("ecr").describe_repositories()["repositories"],
        "queues": aws_cloud.client("sqs").list_queues().get("QueueUrls", []),
    }


EMPTY = {"buckets": [], "logs": [], "functions": [], "roles": [], "repositories": [], "queues": []}


def test_remove_leaves_nothing(stage, aws_cloud):
    stage.deploy("one")
    stage.deploy("two")
    bucket = find_bucket(stage.aws, stage.service)
    stage.aws.call("s3", "delete_object", Bucket=bucket.name, Key=f"{bucket.folder}/deployments/000001/template.json")
    stage.aws.call("s3", "create_multipart_upload", Bucket=bucket.name, Key="left behind")
    stage.aws.call("ecr", "create_repository", repositoryName="serverless-demo-dev")

    found = find_belongings(stage.aws, stage.service)
    removed = remove(stage.aws, stage.service, found)

    assert everything(aws_cloud) == EMPTY
    assert find_stack(stage.aws, "demo-dev") is None
    assert find_belongings(stage.aws, stage.service).is_empty
    assert removed.stays == ()
    assert any("the stack demo-dev" in line for line in removed.gone)


def test_logs_that_lambda_made_by_itself_go_too(stage, aws_cloud):
    stage.yaml = stage.yaml.replace("hello:\n", "hello:\n    disableLogs: true\n", 1)
    stage.deploy("one")
    stage.aws.call("logs", "create_log_group", logGroupName="/aws/lambda/demo-dev-hello")
    stage.aws.call("logs", "create_log_group", logGroupName="/aws/lambda/demo-dev-hello-of-somebody-else")

    remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service))

    assert everything(aws_cloud)["logs"] == ["/aws/lambda/demo-dev-hello-of-somebody-else"]


def test_data_is_lost_only_when_that_was_agreed_to(stage, aws_cloud):
    stage.yaml += TABLE
    stage.deploy("one")
    stage.aws.call("s3", "put_object", Bucket="demo-uploads", Key="a", Body=b"mine")
    found = find_belongings(stage.aws, stage.service)

    with pytest.raises(RemoteError, match="data would be lost: Uploads") as refused:
        remove(stage.aws, stage.service, found)
    assert "--allow-loss Uploads" in str(refused.value)
    assert find_stack(stage.aws, "demo-dev") is not None
    assert find_bucket(stage.aws, stage.service) is not None

    removed = remove(stage.aws, stage.service, found, lose=["Uploads"])

    left = everything(aws_cloud)
    assert [one.rpartition("/")[2] for one in left.pop("queues")] == ["demo-kept"]
    assert left == {name: [] for name in left}
    assert [(one.what.rpartition("/")[2], one.costs) for one in removed.stays] == [("demo-kept", True)]


def test_a_shared_bucket_keeps_what_is_not_the_stages(stage, aws_cloud):
    stage.aws.call("s3", "create_bucket", Bucket="shared")
    stage.aws.call("s3", "put_object", Bucket="shared", Key="serverless/demo/prod/code/x.zip", Body=b"of prod")
    stage.yaml = stage.yaml.replace("runtime: python3.13", "runtime: python3.13, deploymentBucket: shared")
    stage.deploy("one")

    removed = remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service))

    keys = [one["Key"] for one in stage.aws.pages("s3", "list_objects_v2", "Contents", Bucket="shared")]
    assert keys == ["serverless/demo/prod/code/x.zip"]
    assert everything(aws_cloud)["buckets"] == ["shared"]
    assert removed.stays[0].what == "the bucket shared"


@pytest.mark.parametrize(
    "operation",
    ["s3:DeleteObjects", "cloudformation:DeleteStack", "ecr:DeleteRepository", "s3:ListMultipartUploads"],
)
def test_an_interrupted_removal_goes_on(stage, aws_cloud, operation):
    stage.deploy("one")
    stage.aws.call("ecr", "create_repository", repositoryName="serverless-demo-dev")
    aws_cloud.fail(operation, "refuse")
    with pytest.raises(AwsError):
        remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service))
    aws_cloud.heal()

    remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service))

    assert everything(aws_cloud) == EMPTY


def test_logs_of_a_stack_that_is_gone_already_are_found(stage, aws_cloud):
    stage.deploy("one")
    stage.aws.call("logs", "create_log_group", logGroupName="/aws/lambda/demo-dev-former")
    stage.yaml = stage.yaml.replace("  hello:\n", "  former: {handler: handler.hello}\n  hello:\n", 1)
    stage.aws.call("logs", "delete_log_group", logGroupName="/aws/lambda/demo-dev-former")
    stage.deploy("two")
    remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service))
    stage.yaml = stage.yaml.replace("  former: {handler: handler.hello}\n", "", 1)
    stage.aws.call("logs", "create_log_group", logGroupName="/aws/lambda/demo-dev-former")

    found = find_belongings(stage.aws, stage.service)
    remove(stage.aws, stage.service, found)

    assert [one.name for one in found.logs] == ["/aws/lambda/demo-dev-former"]
    assert everything(aws_cloud) == EMPTY


def test_remove_refuses_a_protected_stack(stage):
    stage.deploy("one")
    stage.aws.call(
        "cloudformation", "update_termination_protection", StackName="demo-dev", EnableTerminationProtection=True
    )

    with pytest.raises(RemoteError, match="demo-dev is protected from deletion"):
        refuse_removal(find_belongings(stage.aws, stage.service))


def test_remove_names_the_stacks_that_use_an_export(stage):
    stage.deploy("one")
    name = {"Fn::ImportValue": "sls-demo-dev-ServerlessDeploymentBucketName"}
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}
    user = json.dumps({"Resources": {"G": group}})
    stage.aws.call("cloudformation", "create_stack", StackName="user", TemplateBody=user)

    with pytest.raises(RemoteError, match="sls-demo-dev-ServerlessDeploymentBucketName by user"):
        refuse_removal(find_belongings(stage.aws, stage.service))
