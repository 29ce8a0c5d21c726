"""list, rollback and remove as they are typed."""

from __future__ import annotations

import json

from bareboat.aws.client import Aws
from bareboat.aws.progress import Progress
from bareboat.cli.deploying import interrupted


def test_list_rollback_remove(stage):
    stage.deploy("one")
    stage.deploy("two")

    listed = stage.run("list")
    assert listed.exit_code == 0, listed.output
    assert [line.split()[:2] for line in listed.stdout.splitlines()[1:3]] == [["2", "live"], ["1", "kept"]]
    assert "next: bareboat rollback --to 1" in listed.stderr

    asked = stage.run("rollback")
    assert asked.exit_code == 2
    assert "nobody is there to ask: Go back to version 1?" in asked.stderr
    assert stage.code() == stage.sha("two")

    back = stage.run("rollback", "--yes", "--json")
    assert back.exit_code == 0, back.output
    document = json.loads(back.stdout)
    assert (document["to"], document["version"], document["changed"]) == ("1", "3", True)
    assert stage.code() == stage.sha("one")

    again = stage.run("rollback", "--to", "3", "--yes")
    assert again.exit_code == 0
    assert "demo-dev: it runs that already" in again.stdout

    kept = stage.run("remove")
    assert kept.exit_code == 2
    assert "nobody is there to ask: Remove all of this?" in kept.stderr

    removed = stage.run("remove", "--yes", "--json")
    assert removed.exit_code == 0, removed.output
    assert any("the stack demo-dev" in line for line in json.loads(removed.stdout)["gone"])
    assert stage.run("remove", "--yes").stdout == "nothing of demo-dev is there\n"
    assert "this stage is not deployed" in stage.run("list").stderr
    assert stage.run("rollback", "--yes").exit_code == 3


def test_remove_asks_for_data_by_name(stage):
    stage.yaml += "resources: {Resources: {Table: {Type: AWS::SQS::Queue, Properties: {QueueName: mine}}}}\n"
    stage.deploy("one")

    asked = stage.run("remove", "--yes")
    assert asked.exit_code == 2
    assert "--allow-loss Table" in asked.stderr
    assert stage.run("list").exit_code == 0
    assert stage.run("remove", "--yes", "--allow-loss", "Table").exit_code == 0


def test_another_region_has_nothing(stage):
    stage.deploy("one")

    listed = stage.run("list", "--json", "-r", "eu-west-1")

    assert json.loads(listed.stdout)["versions"] == []
    assert Aws("eu-west-1").identity.account == "123456789012"


def test_an_interruption_says_what_it_leaves():
    progress = Progress()
    progress.stack = "demo-dev"
    progress.begin("watch", "")
    assert "bareboat rollback takes it back" in interrupted(progress)[1]
    progress.begin("delete", "")
    assert "the next remove goes on from there" in interrupted(progress)[0]


def test_an_interrupted_rollback_is_gone_on_with_to_the_same_version(stage, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    stage.deploy("one")
    stage.deploy("two")
    monkeypatch.setattr("bareboat.aws.rollback.roll_back", interrupted)

    result = stage.run("rollback", "--yes")

    assert result.exit_code == 130
    assert result.stderr.rstrip().endswith("--to 1")
