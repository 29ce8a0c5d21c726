"""Each call that `deploy` makes goes wrong once: the run ends well or says why, and the next one converges."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from bareboat.aws.client import Aws
from bareboat.aws.stack import find_stack
from bareboat.cli.root import bareboat

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud

NAME = "own-dev-hello"
YML = """
service: own
provider: {name: aws, runtime: python3.11}
functions:
  hello: {handler: handler.hello}
"""
# Every call that deploying makes: a new one has to be added here, and stands the same tests.
LOOKS = (
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplate",
    "lambda:GetFunctionConfiguration",
    "sts:GetCallerIdentity",
    "cloudformation:DescribeChangeSet",
    "s3:HeadBucket",
    "s3:HeadObject",
    "s3:ListObjectsV2",
    "s3:ListObjectVersions",
    "s3:GetObject",
    "s3:ListMultipartUploads",
    "cloudformation:DescribeStackEvents",
    "lambda:ListVersionsByFunction",
    "lambda:ListAliases",
    "cloudformation:ListStackResources",
)
ACTS = (
    "cloudformation:CreateChangeSet",
    "s3:PutObject",
    "cloudformation:ExecuteChangeSet",
)
SWAPS = ("lambda:UpdateFunctionCode",)


class Project:
    """A service of one function, deployed in this process or in one of its own."""

    def __init__(self, home: Path, aws: Aws) -> None:
        self.home = home
        self.aws = aws
        self.answer = 0
        (home / "serverless.yml").write_text(YML)
        self.new_code()

    def new_code(self) -> None:
        self.answer += 1
        (self.home / "handler.py").write_text(f"def hello(event, context):\n    return {self.answer}\n")

    @property
    def words(self) -> list[str]:
        return ["deploy", "--yes", "--json", "-c", str(self.home)]

    def deploy(self, *more: str) -> Result:
        return CliRunner().invoke(bareboat, [*self.words, *more], prog_name="bareboat")

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "bareboat", *self.words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def converges(self) -> None:
        """The next run ends well, and the one after it finds nothing to do."""
        done = self.deploy()
        assert done.exit_code == 0, done.output
        again = json.loads(self.deploy().stdout)
        assert again["changed"] is False
        stack = find_stack(self.aws, "own-dev")
        assert stack is not None
        assert stack.status == "UPDATE_COMPLETE"


@pytest.fixture
def project(aws: Aws, aws_cloud: AwsCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    home = tmp_path / "project"
    home.mkdir()
    monkeypatch.setattr("random.random", lambda: 0.01)  # botocore's pauses before it tries again
    return Project(home, aws)


def test_every_call_that_is_made_stands_here_and_is_allowed(
    project: Project, aws_cloud: AwsCloud, repository: Path
) -> None:
    project.deploy()
    project.new_code()
    project.deploy()
    project.new_code()
    project.deploy("-f", "hello")

    made = set(aws_cloud.calls.operations)

    assert made <= {*LOOKS, *ACTS, *SWAPS}
    policy = json.loads((repository / "docs" / "ci" / "deployer-policy.json").read_text())
    patterns = [
        action
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]
    assert not [one for one in made if not any(fnmatchcase(one, pattern) for pattern in patterns)]


@pytest.mark.parametrize("how", ["break", "throttle", "drop-after"])
def test_what_aws_answers_wrongly_once_is_asked_again(project: Project, aws_cloud: AwsCloud, how: Any) -> None:
    project.deploy()
    for operation in (*LOOKS, *ACTS):
        if how == "throttle" and operation.startswith("s3:"):
            continue  # S3 says SlowDown with a 503, as in "break"
        project.new_code()
        aws_cloud.fail(operation, how)

        done = project.deploy()

        aws_cloud.heal()
        assert done.exit_code == 0, f"{operation} {how}: {done.output}"
    assert json.loads(project.deploy().stdout)["changed"] is False


def test_what_is_refused_is_told_and_the_next_run_converges(project: Project, aws_cloud: AwsCloud) -> None:
    project.deploy()
    for operation in ACTS:
        project.new_code()
        fault = aws_cloud.fail(operation, "refuse", times=0)

        done = project.deploy()

        aws_cloud.heal()
        assert fault.struck
        assert done.exit_code == 3, f"{operation}: {done.output}"
        assert operation.partition(":")[2] in done.stderr
    project.converges()


@pytest.mark.parametrize("operation", ACTS)
@pytest.mark.parametrize("how", ["kill-before", "kill-after"])
def test_a_process_that_is_killed_leaves_what_the_next_run_mends(
    project: Project, aws_cloud: AwsCloud, operation: str, how: Any
) -> None:
    first = project.start()
    aws_cloud.fail(operation, how, process=first.pid)
    assert first.wait(60) == -signal.SIGKILL, first.stderr and first.stderr.read()
    assert first.stderr is not None
    first.stderr.close()
    aws_cloud.heal()
    aws_cloud.settle()

    project.converges()


def test_code_that_is_swapped_stands_a_lost_answer(project: Project, aws: Aws, aws_cloud: AwsCloud) -> None:
    project.deploy()
    before = aws.call("lambda", "get_function_configuration", FunctionName=NAME)["CodeSha256"]
    project.new_code()
    aws_cloud.fail("lambda:UpdateFunctionCode", "drop-after")

    done = project.deploy("-f", "hello")

    assert done.exit_code == 0, done.output
    assert aws.call("lambda", "get_function_configuration", FunctionName=NAME)["CodeSha256"] != before
