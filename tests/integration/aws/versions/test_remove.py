"""remove: everything goes, what holds data is asked for, what stays is said, and an interruption is gone on from."""

from __future__ import annotations

import json

import pytest

from bareboat.aws.belongings import find_belongings
from bareboat.aws.bucket import find_bucket
from bareboat.aws.client import AwsError
from bareboat.aws.progress import Progress
from bareboat.aws.remove import refuse_removal, remove
from bareboat.aws.stack import find_stack
from bareboat.cli.deploying import interrupted
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


@pytest.fixture
def stack_of_two(stage):
    """A stage of two versions, and how many versions of objects its bucket holds."""
    stage.deploy("one")
    stage.deploy("two")
    return stage, find_belongings(stage.aws, stage.service).bucket_objects


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


def test_nothing_is_emptied_before_cloudformation_has_agreed_to_delete(stack_of_two, aws_cloud):
    stage, before = stack_of_two
    aws_cloud.fail("cloudformation:DeleteStack", "refuse")

    with pytest.raises(AwsError):
        remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service))

    assert find_belongings(stage.aws, stage.service).bucket_objects == before


@pytest.mark.parametrize(("phase", "said"), [("ask", "may be deleting"), ("empty", "goes on deleting")])
def test_what_an_interrupted_removal_says_is_true(stack_of_two, aws_cloud, phase, said):
    stage, before = stack_of_two

    class Stopped(Progress):
        def begin(self, now, text, *, resources=0):
            super().begin(now, text, resources=resources)
            if now == phase:
                raise KeyboardInterrupt

    progress = Stopped()
    with pytest.raises(KeyboardInterrupt):
        remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service), progress=progress)

    told = " ".join(interrupted(progress))
    assert said in told
    assert "the next remove goes on from there" in told
    stack = find_stack(stage.aws, "demo-dev")
    assert (stack is None or stack.status.startswith("DELETE_")) == (phase == "empty")
    if phase == "ask":
        assert find_belongings(stage.aws, stage.service).bucket_objects == before
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


def test_the_log_of_a_function_of_another_stage_stays(stage, aws_cloud):
    stage.yaml = stage.yaml.replace("hello:\n", "hello:\n    name: predictor\n", 1)
    stage.stage = "prod"
    stage.deploy("one")
    stage.stage = "dev"

    found = find_belongings(stage.aws, stage.service)

    assert found.logs == ()
    assert found.is_empty
    stage.stage = "prod"
    assert [one.name for one in find_belongings(stage.aws, stage.service).logs] == ["/aws/lambda/predictor"]


def test_a_stack_of_another_service_is_neither_removed_nor_changed(stage, aws_cloud):
    theirs = stage.yaml.replace("service: demo", "service: shop-pay")
    stage.yaml = theirs
    stage.deploy("one")
    stage.yaml, stage.stage = stage.yaml.replace("service: shop-pay", "service: shop"), "pay-dev"

    for deed in (lambda: find_belongings(stage.aws, stage.service), lambda: stage.deploy("two")):
        with pytest.raises(RemoteError, match="the stack shop-pay-dev is stage dev of the service shop-pay") as refused:
            deed()
        assert "bareboat adopt" in str(refused.value)

    stage.yaml, stage.stage = theirs, "dev"
    assert len(find_belongings(stage.aws, stage.service).functions) == 1
    remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service))
    stage.yaml, stage.stage = stage.yaml.replace("service: shop-pay", "service: shop"), "pay-dev"
    assert find_belongings(stage.aws, stage.service).is_empty
    stage.deploy("three")


def test_a_stack_of_another_service_is_taken_over_by_adopt(stage):
    stage.yaml = stage.yaml.replace("service: demo", "service: shop-pay")
    stage.deploy("one")
    stage.yaml, stage.stage = stage.yaml.replace("service: shop-pay", "service: shop"), "pay-dev"

    assert stage.service.name == "shop"
    adopted = stage.run("adopt", "--yes", "--stage", "pay-dev")
    assert adopted.exit_code == 0, adopted.output
    stage.deploy("two")

    assert find_belongings(stage.aws, stage.service).stack is not None


def test_a_folder_that_another_stack_uses_stays(stage, aws_cloud):
    stage.aws.call("s3", "create_bucket", Bucket="shared")
    plain = stage.yaml
    stage.yaml = plain.replace("runtime: python3.13", "runtime: python3.13, deploymentBucket: shared")
    stage.deploy("one")
    stage.yaml = stage.yaml.replace("deploymentBucket", "stackName: other-stack, deploymentBucket")
    before = len(list(stage.aws.pages("s3", "list_objects_v2", "Contents", Bucket="shared")))

    found = find_belongings(stage.aws, stage.service)
    removed = remove(stage.aws, stage.service, found)

    assert len(list(stage.aws.pages("s3", "list_objects_v2", "Contents", Bucket="shared"))) == before
    assert any("demo-dev has its code" in one.why for one in removed.stays)


def not_emptied(monkeypatch, times):
    """Let buckets be as full as before, a number of times, as if somebody had written to them just after."""
    from bareboat.aws import remove as removal

    real, asked = removal.empty, []

    def empty(aws, name, *more, **named):
        asked.append(name)
        return 0 if len(asked) <= times else real(aws, name, *more, **named)

    monkeypatch.setattr(removal, "empty", empty)
    return asked


def test_a_bucket_that_is_written_to_meanwhile_is_emptied_again(stage, aws_cloud, monkeypatch):
    stage.deploy("one")
    asked = not_emptied(monkeypatch, 1)

    remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service), sleep=lambda _: None)

    assert len(asked) > 1
    assert everything(aws_cloud) == EMPTY


def test_a_bucket_that_does_not_get_empty_is_named_and_the_next_removal_goes_on(stage, aws_cloud, monkeypatch):
    stage.deploy("one")
    with monkeypatch.context() as patched:
        not_emptied(patched, 1_000)
        with pytest.raises(RemoteError, match="not empty") as refused:
            remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service), sleep=lambda _: None)
    assert "ServerlessDeploymentBucket" in str(refused.value)
    assert "fix  " in str(refused.value)
    assert find_stack(stage.aws, "demo-dev").status == "DELETE_FAILED"

    remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service))

    assert everything(aws_cloud) == EMPTY


def test_the_role_for_logs_of_rest_apis_is_told_once():
    from bareboat.aws.belongings import Belongings
    from bareboat.aws.stack import Resource
    from bareboat.aws.stays import _kept

    role = Resource("ApiGatewayCloudWatchRole", "demo-logs", "AWS::IAM::Role", "CREATE_COMPLETE")
    account = Resource("ApiGatewayAccount", "account", "AWS::ApiGateway::Account", "CREATE_COMPLETE")

    (told,) = _kept(Belongings(stack=None, resources=(), data=(), bucket=None, kept=(role, account)))

    assert told.what == "the role demo-logs, and the account's setting that names it"
    assert "all REST APIs of this account" in told.why
