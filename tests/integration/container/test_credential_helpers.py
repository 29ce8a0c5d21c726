"""Programs that keep credentials, by the protocol of docker/docker-credential-helpers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bareboat.container.credentials import find_credentials
from bareboat.errors import RemoteError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    return {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}


def program(folder: Path, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def configure(folder: Path, document: object) -> None:
    (folder / ".docker").mkdir()
    (folder / ".docker" / "config.json").write_text(json.dumps(document))


def test_the_helper_of_a_registry_is_asked_for_it(tmp_path: Path, environ: dict[str, str]) -> None:
    configure(tmp_path, {"credHelpers": {"reg.example": "test"}, "credsStore": "never"})
    script = 'read server; [ "$1" = get ] && echo "{\\"Username\\": \\"me at $server\\", \\"Secret\\": \\"word\\"}"'
    program(tmp_path, "docker-credential-test", script)

    found = find_credentials("reg.example", environ=environ)

    assert found is not None
    assert (found.user, found.password) == ("me at reg.example", "word")


def test_the_store_of_all_is_asked_for_docker_hub_by_its_old_name(tmp_path: Path, environ: dict[str, str]) -> None:
    configure(tmp_path, {"credsStore": "test"})
    program(tmp_path, "docker-credential-test", 'read s; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"$s\\"}"')

    found = find_credentials("docker.io", environ=environ)

    assert found is not None
    assert found.identity_token == "https://index.docker.io/v1/"


def test_a_store_that_knows_nothing_leaves_it_to_the_next(tmp_path: Path, environ: dict[str, str]) -> None:
    configure(tmp_path, {"credsStore": "test", "auths": {"reg.example": {"auth": "bWU6d29yZA=="}}})
    program(tmp_path, "docker-credential-test", "echo credentials not found in native keychain; exit 1")

    found = find_credentials("reg.example", environ=environ)

    assert found is not None
    assert found.user == "me"


def test_a_helper_that_fails_is_told_in_its_own_words(tmp_path: Path, environ: dict[str, str]) -> None:
    configure(tmp_path, {"credHelpers": {"reg.example": "test"}})
    program(tmp_path, "docker-credential-test", "echo the keychain is locked >&2; exit 2")

    with pytest.raises(RemoteError, match=r"does not give the credentials of reg\.example: the keychain is locked"):
        find_credentials("reg.example", environ=environ)


def test_amazon_ecr_gets_a_password_of_awss_command_line(tmp_path: Path, environ: dict[str, str]) -> None:
    program(tmp_path, "aws", 'echo "$*" > "$HOME/asked"; echo a-password')

    found = find_credentials("123456789012.dkr.ecr.eu-west-1.amazonaws.com", environ=environ)

    assert found is not None
    assert (found.user, found.password) == ("AWS", "a-password")
    assert (tmp_path / "asked").read_text() == "ecr get-login-password --region eu-west-1\n"
