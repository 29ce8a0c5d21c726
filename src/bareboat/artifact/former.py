"""An unpacked folder -> files of the next one that need not be unpacked again: those that its packages brought before.

They are hard links. The project's own files are written anew each time, since a function may write into those.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from bareboat.artifact.held import hold, release
from bareboat.artifact.model import MANIFEST

DATE_S = 315_532_800  # 1980-01-01 00:00 UTC, the date of all members of archives
_DATE_NS = DATE_S * 1_000_000_000


def as_unpacked(path: str, size: int) -> bool:
    """Return whether a file is still the one that was unpacked: whoever writes into one changes its date."""
    try:
        said = os.lstat(path)
    except OSError:
        return False
    return said.st_size == size and said.st_mtime_ns == _DATE_NS and stat.S_ISREG(said.st_mode)


def link_unchanged(manifest: Mapping[str, Any], folder: Path, below: Path) -> frozenset[str]:
    """Link what an archive's packages brought before into `folder`; return the paths that are there now.

    Args:
        manifest: the archive's.
        below: the folder of unpacked folders.
    """
    is_brought = _brought(manifest)
    wanted = {path: said for path, said in manifest.get("files", {}).items() if is_brought(path)}
    if not wanted:
        return frozenset()
    for former in newest_folders(below):
        if former.name.startswith("opt-") or not hold(former):
            continue
        try:
            before = _read(former)
            if before is not None and before.get("functions") == manifest.get("functions"):
                return _linked(wanted, before.get("files", {}), former, folder)
        finally:
            release(former)
    return frozenset()


def _linked(wanted: Mapping[str, Any], before: Mapping[str, Any], former: Path, folder: Path) -> frozenset[str]:
    same = [path for path, said in wanted.items() if before.get(path) == said]
    for parent in sorted({path.rpartition("/")[0] for path in same}):
        os.makedirs(f"{folder}/{parent}", exist_ok=True)  # noqa: PTH103 - thousands of files
    linked = set()
    for path in same:
        source = f"{former}/{path}"
        if as_unpacked(source, wanted[path]["size"]):
            with suppress(OSError):  # a file system without links, or with too many of one file
                os.link(source, f"{folder}/{path}")
                linked.add(path)
    return frozenset(linked)


def _brought(manifest: Mapping[str, Any]) -> Callable[[str], bool]:
    """Return what tells whether a package brought a path."""
    roots = {root for size in manifest.get("sizes", ()) if size["version"] for root in size["roots"]}

    def is_brought(path: str) -> bool:
        while path:
            if path in roots:
                return True
            path = path.rpartition("/")[0]
        return False

    return is_brought


def newest_folders(below: Path) -> list[Path]:
    """Return the unpacked folders, the last one that was used first."""
    found = []
    with suppress(OSError):
        for entry in below.iterdir():
            with suppress(OSError):  # another process tidies too
                if entry.is_dir() and not entry.name.startswith("."):
                    found.append((entry.stat().st_mtime, entry))
    return [path for _, path in sorted(found, reverse=True)]


def _read(folder: Path) -> dict[str, Any] | None:
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
        manifest = msgspec.json.decode(data, type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return None
    return manifest if as_unpacked(str(path), len(data)) else None
