"""Paths of an unpacked artifact in a text -> those of the project that it was made of."""

from __future__ import annotations

import re
from pathlib import Path

MARK = "/.bareboat/unpacked/"
_UNPACKED = re.compile(r"(?P<folder>/[^\n\"']*?)/\.bareboat/unpacked/[0-9a-f]{32}/(?P<file>[^\n\"':,()]+)")


def own_paths(text: str) -> str:
    """Return a text whose tracebacks name the project's own files, where it has them; packages stay where they are."""
    return _UNPACKED.sub(_own, text) if MARK in text else text


def _own(found: re.Match[str]) -> str:
    path = Path(found["folder"], found["file"])
    return str(path) if path.is_file() else found[0]
