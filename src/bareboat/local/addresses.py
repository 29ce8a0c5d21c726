"""Hosts and ports -> URLs, Host headers -> names, and the names that AWS would give."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.service.model import Service

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"  # of AWS's ids
REST_APIS = "/restapis"  # where API Gateway's own API begins, on the port of Lambda's
_HOST = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::\d*)?")  # RFC 3986, section 3.2.2


def api_id(service: Service, kind: str = "") -> str:
    """Return ten characters that name an API as AWS's ids do, the same for the same service and stage.

    Args:
        kind: "" for the HTTP API; anything else names another API of the same service.
    """
    name = f"{service.name}/{service.provider.stage}" + (f"/{kind}" if kind else "")
    return digest_id(name, 10)


def digest_id(name: str, length: int, letters: str = LETTERS) -> str:
    """Return an id of at most 32 characters that looks as AWS's do and is the same for the same name."""
    digest = hashlib.sha256(name.encode()).digest()
    return "".join(letters[byte % len(letters)] for byte in digest[:length])


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_loopback_name(host: str) -> bool:
    """Return whether a name without a port stands for this machine alone: an address of it, or `localhost`.

    Browsers resolve `localhost` and the names below it themselves (RFC 6761, section 6.3), so no page can own them.
    """
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """Return a Host header without its port; "" when it is none."""
    found = _HOST.fullmatch(host)
    return found[1] if found else ""


@lru_cache(maxsize=64)
def domain_name(host: str) -> str:
    """Return a Host header without its port, as events have it; what is no host stays as it is."""
    return host_name(host) or host


def url_of(host: str, port: int) -> str:
    """Return where this machine reaches a server that listens on `host`: `http://127.0.0.1:3000`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - shown, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
