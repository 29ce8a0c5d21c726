"""The runtime client and boto3: installed once, and a clear word when they cannot be."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bareboat.errors import ConfigurationError, LocalError
from bareboat.local import invoke_local
from bareboat.local.runtime_client import runtime_client
from bareboat.packaging.interpreters import Interpreter, find_python
from bareboat.service.model import Provider, Service

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


def interpreter() -> Interpreter:
    found = find_python(RUNNING)
    assert found is not None
    return found


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_OFFLINE", "1")


def test_the_client_is_installed_once_with_valid_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path))

    folder = runtime_client(interpreter())
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    monkeypatch.setenv("UV_OFFLINE", "1")

    assert runtime_client(interpreter()) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert list(folder.glob("awslambdaric/__pycache__/bootstrap.*.pyc"))
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.usefixtures("no_network")
def test_without_a_network_the_error_names_the_way_out(functions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_RUNTIME_CLIENT", "aws")
    pool = functions.pool("def handler(event, context):\n    return 1\n")

    with pytest.raises(LocalError) as caught:
        functions.invoke(pool, b"{}")

    problem = caught.value.problems[0]
    assert f"runtime client for Python {RUNNING} cannot be installed" in problem.found
    assert "BAREBOAT_RUNTIME_CLIENT=own" in problem.fix


def test_a_cache_that_cannot_be_made_names_the_way_out(
    functions: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("BAREBOAT_RUNTIME_CLIENT", "aws")
    pool = functions.pool("def handler(event, context):\n    return 1\n")

    with pytest.raises(LocalError) as caught:
        functions.invoke(pool, b"{}")

    assert caught.value.problems[0].fix.startswith("set BAREBOAT_CACHE_DIR to such a folder")


@pytest.mark.usefixtures("client")
def test_half_a_surrogate_pair_in_an_answer_ends_the_process(functions: Any) -> None:
    if find_python("3.13") is None:
        pytest.skip("no Python 3.13 here")
    pool = functions.pool("def handler(event, context):\n    return '\\ud800'\n", python="3.13")  # 3.11 escapes it

    (invocation,) = functions.invoke(pool, b"{}")

    assert json.loads(invocation.payload)["errorType"] == "Runtime.ExitError"


@pytest.mark.usefixtures("no_network")
def test_without_a_network_a_function_that_may_need_boto3_runs_with_a_warning(
    functions: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BAREBOAT_RUNTIME_CLIENT", "own")
    pool = functions.pool("try:\n    import boto3\nexcept ImportError:\n    pass\ndef handler(e, c):\n    return 1\n")

    (invocation,) = functions.invoke(pool, b"{}")

    assert invocation.payload == b"1"
    assert "boto3, which Lambda's image has, cannot be installed" in caplog.text


def test_a_handler_that_imports_boto3_finds_it_though_no_requirement_names_it(functions: Any, client: str) -> None:
    pool = functions.pool("import boto3\ndef handler(event, context):\n    return boto3.__name__\n")

    (invocation,) = functions.invoke(pool, b"{}")

    assert json.loads(invocation.payload) == "boto3"


def test_the_boto3_of_the_artifact_goes_before_that_of_the_image(functions: Any, client: str) -> None:
    files = {
        "boto3/__init__.py": "mine = True\n",
        "handler.py": "import boto3\ndef handler(event, context):\n    return boto3.mine\n",
    }

    (invocation,) = functions.invoke(functions.pool(files), b"{}")

    assert json.loads(invocation.payload) is True


def test_a_pythonpath_of_the_functions_own_does_not_lose_the_client(functions: Any, client: str) -> None:
    files = {"extra/more.py": "x = 5\n", "handler.py": "import more\ndef handler(event, context):\n    return more.x\n"}
    pool = functions.pool(files, environment={"PYTHONPATH": "extra"})

    (invocation,) = functions.invoke(pool, b"{}")

    assert json.loads(invocation.payload) == 5


def service_of(pool: Any, folder: Path) -> Service:
    function = pool._function
    return Service(
        name="tests", path=folder / "serverless.yml", folder=folder, provider=Provider(), functions={"f": function}
    )


def test_invoke_local_runs_once_and_ends(functions: Any, client: str, tmp_path: Path) -> None:
    pool = functions.pool("def handler(event, context):\n    return event\n")

    invocation = invoke_local(service_of(pool, tmp_path), "f", pool._artifact, b"[1]", folder=pool._folder)

    assert invocation.payload == b"[1]"
    assert functions.living() == []


def test_invoke_local_names_the_functions_there_are(functions: Any, tmp_path: Path) -> None:
    pool = functions.pool("")

    with pytest.raises(ConfigurationError) as caught:
        invoke_local(service_of(pool, tmp_path), "g", pool._artifact, b"[1]")

    assert caught.value.problems[0].expected == "one of f"


def test_an_artifact_for_a_python_that_is_not_here_names_the_install_line(functions: Any) -> None:
    pool = functions.pool("", python="3.99")

    with pytest.raises(LocalError) as caught:
        functions.invoke(pool, b"{}")

    assert caught.value.problems[0].fix == "uv python install 3.99"
