"""A registry's answer that is no success -> what it means, in plain words."""

from __future__ import annotations

import json
from typing import Any

from bareboat.container.transport import Lost, Response, read_text
from bareboat.errors import RemoteError


class Missing(RemoteError):  # noqa: N818 - a fact that is often an answer
    """The registry has no such repository, tag, manifest or blob."""


def refusal(host: str, response: Response, doing: str, *, has_credentials: bool) -> RemoteError:
    """Say what an answer means.

    Args:
        doing: what was asked for: "pushing app:1".
        has_credentials: whether we said who we are.
    """
    try:
        data = read_text(response, 1 << 16)
    except Lost:
        data = b""
    codes = error_codes(data)
    names = {code for code, _ in codes}
    said = "; ".join(dict.fromkeys(message or code for code, message in codes if message or code))
    status = response.status
    if status == 401:
        return refused_login(host, has_credentials)
    if status == 403 or "DENIED" in names:
        return RemoteError(
            f"{host} does not allow {doing}{_because(said)}",
            fix="ask who runs the registry for the right, or log in as somebody who has it",
        )
    if status == 405 or "UNSUPPORTED" in names:
        return RemoteError(
            f"{host} does not take {doing}{_because(said)}",
            expected="a registry that can be written to",
            fix="is it a read-only mirror?",
        )
    if status == 429 or "TOOMANYREQUESTS" in names:
        return RemoteError(
            f"{host} has had too many requests, {doing}{_because(said)}", fix="log in, which raises the limit, or wait"
        )
    if not codes and "html" in response.headers.get("Content-Type", ""):
        return a_page(host, status, doing)
    if status == 404:
        return Missing(f"{host} has no such thing, {doing}{_because(said)}")
    return RemoteError(f"{host} answers {status}, {doing}{_because(said)}")


def a_page(host: str, status: int, doing: str) -> RemoteError:
    """Say that a web server answered, and no registry."""
    return RemoteError(
        f"{host} answers {status} with a page for people, {doing}",
        expected="a registry: an address that answers /v2/ as the distribution API says",
        fix="look at the host and the port; a proxy that asks for a login answers so too",
    )


def refused_login(registry: str, has_credentials: bool) -> RemoteError:
    """Say that a registry does not let us in."""
    if has_credentials:
        return RemoteError(
            f"{registry} does not take the credentials that are kept for it",
            fix=f"log in again: docker login {registry}, or podman login {registry}",
        )
    return RemoteError(
        f"{registry} wants to know who you are",
        expected="credentials in ~/.docker/config.json, in $REGISTRY_AUTH_FILE, or of a credential helper",
        fix=f"docker login {registry}, or podman login {registry}",
    )


def error_codes(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return the (code, message) pairs of a registry's error document; none where it is something else."""
    try:
        document: Any = json.loads(data)
        return tuple((str(one.get("code", "")), str(one.get("message", ""))) for one in document["errors"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def _because(said: str) -> str:
    return f": {said}" if said else ""
