from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bareboat.aws.doctor import machine
from bareboat.aws.doctor.machine import Check, check_machine
from bareboat.service import load_service


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def checks(*args: Any) -> dict[str, Check]:
    return {one.name: one for one in check_machine(*args)}


def test_this_machine_has_what_the_tests_need() -> None:
    found = checks()

    assert {name: found[name].state for name in ("bareboat", "uv", "boto3")} == dict.fromkeys(
        ("bareboat", "uv", "boto3"), "ok"
    )
    assert "cache" in found


def test_only_the_runtimes_of_the_service_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "handler.py").touch()
    (tmp_path / "serverless.yml").write_text(
        "service: own\nprovider: {name: aws, runtime: python3.7}\n"
        "functions: {a: {handler: handler.f}, b: {handler: handler.f, runtime: python3.14}}\n"
    )
    monkeypatch.setattr(machine, "find_python", lambda _: None)

    found = checks(load_service(tmp_path, env={}))

    assert "python3.12" not in found
    assert (found["python3.14"].state, found["python3.14"].fix) == ("note", "uv python install 3.14")
    assert "cannot be deployed" in found["python3.7"].found


def test_a_full_disk_stops_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000_000))

    found = checks()

    assert (found["cache"].state, found["cache"].fix) == ("missing", "make room, or set BAREBOAT_CACHE_DIR")


def test_an_endpoint_that_stands_for_aws_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    assert checks()["AWS_ENDPOINT_URL"].found == "http://127.0.0.1:1 stands for all of AWS"
