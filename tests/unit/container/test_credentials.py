from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from bareboat.container.credentials import find_credentials
from bareboat.errors import ConfigurationError


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run"), "PATH": str(tmp_path / "bin")}


def keep(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("localhost:5000", "localhost:5000"),
        ("https://registry.example", "registry.example"),
        ("http://registry.example/v2/", "registry.example"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
    ],
)
def test_docker_logins_are_found_under_each_name_that_docker_gives_them(tmp_path, environ, key, registry):
    keep(tmp_path / ".docker" / "config.json", {"auths": {"other.example": auth("x", "y"), key: auth("me", "a:b")}})

    found = find_credentials(registry, environ=environ)

    assert found is not None
    assert (found.user, found.password) == ("me", "a:b")


def test_the_narrowest_path_wins(tmp_path, environ):
    auths = {"reg.example": auth("all", "1"), "reg.example/team": auth("team", "2")}
    keep(tmp_path / ".config" / "containers" / "auth.json", {"auths": auths})

    users = [find_credentials("reg.example", path, environ=environ).user for path in ("team/app", "teams/app", "")]

    assert users == ["team", "all", "all"]


def test_files_are_looked_at_in_the_order_of_podman_then_docker(tmp_path, environ):
    places = [
        tmp_path / "named.json",
        tmp_path / "run" / "containers" / "auth.json",
        tmp_path / ".config" / "containers" / "auth.json",
        tmp_path / ".docker" / "config.json",
    ]
    environ["REGISTRY_AUTH_FILE"] = str(places[0])
    for number, place in enumerate(places):
        keep(place, {"auths": {"reg.example": auth(f"user{number}", "x")}})
    users = []

    for place in places:
        users.append(find_credentials("reg.example", environ=environ).user)
        place.unlink()

    assert users == ["user0", "user1", "user2", "user3"]
    assert find_credentials("reg.example", environ=environ) is None


def test_docker_config_names_another_folder(tmp_path, environ):
    keep(tmp_path / "elsewhere" / "config.json", {"auths": {"reg.example": auth("me", "x")}})

    found = find_credentials("reg.example", environ={**environ, "DOCKER_CONFIG": str(tmp_path / "elsewhere")})

    assert found.user == "me"


def test_an_identity_token_stands_for_a_password(tmp_path, environ):
    keep(tmp_path / ".docker" / "config.json", {"auths": {"reg.example": {"identitytoken": "abc"}}})

    assert find_credentials("reg.example", environ=environ).identity_token == "abc"


def test_secrets_are_in_no_repr(tmp_path, environ):
    keep(tmp_path / ".docker" / "config.json", {"auths": {"r.example": {**auth("me", "word"), "identitytoken": "abc"}}})

    shown = repr(find_credentials("r.example", environ=environ))

    assert "me" in shown
    assert "word" not in shown
    assert "abc" not in shown


def test_a_login_without_credentials_is_none(tmp_path, environ):
    keep(tmp_path / ".docker" / "config.json", {"auths": {"reg.example": {}}, "HttpHeaders": {}})

    assert find_credentials("reg.example", environ=environ) is None


@pytest.mark.parametrize("text", ["{", "\xff", '{"auths": {"reg.example": {"auth": "not base64"}}}'])
def test_a_damaged_file_is_told_with_its_place(tmp_path, environ, text):
    path = keep(tmp_path / ".docker" / "config.json", {})
    path.write_text(text, encoding="latin-1")

    with pytest.raises(ConfigurationError) as caught:
        find_credentials("reg.example", environ=environ)

    assert str(path) in str(caught.value)
    assert "not base64" not in str(caught.value)


def test_a_helper_that_is_not_there_is_named(tmp_path, environ):
    keep(tmp_path / ".docker" / "config.json", {"credHelpers": {"reg.example": "gone"}})

    with pytest.raises(ConfigurationError, match="docker-credential-gone, which is not there"):
        find_credentials("reg.example", environ=environ)


def test_amazon_ecr_without_any_way_in_is_told(environ):
    with pytest.raises(ConfigurationError, match="nobody here can log in to Amazon ECR"):
        find_credentials("123456789012.dkr.ecr.eu-west-1.amazonaws.com", environ=environ)
