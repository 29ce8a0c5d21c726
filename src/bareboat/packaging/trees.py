"""Installed packages -> folders in the cache beside their packs, which runs link their files from.

A pack's members are compressed; to lay a whole artifact out of them takes seconds, to link files takes a tenth. Nothing
that ships is made of these files, and none is a link to uv's cache: what runs may write to them, if it runs as root.
Each is read-only and of one date, so that one which was written to is known, and left alone.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bareboat.packaging.install import Installed
from bareboat.packaging.packs import Member, Pack

ORIGINALS = ".originals"
"""Suffix of the pack, beside KEY.pack, with what slimming took away or changed."""

_DATE = 315_532_800  # 1980-01-01, as of files in archives

TREE = ".tree"
"""Suffix of the folder beside KEY.pack."""


def keep_tree(installed: Installed, pack: Path, scratch: Path) -> None:
    """Keep a package's files as they were installed, beside its pack. That it cannot be done is no error.

    Args:
        installed: files that are nobody else's.
        scratch: a folder on the same file system.
    """
    folder, part = pack.with_suffix(TREE), scratch / f"{pack.stem}{TREE}"
    if folder.exists():
        return
    try:
        for parent in sorted({(part / path).parent for path, _ in installed.files} | {part}):
            parent.mkdir(parents=True, exist_ok=True)
        for path, place in installed.files:
            place.chmod(place.stat().st_mode & (0o555 if os.name == "posix" else 0o777))
            os.utime(place, (_DATE, _DATE))
            os.link(place, part / path)
        part.rename(folder)
    except OSError:  # no links on this file system, or another build was quicker
        shutil.rmtree(part, ignore_errors=True)


class Trees:
    """Finds members of packs among the kept trees."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, frozenset[str]] | None] = {}

    def find(self, member: Member, pack: Pack) -> str | None:
        """Return the path of a file with just the member's bytes, None when there is none."""
        if pack.file not in self._known:
            self._known[pack.file] = _tree(pack)
        known = self._known[pack.file]
        if known is None or member.path in known[1]:
            return None
        path = f"{known[0]}{os.sep}{member.path}"
        try:
            about = os.stat(path)  # noqa: PTH116 - thousands
        except OSError:
            return None
        return path if (about.st_size, about.st_mtime) == (member.size, _DATE) else None


def _tree(pack: Pack) -> tuple[str, frozenset[str]] | None:
    """Return the tree beside a pack, and the paths that the pack has otherwise."""
    folder = Path(pack.file).with_suffix(TREE)
    if not pack.version or not folder.is_dir():
        return None
    if Path(pack.file).suffix == ORIGINALS:
        return str(folder), frozenset()
    return str(folder), frozenset(path for removed in pack.removed for path in removed.paths)
