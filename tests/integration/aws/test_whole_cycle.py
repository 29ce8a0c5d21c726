"""A service's life as a user types it: deployed, tried, read, changed, taken back, removed; nothing is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud
    from aws_cloud.commands import Commands, Ended

YML = """service: iris
provider: {name: aws, runtime: python3.13, architecture: x86_64, stage: prod}
functions:
  greet:
    handler: handler.greet
    samples:
      - {body: {name: you}}
    events:
      - httpApi: POST /greet
      - http: {path: greet, method: post}
    url: true
  nightly:
    handler: handler.nightly
    events:
      - schedule: rate(1 day)
"""
HANDLER = """import json

def greet(event, context):
    print("asked")
    return {"statusCode": 200, "body": json.dumps({"greeting": "WORD " + json.loads(event["body"])["name"]})}

def nightly(event, context):
    return None
"""
ASK = """bareboat invoke -f greet --data {"body":"{\\"name\\":\\"you\\"}"}"""


class Session:
    """A terminal in a project's folder."""

    def __init__(self, cloud: AwsCloud, commands: Commands, home: Path) -> None:
        from aws_cloud.project import clean_env

        self.cloud = cloud
        self.home = home
        self._commands = commands
        self.env = {**clean_env(), **cloud.env(home)}
        (home / "serverless.yml").write_text(YML)

    def write(self, word: str) -> None:
        """Change the code, and tell the cloud what is deployed next."""
        from bareboat.service import load_service

        (self.home / "handler.py").write_text(HANDLER.replace("WORD", word))
        self.cloud.serve(load_service(self.home / "serverless.yml", env={}))

    def types(self, line: str, code: int = 0) -> Ended:
        """Run a line that begins with `bareboat`."""
        words = line.split()
        assert words.pop(0) == "bareboat"
        ended = self._commands.run(words, cwd=self.home, env=self.env)
        self.cloud.settle()
        assert ended.code == code, f"$ {line}\n{ended}"
        return ended


@pytest.fixture
def session(aws_cloud: AwsCloud, commands: Commands, tmp_path: Path) -> Session:
    home = tmp_path / "iris"
    home.mkdir()
    return Session(aws_cloud, commands, home)


@pytest.mark.slow
def test_a_service_is_deployed_used_changed_taken_back_and_removed(session: Session, aws_cloud: AwsCloud) -> None:
    from aws_cloud.inventory import inventory

    before = inventory(aws_cloud, everywhere=True)
    session.write("hello")

    assert "added" in session.types("bareboat deploy --yes").out
    assert "/greet" in session.types("bareboat info").out
    assert session.types("bareboat smoke").out.count("same") == 3
    assert "asked" in session.types("bareboat logs -f greet").out
    assert "nothing changes" in session.types("bareboat deploy --yes").out
    session.write("welcome")
    assert "changed" in session.types("bareboat deploy --yes").out
    assert session.types("bareboat smoke").out.count("same") == 3
    assert "welcome you" in session.types(ASK).out
    session.types("bareboat rollback --yes")
    assert "hello you" in session.types(ASK).out
    assert len(session.types("bareboat list --json").json["versions"]) == 3
    session.types("bareboat remove --yes")

    assert inventory(aws_cloud, everywhere=True) == before
    who = {name: {one.by for one in aws_cloud.calls if one.operation == name} for name in aws_cloud.calls.operations}
    assert who["lambda:Invoke"] == who[":"] == {"local cloud"}
    assert {one for one in who if who[one] == {"proxy"}} == {one for one in who if one.startswith("cloudformation:")}
    assert aws_cloud.calls.shares.keys() == {"moto", "moto, with what it forgets", "proxy", "local cloud"}
