"""provider.deploymentBucket: one that is not there, one that the stack changes to, one that it gives up."""

from __future__ import annotations

import pytest

from bareboat.aws.record import Records
from bareboat.errors import RemoteError

GIVEN = "runtime: python3.13, deploymentBucket: shared"


@pytest.mark.parametrize("words", [["deploy", "--plan"], ["deploy", "--yes"], ["deploy", "-f", "hello"], ["rollback"]])
def test_a_bucket_that_is_not_there_is_told_before_anything(stage, aws_cloud, words):
    stage.deploy("one")
    stage.yaml = stage.yaml.replace("runtime: python3.13", GIVEN)
    assert stage.service.provider.options["deploymentBucket"] == "shared"
    before = len(aws_cloud.calls)

    result = stage.run(*words)

    assert result.exit_code == 3
    assert "there is no bucket shared" in result.stderr
    assert "aws s3 mb s3://shared" in result.stderr
    assert "Packaging" not in result.stderr
    assert len(aws_cloud.calls) - before <= 3


def test_the_bucket_that_is_left_stays_and_the_numbers_go_on(stage, as_json):
    stage.deploy("one")
    own = stage.deploy("two").bucket.name
    stage.aws.call("s3", "create_bucket", Bucket="shared")
    stage.yaml = stage.yaml.replace("runtime: python3.13", GIVEN)
    assert stage.service

    planned = stage.run("deploy", "--plan")
    told = as_json(stage.run("deploy", "--plan", "--json"))
    result = stage.run("deploy", "--yes")

    assert result.exit_code == 0, result.stderr
    assert f"the bucket {own} leaves the stack and stays" in planned.stdout
    assert "versions 1 to 2 stay there" in planned.stdout
    assert told["losses"] == []
    assert told["notes"]
    assert "demo-dev is deployed, version 3" in result.stdout
    assert f"the bucket {own} leaves the stack and stays" in result.stderr
    assert stage.aws.call("s3", "head_bucket", Bucket=own)
    assert [one["version"] for one in as_json(stage.run("list", "--json"))["versions"]] == ["3"]


def test_a_stack_whose_bucket_was_given_gets_none_of_its_own(stage):
    stage.aws.call("s3", "create_bucket", Bucket="shared")
    plain, stage.yaml = stage.yaml, stage.yaml.replace("runtime: python3.13", GIVEN)
    bucket = stage.deploy("one").bucket
    stage.yaml = plain

    with pytest.raises(RemoteError, match="its code lies in shared"):
        stage.deploy("two")

    assert Records(stage.aws, bucket).last == 1
