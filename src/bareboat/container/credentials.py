"""Who to be at a registry: what `docker login`, `podman login` and credential helpers have kept -> Credentials.

Looked at in this order, the first that knows the registry wins (containers-auth.json(5), Docker's config.json):

    $REGISTRY_AUTH_FILE                              podman, buildah, skopeo
    $XDG_RUNTIME_DIR/containers/auth.json            podman login
    ~/.config/containers/auth.json
    $DOCKER_CONFIG/config.json, ~/.docker/config.json

and for Amazon ECR, when none of them knows it, `aws ecr get-login-password`. Nothing here is ever printed or logged.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bareboat.container.reference import DOCKER_HUB
from bareboat.errors import ConfigurationError, RemoteError

DOCKER_HUB_KEY = "https://index.docker.io/v1/"  # what Docker calls its own registry in config.json
_PATIENCE_S = 60.0
_ECR = re.compile(r"\d+\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_NOTHING_KEPT = ("credentials not found", "no credentials server url", "no credentials username")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password, or a token that stands for both (what an OAuth login leaves)."""

    user: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)


def find_credentials(
    registry: str, repository: str = "", *, environ: Mapping[str, str] | None = None
) -> Credentials | None:
    """Return the credentials that this user has for a registry, None when there are none.

    Args:
        registry: as in a reference: `docker.io`, `localhost:5000`.
        repository: some keep other credentials for other paths of one registry.
    Raises:
        ConfigurationError: a file of credentials cannot be read.
        RemoteError: a credential helper failed.
    """
    environ = os.environ if environ is None else environ
    for path in _files(environ):
        document = _read(path)
        if document is None:
            continue
        found = _from_document(document, registry, repository, path, environ)
        if found is not None:
            return found
    region = _ECR.fullmatch(registry)
    return _ecr_password(region[1], environ) if region is not None else None


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
    home = Path(environ.get("HOME") or Path.home())
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"
    elif hasattr(os, "getuid"):
        yield Path(f"/run/containers/{os.getuid()}/auth.json")
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"
    yield Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is no JSON"
        raise ConfigurationError(
            f"the credentials of registries cannot be read: {reason}",
            expected="what `docker login` or `podman login` writes",
            fix="mend or remove the file, and log in again",
            where=str(path),
        ) from error
    return document if isinstance(document, dict) else None


def _from_document(
    document: dict[str, Any], registry: str, repository: str, path: Path, environ: Mapping[str, str]
) -> Credentials | None:
    helpers = _mapping(document, "credHelpers")
    for key in _keys(registry, repository):
        if helpers.get(key):
            return _ask_helper(str(helpers[key]), key, environ)
    if document.get("credsStore"):
        server = DOCKER_HUB_KEY if registry == DOCKER_HUB else registry
        found = _ask_helper(str(document["credsStore"]), server, environ)
        if found is not None:
            return found
    auths = {_plain(key): entry for key, entry in _mapping(document, "auths").items()}
    for key in _keys(registry, repository):
        if isinstance(auths.get(key), dict):
            found = _from_entry(auths[key], path, key)
            if found is not None:
                return found
    return None


def _keys(registry: str, repository: str) -> Iterator[str]:
    """Yield what credentials may be filed under, the narrowest first: `host/a/b`, `host/a`, `host`."""
    parts = repository.split("/") if repository else []
    for length in range(len(parts), 0, -1):
        yield "/".join((registry, *parts[:length]))
    yield registry
    if registry == DOCKER_HUB:
        yield from (DOCKER_HUB_KEY, "index.docker.io", "registry-1.docker.io")


def _plain(key: str) -> str:
    """Take off what Docker writes round a host: `https://index.docker.io/v1/` is `index.docker.io`."""
    return re.sub(r"/v[12]$", "", re.sub(r"^https?://", "", key).rstrip("/"))


def _from_entry(entry: dict[str, Any], path: Path, key: str) -> Credentials | None:
    token = str(entry.get("identitytoken") or "")
    if entry.get("auth"):
        try:
            user, colon, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            raise ConfigurationError(
                f"the credentials of {key} are damaged",
                expected="the base64 text of USER:PASSWORD in `auth`",
                fix=f"docker login {key}, or podman login {key}",
                where=str(path),
            )
        return Credentials(user, password.rstrip("\0"), token)
    if entry.get("username") and entry.get("password"):
        return Credentials(str(entry["username"]), str(entry["password"]), token)
    return Credentials("", "", token) if token else None


def _ask_helper(helper: str, server: str, environ: Mapping[str, str]) -> Credentials | None:
    """Ask `docker-credential-HELPER get` (docker/docker-credential-helpers: the server on stdin, JSON on stdout)."""
    program = f"docker-credential-{helper}"
    if shutil.which(program, path=environ.get("PATH")) is None:
        raise ConfigurationError(
            f"the credentials of {server} are kept by {program}, which is not there",
            expected=f"{program} on PATH",
            fix=f"install it, or log in to {server} without it",
        )
    ended = _run([program, "get"], environ, server)
    if ended.returncode:
        said = (ended.stdout + ended.stderr).decode(errors="replace").strip()
        if any(words in said.lower() for words in _NOTHING_KEPT):
            return None
        raise RemoteError(
            f"{program} does not give the credentials of {server}: {said[-300:] or 'it says nothing'}",
            fix=f"log in to {server} again",
        )
    try:
        answer = json.loads(ended.stdout)
        user, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        raise RemoteError(
            f"{program} answered with something else than credentials", expected='{"Username": ..., "Secret": ...}'
        ) from error
    return Credentials("", "", secret) if user == "<token>" else Credentials(user, secret)


def _ecr_password(region: str, environ: Mapping[str, str]) -> Credentials | None:
    """Have AWS's own command line make a password for Amazon ECR; it is good for 12 hours."""
    if shutil.which("aws", path=environ.get("PATH")) is None:
        raise ConfigurationError(
            "nobody here can log in to Amazon ECR",
            expected="credentials in config.json, docker-credential-ecr-login, or AWS's command line",
            fix='install amazon-ecr-credential-helper and put "credHelpers" in ~/.docker/config.json, or install aws',
        )
    ended = _run(["aws", "ecr", "get-login-password", "--region", region], environ)
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip()
        raise RemoteError(f"aws gives no password for Amazon ECR: {said[-300:]}", fix="aws sts get-caller-identity")
    return Credentials("AWS", ended.stdout.decode().strip())


def _run(command: list[str], environ: Mapping[str, str], text: str = "") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command, input=text.encode(), capture_output=True, check=False, timeout=_PATIENCE_S, env=dict(environ)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RemoteError(f"{command[0]} does not answer: {error}", expected="an answer within 60 s") from error


def _mapping(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}
