"""rollback: to every older version, after failures too, and what stands in its way."""

from __future__ import annotations

import json

import pytest

from bareboat.aws.bucket import find_bucket
from bareboat.aws.deploy import DeployError
from bareboat.aws.emptying import empty
from bareboat.aws.rollback import plan_rollback, roll_back
from bareboat.aws.stack import stack_template
from bareboat.aws.versions import read_versions
from bareboat.errors import RemoteError


def back(stage, to=""):
    found = plan_rollback(stage.aws, stage.service, to, ask=lambda _: None)
    return found, roll_back(stage.aws, found)


def versions(stage):
    bucket = find_bucket(stage.aws, stage.service)
    return read_versions(stage.aws, bucket, stack_template(stage.aws, "demo-dev"))


def test_rollback_goes_to_the_version_before_and_never_to_the_one_that_was_left(stage):
    for text in ("one", "two", "three"):
        stage.deploy(text)

    first, deployment = back(stage)
    second, _ = back(stage)

    assert (first.version.name, second.version.name) == ("2", "1")
    assert stage.code() == stage.sha("one")
    assert (deployment.record.number, deployment.record.restores) == (4, 2)
    assert [(one.name, one.state) for one in versions(stage).all] == [
        ("1", "kept"),
        ("2", "kept"),
        ("3", "kept"),
        ("4", "kept"),
        ("5", "live"),
    ]


def test_rollback_takes_the_template_of_that_version_not_of_the_file(stage):
    stage.deploy("one")
    stage.yaml = stage.yaml.replace("GET /hello", "GET /other").replace("hello:\n", "hello:\n    timeout: 9\n", 1)
    stage.deploy("two")

    back(stage, "1")

    said = stage.aws.call("lambda", "get_function_configuration", FunctionName="demo-dev-hello")
    routes = list(stage.aws.pages("apigatewayv2", "get_routes", "Items", ApiId=_api(stage)))
    assert said["Timeout"] == 6
    assert [one["RouteKey"] for one in routes] == ["GET /hello"]


def _api(stage):
    return next(one["ApiId"] for one in stage.aws.pages("apigatewayv2", "get_apis", "Items"))


def test_rollback_after_a_failed_deployment_goes_before_what_runs(stage):
    stage.deploy("one")
    stage.deploy("two")
    with pytest.raises(DeployError):
        stage.deploy("three", sends=False)

    found, _ = back(stage)

    assert found.version.name == "1"
    assert stage.code() == stage.sha("one")
    assert [one.state for one in versions(stage).all] == ["kept", "kept", "failed", "live"]


def test_rollback_to_the_live_version_puts_swapped_code_back(stage):
    stage.deploy("one")
    swapped = stage.artifact(stage.service, "by hand").path.read_bytes()
    stage.aws.call("lambda", "update_function_code", FunctionName="demo-dev-hello", ZipFile=swapped)
    assert stage.code() != stage.sha("one")

    found, deployment = back(stage, "1")

    assert not found.plan.changes
    assert deployment.swapped == ("demo-dev-hello",)
    assert stage.code() == stage.sha("one")


def test_rollback_says_what_is_there_when_the_code_has_been_pruned(stage):
    stage.deploy("one")
    stage.deploy("two")
    bucket = find_bucket(stage.aws, stage.service)
    key = next(iter(versions(stage).all[0].keys))
    empty(stage.aws, bucket.name, key)

    with pytest.raises(RemoteError, match="version 1 has been pruned") as refused:
        back(stage, "1")
    with pytest.raises(RemoteError, match="; 1 pruned"):
        back(stage)

    assert "one of 2" in str(refused.value)


def test_rollback_without_a_stack_or_an_older_version_says_so(stage):
    with pytest.raises(RemoteError, match="demo-dev is not deployed"):
        back(stage)
    stage.deploy("one")

    with pytest.raises(RemoteError, match="version 1 is live, and there is none before it"):
        back(stage)
    with pytest.raises(RemoteError, match="there is no version 7"):
        back(stage, "7")


def test_rollback_of_an_emptied_bucket_says_that_there_are_no_records(stage):
    stage.deploy("one")
    stage.deploy("two")
    empty(stage.aws, find_bucket(stage.aws, stage.service).name)

    with pytest.raises(RemoteError, match="its bucket has no records"):
        back(stage)


def test_rollback_takes_whole_folders_of_serverless_as_versions(stage):
    stage.deploy("one")
    live = stack_template(stage.aws, "demo-dev")
    bucket = find_bucket(stage.aws, stage.service)
    text = json.dumps(live)
    code = next(iter(versions(stage).all[0].keys))
    folder = f"{bucket.folder}/1606140000000-2020-11-23T14:00:00.000Z"
    body = stage.artifact(stage.service, "by serverless").path.read_bytes()
    stage.aws.call("s3", "put_object", Bucket=bucket.name, Key=f"{folder}/demo.zip", Body=body)
    template = json.loads(text.replace(code, f"{folder}/demo.zip"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Version":
            resource["Properties"].pop("CodeSha256", None)
    key = f"{folder}/compiled-cloudformation-template.json"
    stage.aws.call("s3", "put_object", Bucket=bucket.name, Key=key, Body=json.dumps(template).encode())

    found, deployment = back(stage)

    assert found.version.name == "1606140000000"
    assert stage.code() == stage.sha("by serverless")
    assert deployment.record.restores == 1606140000000
    assert versions(stage).live.name == "2"


def test_a_record_that_a_crash_left_pending_is_judged_by_the_stack(stage, aws_cloud):
    stage.deploy("one")
    aws_cloud.fail("s3:PutObject", "refuse", nth=4)  # code, record, template, then the record's end
    with pytest.raises(RemoteError):
        stage.deploy("two")
    aws_cloud.heal()

    assert [(one.name, one.state) for one in versions(stage).all] == [("1", "kept"), ("2", "live")]
    stage.deploy("three")
    assert [(one.name, one.state) for one in versions(stage).all] == [("1", "kept"), ("2", "kept"), ("3", "live")]


def test_a_bucket_that_somebody_deleted_is_made_again(stage):
    stage.deploy("one")
    bucket = find_bucket(stage.aws, stage.service)
    empty(stage.aws, bucket.name)
    stage.aws.call("s3", "delete_bucket", Bucket=bucket.name)

    stage.deploy("two")
    stage.deploy("three")
    found, _ = back(stage)

    assert stage.code() == stage.sha("two")
    assert found.version.name == "1"
    assert find_bucket(stage.aws, stage.service) == bucket
