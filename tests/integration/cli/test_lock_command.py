"""`bareboat lock` as a person types it; `package` beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bareboat.cli.root import bareboat
from bareboat.cli.terminal import Terminal

Typed = Callable[..., Result]
WHEELS = "--find-links ./wheels\n--no-index\n"


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Path, load_file: Any) -> Typed:
    """Run a command in a project whose packages are two wheels beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    index = load_file(repository / "tests" / "integration" / "packaging" / "conftest.py")
    (tmp_path / "wheels").mkdir()
    for version in ("1.0", "2.0"):
        name, data = index.wheel("plain", version)
        (tmp_path / "wheels" / name).write_bytes(data)
    (tmp_path / "handler.py").write_text("def predict(event, context):\n    return 1\n")
    (tmp_path / "serverless.yml").write_text(
        "service: boats\nprovider: {name: aws, runtime: python3.13}\nfunctions:\n  f: {handler: handler.predict}\n"
        "package: {patterns: ['!wheels/**', '!uv/**', '!cache/**']}\n"
    )
    (tmp_path / "requirements.txt").write_text(f"{WHEELS}plain<2\n")
    return lambda *words: CliRunner().invoke(bareboat, list(words), standalone_mode=False, obj=Terminal())


def test_lock_writes_keeps_upgrades_and_checks(typed: Typed, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"bareboat\.lock: is not there"):
        raise typed("lock", "--check").exception or AssertionError
    first = typed("lock")
    (tmp_path / "requirements.txt").write_text(f"{WHEELS}plain\n")
    with pytest.raises(Exception, match=r"\+ plain, - plain<2"):
        raise typed("lock", "--check").exception or AssertionError
    kept = typed("lock")
    upgraded = json.loads(typed("--json", "lock", "--upgrade-package", "Plain").stdout)
    checked = typed("lock", "--check")

    assert "project  python3.13 x86_64         1  + plain 1.0" in first.stdout
    assert "bareboat.lock is written: commit it." in first.stderr
    assert "->" not in kept.stdout
    assert upgraded["changed"] == [
        {"where": "project on python3.13 x86_64", "name": "plain", "before": "1.0", "after": "2.0"}
    ]
    assert upgraded["environments"][0]["packages"][0]["file"] == "plain-2.0-py3-none-any.whl"
    assert "bareboat.lock is up to date." in checked.stderr
    assert 'path = "wheels/plain-2.0-py3-none-any.whl"' in (tmp_path / "bareboat.lock").read_text()


def test_package_tells_of_the_lock_and_holds_to_it(typed: Typed, tmp_path: Path) -> None:
    first = typed("package")
    (tmp_path / "requirements.txt").write_text(f"{WHEELS}plain>1\n")
    refused = typed("package", "--locked")
    renewed = typed("package")
    quiet = typed("package", "--locked")

    assert "bareboat.lock is written: commit it." in first.stderr
    assert "does not answer to requirements.txt: + plain>1, - plain<2" in str(refused.exception)
    assert "bareboat.lock is renewed: plain 1.0 -> 2.0" in renewed.stderr
    assert "bareboat.lock" not in quiet.stderr
    assert "unchanged" in quiet.stdout


def test_what_nothing_uses_is_told_and_pruned_on_request(typed: Typed, tmp_path: Path) -> None:
    typed("lock")
    text = (tmp_path / "serverless.yml").read_text()
    (tmp_path / "serverless.yml").write_text(text.replace("python3.13", "python3.12"))

    told = typed("lock")
    pruned = typed("lock", "--prune")

    assert "Nothing here uses project on python3.13 x86_64; bareboat lock --prune removes that." in told.stderr
    assert "Nothing here uses" not in pruned.stderr
    assert "python3.13" not in pruned.stdout


def test_layers_that_are_unchanged_are_used_all_the_same(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "deps.txt").write_text(f"{WHEELS}plain\n")
    text = (tmp_path / "serverless.yml").read_text()
    (tmp_path / "serverless.yml").write_text(
        text.replace("handler.predict}", "handler.predict, layers: [deps]}")
        + "layers: {deps: {requirements: deps.txt}}\n"
    )
    typed("lock")
    lock = (tmp_path / "bareboat.lock").read_text()

    told = typed("lock")
    typed("lock", "--prune")
    pruned = (tmp_path / "bareboat.lock").read_text()
    (tmp_path / "deps.txt").write_text(f"{WHEELS}plain<2\n")
    (tmp_path / "requirements.txt").write_text(f"{WHEELS}plain\n")
    renewed = typed("package")

    assert 'name = "layers.deps"' in lock
    assert pruned == lock
    assert "Nothing here uses" not in told.stderr
    assert "layers.deps on python3.13 x86_64: plain 2.0 -> 1.0; project+deps on python3.13" in renewed.stderr


@pytest.mark.parametrize(
    "words",
    [("lock", "--check", "--upgrade"), ("lock", "--prune", "-f", "f"), ("package", "--locked", "--upgrade")],
)
def test_flags_that_contradict_each_other_are_refused(typed: Typed, words: tuple[str, ...]) -> None:
    assert type(typed(*words).exception).__name__ == "UsageError"
