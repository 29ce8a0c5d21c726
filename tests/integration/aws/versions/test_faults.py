"""Every call of rollback and remove fails once, before it is carried out or after: another run ends well."""

from __future__ import annotations

from bareboat.aws.belongings import find_belongings
from bareboat.aws.remove import remove
from bareboat.aws.rollback import plan_rollback, roll_back
from bareboat.errors import RemoteError


def back(stage, to):
    roll_back(stage.aws, plan_rollback(stage.aws, stage.service, to, ask=lambda _: None))


def gone(stage):
    remove(stage.aws, stage.service, find_belongings(stage.aws, stage.service), sleep=lambda _: None)


HOW = ("refuse", "drop-after")


def test_a_rollback_that_fails_at_any_call_ends_well_the_next_time(stage, aws_cloud):
    stage.deploy("one")
    stage.deploy("two")
    aws_cloud.calls.clear()
    back(stage, "1")
    operations = sorted(set(aws_cloud.calls.operations))
    assert "cloudformation:ExecuteChangeSet" in operations

    for number, operation in enumerate(operations):
        to, text = ("2", "two") if number % 2 == 0 else ("1", "one")
        aws_cloud.fail(operation, HOW[number // 2 % 2])
        try:
            back(stage, to)
        except RemoteError:
            aws_cloud.heal()
            aws_cloud.settle()
            back(stage, to)
        aws_cloud.heal()
        assert stage.code() == stage.sha(text), operation


def test_a_removal_that_fails_at_any_call_ends_well(stage, aws_cloud):
    from aws_cloud.inventory import inventory

    def prepare():
        stage.deploy("one")
        stage.aws.call("ecr", "create_repository", repositoryName="serverless-demo-dev")

    prepare()
    aws_cloud.calls.clear()
    gone(stage)
    operations = list(dict.fromkeys(aws_cloud.calls.operations))
    assert "cloudformation:DeleteStack" in operations
    prepare()

    # each run gets as far as the call that fails, the next one goes on from there
    for number, operation in enumerate(operations):
        aws_cloud.fail(operation, HOW[number % 2])
        try:
            gone(stage)
        except RemoteError:
            aws_cloud.settle()
        aws_cloud.heal()
    gone(stage)

    assert not inventory(aws_cloud, everywhere=True)
    assert find_belongings(stage.aws, stage.service).is_empty
