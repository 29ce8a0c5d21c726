"""Pruning: down to a number, and nothing that is live or that a kept version needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bareboat.aws.bucket import find_bucket
from bareboat.aws.prune import prune
from bareboat.aws.record import Records
from bareboat.aws.rollback import plan_rollback, roll_back
from bareboat.aws.stack import stack_template
from bareboat.aws.versions import read_versions


def pruned(stage, keep, **more):
    bucket = find_bucket(stage.aws, stage.service)
    template = stack_template(stage.aws, "demo-dev")
    found = prune(stage.aws, stage.service, read_versions(stage.aws, bucket, template), template, keep=keep, **more)
    return found, read_versions(stage.aws, bucket, template)


def numbers(stage):
    listed = stage.aws.pages("lambda", "list_versions_by_function", "Versions", FunctionName="demo-dev-hello")
    return [one["Version"] for one in listed]


def test_old_versions_go_and_a_kept_one_can_be_gone_back_to(stage):
    for text in ("one", "two", "three", "four"):
        stage.deploy(text)

    found, left = pruned(stage, 1)

    assert [one.name for one in found.versions] == ["1", "2"]
    assert [(one.name, one.state) for one in left.all] == [("3", "kept"), ("4", "live")]
    assert len(found.keys) == 2
    assert found.functions == {"demo-dev-hello": ("1", "2")}
    assert numbers(stage) == ["$LATEST", "3", "4"]
    rollback = plan_rollback(stage.aws, stage.service)
    roll_back(stage.aws, rollback)
    assert stage.code() == stage.sha("three")


def test_code_that_a_kept_version_shares_stays(stage):
    stage.deploy("one")
    stage.deploy("two")
    stage.yaml = stage.yaml.replace("hello:\n", "hello:\n    timeout: 9\n", 1)
    stage.deploy("one")
    stage.deploy("three")

    _, left = pruned(stage, 1)

    assert [(one.name, one.state) for one in left.all] == [("3", "kept"), ("4", "live")]


def test_the_version_that_a_rollback_went_back_to_stays(stage):
    for text in ("one", "two", "three"):
        stage.deploy(text)
    roll_back(stage.aws, plan_rollback(stage.aws, stage.service, "1"))

    _, left = pruned(stage, 1)

    assert [(one.name, one.state) for one in left.all] == [("1", "kept"), ("3", "kept"), ("4", "live")]


def test_no_version_goes_while_nobody_knows_which_one_is_live(stage):
    stage.deploy("one")
    stage.deploy("two")
    bucket = find_bucket(stage.aws, stage.service)
    versions = read_versions(stage.aws, bucket, {"Resources": {}})

    found = prune(stage.aws, stage.service, versions, stack_template(stage.aws, "demo-dev"), keep=1)

    assert found.versions == ()
    assert found.keys == ()


def test_what_is_uploaded_and_of_no_version_yet_stays_for_a_day(stage):
    stage.deploy("one")
    bucket = find_bucket(stage.aws, stage.service)
    key = f"{bucket.folder}/code/{'0' * 64}.zip"
    stage.aws.call("s3", "put_object", Bucket=bucket.name, Key=key, Body=b"soon")

    now, _ = pruned(stage, 5)
    later, _ = pruned(stage, 5, clock=lambda: datetime.now(UTC) + timedelta(days=2))

    assert now.keys == ()
    assert later.keys == (key,)


@pytest.mark.parametrize("keep", [0, 5], ids=["none", "five"])
def test_the_live_version_never_goes(stage, keep):
    stage.deploy("one")

    found, left = pruned(stage, keep)

    assert found.is_empty
    assert [one.state for one in left.all] == ["live"]


def test_pruning_leaves_what_a_deployment_has_found_there_meanwhile(stage, monkeypatch):
    stage.deploy("one")
    stage.deploy("two")
    service, bucket = stage.service, find_bucket(stage.aws, stage.service)
    template = stack_template(stage.aws, "demo-dev")
    versions = read_versions(stage.aws, bucket, template)
    old = versions.named("1").record
    contents = replace(old, functions=old.functions, layers=old.layers)
    Records(stage.aws, bucket).begin({"of": "another run"}, service, contents)

    found = prune(stage.aws, service, versions, template, keep=0)

    keys = [one["Key"] for one in stage.aws.pages("s3", "list_objects_v2", "Contents", Bucket=bucket.name)]
    assert [one.name for one in found.versions] == ["1"]
    assert old.keys <= set(keys)
