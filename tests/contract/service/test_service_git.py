"""`${git:}` beside git itself."""

from __future__ import annotations

import subprocess

import pytest

from bareboat.errors import ConfigurationError
from bareboat.service import load_service

TEXT = "service: demo\nprovider: {name: aws, runtime: python3.13}\ncustom: {bareboat: {a: '${git:%s}'}}\n"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "a.txt").write_text("a")
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.invalid", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "trunk"], ["add", "a.txt"], [*identity, "commit", "-qm", "First"]):
        subprocess.run(["git", "-c", "core.hooksPath=/dev/null", *arguments], cwd=tmp_path, check=True, timeout=30)
    return tmp_path


def value(folder, name):
    (folder / "serverless.yml").write_text(TEXT % name)
    return load_service(folder, env={}).custom_bareboat["a"]


def test_git_facts_are_git_s_own(repository):
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()

    assert value(repository, "commit") == commit
    assert commit.startswith(value(repository, "sha1"))
    assert value(repository, "branch") == "trunk"
    assert value(repository, "message") == "First"
    assert value(repository, "isDirty") is True  # serverless.yml is not in it
    assert value(repository, "repository") == repository.name


def test_outside_a_repository_there_is_no_value(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(ConfigurationError, match=r"has no value"):
        value(tmp_path, "commit")
