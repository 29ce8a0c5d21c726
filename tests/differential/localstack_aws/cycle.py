"""A service with a REST API lived through on LocalStack, as a user types it; nothing of it may be left behind.

    python tests/differential/localstack_aws/cycle.py PYTHON_OF_LOCALSTACK

LocalStack is not AWS: what it has wrong is looked for too (`meet_faults`), and told; docs/fidelity.md has the list.
Exit code 1 when bareboat does not do what it should, or a fault of LocalStack's is gone, so that the list is wrong.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session

sys.path.insert(0, str(Path(__file__).parent))
from server import REGION, LocalStack, running

SOURCES = Path(__file__).parents[3] / "src"
YML = f"""service: iris
provider:
  name: aws
  runtime: python3.13
  architecture: {"arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"}
functions:
  greet:
    handler: handler.greet
    samples:
      - {{body: {{name: you}}}}
    events:
      - http: POST /greet
  predict:
    model: lgb.model
    features: [sepal length, sepal width, petal length, petal width]
    labels: [setosa, versicolor, virginica]
    events:
      - http: POST /predict
"""
HANDLER = """import json

def greet(event, context):
    print("asked")
    return {"statusCode": 200, "body": json.dumps({"greeting": "WORD " + json.loads(event["body"])["name"]})}
"""
EVENT = json.dumps({"body": json.dumps({"name": "you"})})
CANARY = "custom: {bareboat: {canary: 50%/5s}}\n"
IMPOSSIBLE = """resources:
  Resources:
    Impossible:
      Type: AWS::Lambda::Permission
      Properties: {FunctionName: no-such-function, Action: 'lambda:InvokeFunction', Principal: sns.amazonaws.com}
"""
_ASKED = re.compile(r"localstack\.request\.(aws|http)\s+: (?:AWS (\w+)\.|\S+ \S*execute-api)?")


@dataclass
class Step:
    """One line that was typed: how it ended, and what of LocalStack answered it."""

    line: str
    code: int
    out: str
    err: str
    seconds: float
    asked: Counter[str]
    fault: str = ""

    @property
    def answered(self) -> str:
        """Say who answered: LocalStack's services by how many calls, its gateway, AWS's runtime client."""
        said = ", ".join(f"{name} {count}" for name, count in sorted(self.asked.items()))
        return f"LocalStack: {said}" if said else "nobody was asked"


@dataclass
class Terminal:
    """A terminal in a project's folder, for which LocalStack is AWS."""

    cloud: LocalStack
    home: Path
    steps: list[Step] = field(default_factory=list)

    def write(self, word: str, more: str = "") -> None:
        """Write the project; `word` is what the handler says."""
        (self.home / "serverless.yml").write_text(YML + more)
        (self.home / "handler.py").write_text(HANDLER.replace("WORD", word))
        shutil.copyfile(SOURCES / "bareboat/templates/lightgbm-iris/lgb.model", self.home / "lgb.model")

    def types(self, *words: str, code: int = 0) -> Step:
        """Run bareboat.

        Raises:
            AssertionError: it ends with another code.
        """
        env = self.cloud.env(self.home) | {"PYTHONPATH": str(SOURCES), "BAREBOAT_CACHE": str(self.home / ".cache")}
        before = self.cloud.log.stat().st_size
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "bareboat", *words], cwd=self.home, env=env, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        asked: Counter[str] = Counter()
        with self.cloud.log.open() as log:
            log.seek(before)
            for found in map(_ASKED.search, log):
                if found is not None:
                    asked[found[2] or "its gateway"] += 1
        step = Step(
            "bareboat " + " ".join(words), done.returncode, done.stdout, done.stderr, time.perf_counter() - began, asked
        )
        self.steps.append(step)
        assert done.returncode == code, f"$ {step.line}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return step


def inventory(cloud: LocalStack) -> set[str]:
    """Ask LocalStack's own services for all that is there."""
    session = botocore.session.Session()
    session.set_credentials("test", "test")

    def client(service: str) -> Any:
        return session.create_client(service, region_name=REGION, endpoint_url=cloud.endpoint)

    found = {f"bucket {one['Name']}" for one in client("s3").list_buckets()["Buckets"]}
    found |= {f"function {one['FunctionName']}" for one in client("lambda").list_functions()["Functions"]}
    found |= {f"log group {one['logGroupName']}" for one in client("logs").describe_log_groups()["logGroups"]}
    found |= {f"role {one['RoleName']}" for one in client("iam").list_roles()["Roles"]}
    found |= {f"API {one['id']}" for one in client("apigateway").get_rest_apis()["items"]}
    for one in client("cloudformation").list_stacks()["StackSummaries"]:
        if one["StackStatus"] != "DELETE_COMPLETE":
            found.add(f"stack {one['StackName']} {one['StackStatus']}")
    return found


def live_through(terminal: Terminal) -> None:
    """Deploy, look, try, read, change, go back, remove.

    Raises:
        AssertionError: a step does not do what it should, or something is left behind.
    """
    before = inventory(terminal.cloud)
    terminal.write("hello")
    assert "version 1" in terminal.types("deploy", "--yes").out
    assert "/predict" in terminal.types("info").out
    assert terminal.types("smoke").out.count("same") == 2
    assert "asked" in terminal.types("logs", "-f", "greet").out
    assert "nothing changes" in terminal.types("deploy", "--yes").out
    terminal.write("welcome")
    assert "version 2" in terminal.types("deploy", "--yes").out
    assert terminal.types("smoke").out.count("same") == 2
    assert "welcome you" in terminal.types("invoke", "-f", "greet", "--data", EVENT).out
    terminal.types("rollback", "--yes")
    assert "hello you" in terminal.types("invoke", "-f", "greet", "--data", EVENT).out
    assert len(json.loads(terminal.types("list", "--json").out)["versions"]) == 3
    terminal.types("remove", "--yes")
    left = inventory(terminal.cloud) - before
    assert not left, f"left behind: {sorted(left)}"


def meet_faults(terminal: Terminal) -> None:
    """Do what LocalStack has wrong, and see that bareboat is not taken in. What is left goes with LocalStack.

    Raises:
        AssertionError: bareboat says something else than what is so, or the fault is gone.
    """
    terminal.write("hello")
    terminal.types("deploy", "--yes")
    step = terminal.types("metrics", code=3)
    assert "p50" in step.err
    step.fault = "its CloudWatch knows no percentiles: GetMetricData is HTTP 500"
    terminal.write("welcome", IMPOSSIBLE)
    assert "Impossible" in terminal.types("deploy", "--yes", code=3).err
    step = terminal.types("invoke", "-f", "greet", "--data", EVENT)
    assert "welcome you" in step.out
    step.fault = "it says UPDATE_ROLLBACK_COMPLETE and took no code back: AWS would answer `hello you`"

    terminal.write("again", CANARY)
    terminal.types("deploy", "--yes", "--stage", "alias")
    terminal.write("canary", CANARY)
    step = terminal.types("deploy", "--yes", "--stage", "alias", code=3)
    assert "GreetLiveLambdaAlias" in step.err
    step.fault = "it cannot update an alias, and deletes it for that; the stack cannot be deleted after that"


@contextmanager
def at(python: str) -> Iterator[Terminal]:
    """Start LocalStack and open a terminal in an empty folder."""
    with running(python) as cloud, tempfile.TemporaryDirectory(prefix="bareboat-cycle-") as folder:
        yield Terminal(cloud, Path(folder))


def main() -> int:
    python = (sys.argv[1:] or [os.environ.get("BAREBOAT_LOCALSTACK", "")])[0]
    if not python:
        sys.exit("cycle: name the interpreter of LocalStack's environment, or set BAREBOAT_LOCALSTACK")
    code = 0
    for part in (live_through, meet_faults):
        with at(python) as terminal:
            try:
                part(terminal)
            except AssertionError as error:
                print(error, file=sys.stderr)
                code = 1
            for step in terminal.steps:
                print(f"{step.seconds:5.1f} s  exit {step.code}  {step.line}\n         {step.answered}")
                if step.fault:
                    print(f"         LocalStack is wrong: {step.fault}")
    print("failed" if code else "nothing is left behind, and LocalStack is as wrong as docs/fidelity.md says")
    return code


if __name__ == "__main__":
    sys.exit(main())
