"""Hosts and ports -> URLs, and the names that AWS would give."""

from __future__ import annotations

import hashlib
import ipaddress

from bareboat.service.model import Service


def api_id(service: Service, kind: str = "") -> str:
    """Return ten characters that name an API as AWS's ids do, the same for the same service and stage.

    Args:
        kind: "" for the HTTP API; anything else names another API of the same service.
    """
    name = f"{service.name}/{service.provider.stage}" + (f"/{kind}" if kind else "")
    digest = hashlib.sha256(name.encode()).digest()
    return "".join("abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36] for byte in digest[:10])


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def url_of(host: str, port: int) -> str:
    """Return where this machine reaches a server that listens on `host`: `http://127.0.0.1:3000`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - shown, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
