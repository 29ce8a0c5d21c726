"""uv's refusals -> the line that they are about, and the way out. The texts are uv's own, recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging import refusals
from bareboat.packaging.not_installed import not_installed
from bareboat.packaging.pins import Pin
from bareboat.packaging.requirements import RequirementRules, Requirements, read_requirements
from bareboat.packaging.resolve import Resolution
from bareboat.packaging.target import Target
from bareboat.packaging.uv import UvError

TARGET = Target("3.12", "x86_64")
ONLY_OLD_WHEELS = """\
error: No solution found when resolving dependencies
  cause: Because torch==1.0.0 has no wheels with a matching Python ABI tag (e.g., `cp312`) and you require \
torch==1.0.0, we can conclude that your requirements are unsatisfiable.

hint: You require CPython 3.12 (`cp312`), but we only found wheels for `torch` (v1.0.0) with the following Python ABI \
tags: `cp27m`, `cp27mu`, `cp35m`, `cp36m`, `cp37m`
"""
GIT = """\
error: Git operation failed
  cause: failed to fetch into: /root/.cache/uv/git-v2/db/9fb7982a0caa21ba
  cause: process didn't exit successfully: `/usr/bin/git fetch 'https://git.example/own'` (exit status: 128)
--- stderr
fatal: unable to access 'https://git.example/own/': Could not resolve host: git.example
"""
NO_PROJECT = """\
error: `{folder}` does not appear to be a Python project, as neither `pyproject.toml` nor `setup.py` are present in \
the directory
"""
GONE = """\
error: Failed to download `six @ https://files.example/six-1.0-py3-none-any.whl`
  cause: Failed to fetch: `https://files.example/six-1.0-py3-none-any.whl`
  cause: HTTP status client error (404 Not Found) for url (https://files.example/six-1.0-py3-none-any.whl)
"""
FULL = """\
error: Failed to install: tzdata-2026.6-py2.py3-none-any.whl (tzdata==2026.6)
  cause: failed to copy file from /a to /b: No space left on device (os error 28)
"""


def asking(folder: Path, line: str) -> Requirements:
    (folder / "requirements.txt").write_text(f"idna\n{line}\n")
    return read_requirements(folder, RequirementRules())


def test_wheels_for_old_pythons_only_are_no_contradiction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "_native_wheels", lambda *_: iter(()))
    monkeypatch.setattr(refusals, "newest_with_wheel", lambda *_: "2.15.0")
    monkeypatch.setattr(refusals, "other_runtimes", lambda *_: [])
    error = UvError("x", ONLY_OLD_WHEELS)
    requirements = asking(tmp_path, "torch==1.0.0")

    assert refusals.without_wheels(error) == [("torch", "1.0.0")]
    with pytest.raises(PackagingError) as caught:
        refusals.refuse_native("torch", "1.0.0", requirements, TARGET, error)

    text = str(caught.value)
    assert "requirements.txt:2: torch==1.0.0 has no wheel for python3.12 on linux x86_64" in text
    assert "there are wheels for cp27m, cp27mu, cp35m, cp36m, cp37m" in text
    assert "ask for torch==2.15.0" in text


@pytest.mark.parametrize(
    ("line", "said", "found", "fix"),
    [
        ("own @ git+https://git.example/own@main", GIT, "git cannot fetch https://git.example/own: fatal:", "git ls-"),
        ("-e .", NO_PROJECT, "is no Python project", "the files of the project ship as they are"),
        ("six @ https://files.example/six-1.0-py3-none-any.whl", GONE, "404 Not Found", "check the address"),
    ],
)
def test_a_refusal_is_told_with_its_line_and_a_way_out(
    tmp_path: Path, line: str, said: str, found: str, fix: str
) -> None:
    requirements = asking(tmp_path, line)

    (problem,) = refusals.explained(UvError("x", said.format(folder=tmp_path)), requirements, TARGET).problems

    assert found in problem.found
    assert fix in problem.fix
    assert problem.expected
    assert problem.where == f"{tmp_path / 'requirements.txt'}:2"


def test_a_disk_that_is_full_is_told_with_its_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path))
    pin = Pin("tzdata", "2026.6", "wheel", "tzdata-2026.6-py2.py3-none-any.whl", "a" * 64, "")

    text = str(not_installed(UvError("x", FULL), Resolution(TARGET, tmp_path, (pin,)), [pin]))

    assert f"{tmp_path / 'packs'}: packages cannot be installed: the disk is full" in text
    assert "BAREBOAT_CACHE_DIR" in text
