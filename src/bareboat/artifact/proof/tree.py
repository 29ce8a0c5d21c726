"""Members of packs -> folders as Lambda unpacks them, for runs: the whole one, the slimmed one, and trials between.

Files and folders are read-only, as those of /var/task are. What writes all the same (root may) writes into no file that
ships or that is uv's: files are linked to each other and to those of `Trees`, which are there for runs alone.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bareboat.packaging.bytecode import bytecode_path
from bareboat.packaging.cache import cannot_write
from bareboat.packaging.packs import Member, Pack, PackReader
from bareboat.packaging.trees import Trees

_POSIX = os.name == "posix"  # elsewhere a file that is read-only cannot be removed
_PIECE = 1 << 20

Members = Mapping[str, tuple[Member, Pack]]


def lay_out(
    folder: Path, members: Members, *, beside: Path | None = None, there: Members | None = None, read_only: bool = True
) -> None:
    """Write members into a new folder.

    Args:
        beside, there: a folder that was laid out before and its members: what is equal is linked, not written again.
        read_only: whether nothing can be added to its folders, but by root.
    Raises:
        PackagingError: the disk is full, or a pack went away.
    """
    known = there or {}
    home, near = str(folder) + os.sep, "" if beside is None else str(beside) + os.sep
    try:
        parents = _folders(members)
        for parent in parents:
            os.mkdir(home + parent)  # noqa: PTH102 - thousands of paths
        fresh = []
        trees = Trees()
        for path, (member, pack) in members.items():
            same = known.get(path)
            source = near + path if near and same is not None and same[0].sha256 == member.sha256 else None
            source = source or trees.find(member, pack)
            if source is None:
                fresh.append((member, pack))
            else:
                _link(source, home + path)
        _extract(folder, fresh)
        for parent in parents if read_only and _POSIX else ():
            os.chmod(home + parent, 0o555)  # noqa: PTH101, S103
    except OSError as error:
        raise cannot_write(folder, error) from error


def _folders(paths: Iterable[str]) -> list[str]:
    """Return all folders of paths, "" first and each before what is in it."""
    found = {""}
    for path in paths:
        parent = os.path.dirname(path)  # noqa: PTH120
        while parent not in found:
            found.add(parent)
            parent = os.path.dirname(parent)  # noqa: PTH120
    return sorted(found)


class Trial:
    """A slimmed folder into which files are put back and taken out again.

    Args:
        whole, slimmed: folders with what is put in, and their members.
        python: the version that bytecode is for.
    """

    def __init__(self, folder: Path, whole: tuple[Path, Members], slimmed: tuple[Path, Members], python: str) -> None:
        self.folder = folder
        self._whole = whole
        self._slimmed = slimmed
        self._python = python
        self._restored: frozenset[str] = frozenset()
        lay_out(folder, slimmed[1], beside=slimmed[0], there=slimmed[1], read_only=False)

    def restore(self, paths: Iterable[str]) -> None:
        """Have just these paths as they were before slimming.

        Raises:
            PackagingError: the disk is full.
        """
        wanted = frozenset(paths)
        for path in self._restored ^ wanted:
            home, members = self._whole if path in wanted else self._slimmed
            for each in (path, bytecode_path(path, self._python)) if path.endswith(".py") else (path,):
                self._put(each, home if each in members else None)
        self._restored = wanted

    def _put(self, path: str, home: Path | None) -> None:
        place = self.folder / path
        try:
            place.unlink(missing_ok=True)
            if home is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                _link(home / path, place)
        except OSError as error:
            raise cannot_write(place, error) from error


def _link(source: Path | str, target: Path | str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def _extract(folder: Path, members: Sequence[tuple[Member, Pack]]) -> None:
    workers = min(4, os.cpu_count() or 1)
    ordered = sorted(members, key=lambda entry: -entry[0].size)  # the large ones first, to end together
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(lambda share: _extract_some(folder, share), [ordered[n::workers] for n in range(workers)]))


def _extract_some(folder: Path, members: Sequence[tuple[Member, Pack]]) -> None:
    with PackReader() as packs:
        for member, pack in members:
            mode = (0o755 if member.executable else 0o644) & (0o555 if _POSIX else 0o777)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            with open(os.open(folder / member.path, flags, mode), "wb") as file:  # noqa: PTH123 - of a descriptor
                for block in packs.blocks(pack, member):
                    if not member.deflated:
                        file.write(block)
                        continue
                    data = block
                    while data:
                        file.write(inflate.decompress(data, _PIECE))
                        data = inflate.unconsumed_tail
                file.write(inflate.flush())
