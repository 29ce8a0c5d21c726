"""The built page: its files by path, each with type, tag and how long it may be kept."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_PAGE = "index.html"


class Asset(NamedTuple):
    """One file of the page."""

    body: bytes
    kind: str
    etag: str
    keeping: str


def load_assets() -> dict[str, Asset]:
    """Return the files by their path below /_bareboat/; the page itself is ""."""
    found: dict[str, Asset] = {}
    for entry in files("bareboat.local.console").joinpath("static").iterdir():
        kind = _TYPES.get(entry.name.rpartition(".")[2])
        if kind is None or not entry.is_file():
            continue
        body = entry.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        # the names of scripts and styles hold the digest of what they are
        keeping = "max-age=31536000, immutable" if entry.name.endswith((".js", ".css")) else "no-cache"
        found["" if entry.name == _PAGE else f"static/{entry.name}"] = Asset(body, kind, etag, keeping)
    return found
