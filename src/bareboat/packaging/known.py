"""Files that this process has written or checked: not read again while the system says that nobody has changed them."""

from __future__ import annotations

import os
from pathlib import Path

_MOST = 1000

Stamp = tuple[int, int, int, int, int]

_known: dict[str, tuple[Stamp, str]] = {}


def stamp(path: str | Path) -> Stamp | None:
    """Return what changes with any change of a file; None where there is none."""
    try:
        said = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return said.st_dev, said.st_ino, said.st_size, said.st_mtime_ns, said.st_ctime_ns


def know(path: str | Path, content: str, at: Stamp | None) -> None:
    """Remember what a file holds.

    Args:
        content: such as a digest, to ask for it again.
        at: its stamp from before it was read, or after it was written.
    """
    if at is None:
        return
    if len(_known) >= _MOST:
        _known.clear()
    _known[str(path)] = at, content


def is_known(path: str | Path, content: str) -> bool:
    """Return whether a file is known to hold that."""
    known = _known.get(str(path))
    return known is not None and known[1] == content and known[0] == stamp(path)
