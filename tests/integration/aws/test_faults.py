"""Every AWS call that a deployment makes fails once, in every way; what is run again converges.

`calls.json` lists the calls of each command, in the order in which they are first made. A fresh record that is another
fails, so no call goes without its faults: `python tests/integration/aws/test_faults.py` writes it anew.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bareboat.aws.client import Aws

if TYPE_CHECKING:
    from aws_cloud.cloud import AwsCloud
    from aws_cloud.commands import Commands, Ended
    from aws_cloud.project import Project

CALLS = Path(__file__).parent / "calls.json"
SCENARIOS = {
    "first": ("deploy", "--yes"),
    "second": ("deploy", "--yes"),
    "prune": ("deploy", "--yes"),  # the third version, where one stays beside the live one
    "swap": ("deploy", "-f", "hello", "--yes"),
    "rollback": ("rollback", "--yes"),
    "remove": ("remove", "--yes"),
}
RECORDED: dict[str, dict[str, int]] = json.loads(CALLS.read_text()) if CALLS.exists() else {}
READS = ("Describe", "Get", "List", "Head", "Filter")
IN_TURN = ("break", "throttle", "drop-before", "hang")  # a call is tried five times
HANG_S = 0.3
DEPLOYMENTS = 5  # after which the cloud is emptied, before any version is pruned


def writes(scenario: str) -> dict[str, int]:
    """Return the calls of a scenario that change something, with how many of each are made."""
    return {name: count for name, count in RECORDED.get(scenario, {}).items() if not is_read(name)}


def is_read(operation: str) -> bool:
    return operation.partition(":")[2].startswith(READS)


def own_writes(scenario: str) -> dict[str, int]:
    """Return those that no other scenario makes in the same way: a deployment that prunes first deploys."""
    known = writes("second") if scenario == "prune" else {}
    return {name: count for name, count in writes(scenario).items() if name not in known}


REFUSED = [(one, name) for one in SCENARIOS for name in own_writes(one)]
KILLED = [
    (one, name, how, nth)
    for one in SCENARIOS
    for name, count in own_writes(one).items()
    for how, nth in [("kill-before", 1), *(("kill-after", nth) for nth in range(1, count + 1))]
]


@pytest.fixture
def project(
    _aws_cloud: AwsCloud, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project in a cloud that is not emptied before each test, but brought to where the test begins."""
    from aws_cloud.project import Project

    for name, value in _aws_cloud.env(tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    yield Project(_aws_cloud, commands, tmp_path)
    _aws_cloud.heal()
    _aws_cloud.settle()


class Trial:
    """One scenario: how it begins, how it is run, and what shall be true after it."""

    def __init__(self, project: Project, scenario: str, *, anew: bool = False) -> None:
        self.project = project
        self.scenario = scenario
        self.arguments = SCENARIOS[scenario]
        cloud = project.cloud
        left = cloud.notes.pop("deployed", 0)
        if anew or scenario in {"first", "prune"} or not 0 < left < DEPLOYMENTS or project.stack is None:
            cloud.reset()
            left = 0
        if not left and scenario != "first":
            self._deploy()
        if scenario in {"rollback", "prune"}:
            project.write()
            self._deploy()
            left += 1
        if scenario == "prune":
            project.keep(1)
        self.before = project.live_code
        project.write()
        self.after = self._after()
        self._left = left + 1
        cloud.calls.clear()

    def _deploy(self) -> None:
        ended = self.project.run("deploy", "--yes")
        assert ended.code == 0, ended

    def _after(self) -> str:
        """Return the CodeSha256 that runs in the end."""
        if self.scenario == "remove":
            return ""
        if self.scenario != "rollback":
            return self.project.code
        return self._earlier()

    def _earlier(self) -> str:
        """Return the code of the version before the live one."""
        versions = sorted(self._versions(), key=lambda one: int(one.name))
        live = next(index for index, one in enumerate(versions) if one.state == "live")
        kept = [one for one in versions[:live] if one.state == "kept"]
        (code,) = kept[-1].record.functions.values()
        return b64encode(bytes.fromhex(code.sha256)).decode()

    def _versions(self) -> list[Any]:
        return self.project.versions(Aws(self.project.cloud.region))

    def run(self, **more: Any) -> Ended:
        return self.project.run(*self.arguments, **more)

    def check_between(self) -> None:
        """Say whether the function that ran before, or the one that shall run, is there."""
        allowed = {self.before, self.after}
        assert self.project.live_code in allowed, "neither the old code nor the new one runs"

    def again(self) -> None:
        """Run it once more, without faults, and say what is not as it shall be then."""
        project = self.project
        project.cloud.heal()
        if self.scenario == "rollback" and project.live_code == self.after and not self._is_pending():
            pass  # it had been carried out: a rollback more would go further back
        else:
            again = self.run()
            assert again.code == 0, again
        assert project.live_code == self.after
        if self.scenario == "remove":
            assert inventory_of(project.cloud) == set()
            return
        self._check_stack()
        if self.scenario != "prune":
            project.cloud.notes["deployed"] = self._left

    def _is_pending(self) -> bool:
        return bool(self.project.stack.in_progress)

    def _check_stack(self) -> None:
        stack = self.project.stack
        assert stack is not None
        assert stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, stack.status
        bucket = stack.resources["ServerlessDeploymentBucket"].physical_id
        assert not self.project.cloud.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads")
        states = [one.state for one in self._versions()]
        if self.scenario != "swap":
            assert states.count("live") == 1, states
        assert not {"pending", "deploying"} & set(states), states


def inventory_of(cloud: AwsCloud) -> set[str]:
    from aws_cloud.inventory import inventory

    return inventory(cloud)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_calls_are_those_that_faults_are_tested_of(scenario: str, project: Project) -> None:
    trial = Trial(project, scenario, anew=True)

    ended = trial.run()

    assert ended.code == 0, ended
    found = counted(project)
    assert set(found) == set(RECORDED[scenario]), "write calls.json anew: see the docstring"
    assert {name: found[name] for name in writes(scenario)} == writes(scenario)


def counted(project: Project) -> dict[str, int]:
    """Return the calls that were made, with how many of each; 1 for those that only read."""
    found: dict[str, int] = {}
    for name in project.cloud.calls.operations:
        found[name] = 1 if is_read(name) else found.get(name, 0) + 1
    return dict(sorted(found.items()))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_call_that_breaks_is_throttled_dropped_and_hangs_is_made_again(scenario: str, project: Project) -> None:
    trial = Trial(project, scenario)
    faults = [
        project.cloud.fail(name, how, nth=nth) for name in RECORDED[scenario] for nth, how in enumerate(IN_TURN, 1)
    ]

    first = trial.run(read_s=HANG_S)

    assert first.code == 0, first
    assert all(one.struck for one in faults), "a call was not made"
    trial.check_between()
    trial.again()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_call_that_was_carried_out_without_an_answer_does_no_harm(scenario: str, project: Project) -> None:
    trial = Trial(project, scenario)
    for name in RECORDED[scenario]:
        project.cloud.fail(name, "drop-after")

    first = trial.run()

    assert first.code in {0, 1, 3}, first
    assert "Traceback" not in first.err, first
    trial.check_between()
    trial.again()


@pytest.mark.parametrize("scenario", ["second", "remove"])  # the others read the same
def test_reads_that_are_refused_lose_nothing(scenario: str, project: Project) -> None:
    trial = Trial(project, scenario)
    for name in RECORDED[scenario]:
        if is_read(name):
            fault = project.cloud.fail(name, "refuse")
            said = trial.run()
            assert said.code in {0, 1, 3}, said
            assert "Traceback" not in said.err, said
            trial.check_between()
            project.cloud.heal()
            if not fault.struck or said.code == 0:
                break  # it went through without; what is left is met by the other scenarios

    trial.again()


@pytest.mark.parametrize(("scenario", "operation"), REFUSED)
def test_a_refused_call_is_told_and_leaves_what_a_rerun_mends(scenario: str, operation: str, project: Project) -> None:
    trial = Trial(project, scenario)
    fault = project.cloud.fail(operation, "refuse")

    first = trial.run()

    assert fault.struck
    assert first.code in {0, 1, 3}, first
    assert "Traceback" not in first.err, first
    trial.check_between()
    trial.again()


@pytest.mark.parametrize(("scenario", "operation", "how", "nth"), KILLED)
def test_a_killed_process_leaves_what_a_rerun_mends(
    scenario: str, operation: str, how: Any, nth: int, project: Project
) -> None:
    trial = Trial(project, scenario)
    fault = project.cloud.fail(operation, how, nth=nth)

    running = project.start(*trial.arguments)
    fault.process = running.process
    first = running.ended()
    project.cloud.settle()

    assert first.code == -9, first
    trial.check_between()
    trial.again()


def _record() -> None:
    """Write calls.json."""
    import os
    import tempfile

    from aws_cloud.cloud import AwsCloud
    from aws_cloud.commands import Commands
    from aws_cloud.project import Project

    cloud, commands = AwsCloud(), Commands()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(cloud.env(folder))
        project = Project(cloud, commands, Path(folder))
        for scenario in SCENARIOS:
            trial = Trial(project, scenario, anew=True)
            ended = trial.run()
            assert ended.code == 0, ended
            found[scenario] = counted(project)
    CALLS.write_text(json.dumps(found, indent=2) + "\n")
    commands.close()
    cloud.close()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    _record()
