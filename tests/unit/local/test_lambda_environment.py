"""What a function is given of the user's environment, and what not."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact.environment import environment, log_stream
from bareboat.artifact.image_packages import mentions_boto3
from bareboat.errors import LocalError
from bareboat.local import ids
from bareboat.local.faults import exit_reason, timeout_reason
from bareboat.local.runtime_client import client_kind
from bareboat.service.model import Function, Place


def made(user: dict[str, str], **fields: Any) -> dict[str, str]:
    function = Function(
        name="f", full_name="s-dev-f", where=Place("serverless.yml", 1, 1), runtime="python3.13", python="3.13",
        architecture="arm64", handler="h.f", **fields,
    )  # fmt: skip
    return environment(
        function,
        handler="h.f",
        task_root=Path("/task"),
        runtime_dir=Path("/runtime"),
        python_path=[Path("/runtime"), Path("/boto3")],
        python=Path("/python/bin/python3.13"),
        region="eu-west-1",
        user=user,
    )


def test_nothing_of_the_users_environment_is_handed_on_but_credentials_and_endpoints() -> None:
    user = {
        "HOME": "/home/me", "PATH": "/mine", "PYTHONPATH": "/mine", "LD_PRELOAD": "x", "VIRTUAL_ENV": "v",
        "AWS_PROFILE": "mine", "AWS_REGION": "us-west-2", "AWS_LAMBDA_MAX_CONCURRENCY": "4", "MY_SECRET": "s",
        "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "SECRET", "AWS_SESSION_TOKEN": "",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5000", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:5001",
    }  # fmt: skip

    found, without = made(user), made({})

    assert set(found) - set(without) == {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
    }  # fmt: skip
    assert {name: found[name] for name in without} == without
    assert found["AWS_REGION"] == "eu-west-1"


def test_the_functions_own_variables_win() -> None:
    found = made({}, environment={"TZ": "Europe/Berlin", "MODEL": "m", "PYTHONPATH": "/task/lib"})

    assert (found["TZ"], found["MODEL"], found["PYTHONPATH"]) == ("Europe/Berlin", "m", "/task/lib")


def test_libraries_are_looked_for_in_the_artifact() -> None:
    assert made({})["LD_LIBRARY_PATH"] == "/task:/task/lib"


def test_ids_have_the_form_of_lambdas() -> None:
    uuid4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

    assert all(re.fullmatch(uuid4, ids.request_id()) for _ in range(100))
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", ids.trace_id())
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", log_stream())


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "Runtime exited without providing a reason"),
        (127, "Runtime exited with error: exit status 127"),
        (-signal.SIGKILL, "Runtime exited with error: signal: killed"),
        (-signal.SIGSEGV, "Runtime exited with error: signal: segmentation fault"),
        (-60, "Runtime exited with error: signal: signal 60"),
    ],
)
def test_an_exit_is_told_in_lambdas_words(status: int, words: str) -> None:
    assert exit_reason(status) == words


def test_a_timeout_is_told_with_two_decimals() -> None:
    assert timeout_reason(30) == "Task timed out after 30.00 seconds"


def test_a_runtime_client_that_does_not_exist_is_an_error_to_act_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_RUNTIME_CLIENT", "java")

    with pytest.raises(LocalError) as caught:
        client_kind()

    assert caught.value.problems[0].expected == "aws or own"


def test_boto3_is_needed_when_a_file_speaks_of_it_and_the_answer_is_remembered(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "a.py").write_text("import json\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.py").write_text("def f():\n    import boto3\n")

    assert not mentions_boto3(folder)
    assert mentions_boto3(tmp_path / "other")
    (folder / "package" / "a.py").write_text("import boto3\n")
    assert not mentions_boto3(folder)
