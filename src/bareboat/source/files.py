"""Files and folders -> the Python files in them; and a file's new text written, whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import BareboatError

_SUFFIXES = (".py", ".pyi", ".pyw")
_NOT_BELOW = frozenset([".git", ".hg", ".svn", "__pycache__", "node_modules", ".bareboat", ".tox", ".nox"])


@dataclass(frozen=True, slots=True)
class Source:
    """A Python file.

    Args:
        path: as a person would name it.
        below: the folder that was asked for; the file itself when that was.
    """

    path: Path
    below: Path
    size_bytes: int = 0

    @property
    def inner(self) -> str:
        """Return the path below that folder, with `/`; the name when the file itself was asked for."""
        return self.path.name if self.path == self.below else self.path.relative_to(self.below).as_posix()


def python_files(paths: Iterable[Path]) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """Find the Python files of files and folders, sorted, each once.

    Symbolic links inside of a folder are not followed: what they lead to is either in the folder too or not meant.
    Folders of version control, caches and virtual environments below one that was asked for are passed over.

    Returns:
        The files, and one line for each link that was not followed.
    Raises:
        BareboatError: a path is not there, or a folder cannot be listed.
    """
    found: dict[str, Source] = {}
    links: list[str] = []
    for path in paths:
        if path.is_dir():
            for file in _below(path, path, links):
                found.setdefault(os.path.realpath(file.path), file)
        elif path.is_file():
            found.setdefault(os.path.realpath(path), Source(path, path, path.stat().st_size))
        else:
            raise BareboatError("is not there", expected="a Python file or a folder", where=str(path))
    return tuple(sorted(found.values(), key=lambda file: str(file.path))), tuple(links)


def _below(folder: Path, top: Path, links: list[str]) -> Iterator[Source]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise BareboatError(f"cannot be listed: {error.strerror}", where=str(folder)) from error
    if folder != top and any(entry.name in {"pyvenv.cfg", "conda-meta"} for entry in listed):
        return
    for entry in listed:
        path = folder / entry.name
        if entry.is_symlink():
            if entry.name.endswith(_SUFFIXES) or entry.is_dir():
                links.append(f"{path} is a link; it is not followed")
        elif entry.is_dir():
            if entry.name not in _NOT_BELOW:
                yield from _below(path, top, links)
        elif entry.name.endswith(_SUFFIXES) and entry.is_file():
            yield Source(path, top, entry.stat().st_size)


def write_source(path: Path, data: bytes, *, like: Path | None = None) -> None:
    """Replace a file, whole or not at all, with the rights and the owner that it (or `like`) has.

    The file behind a link is replaced, not the link. Other hard links to the file keep what they had: packages that
    uv has linked out of its cache are not changed there.

    Raises:
        BareboatError: the disk is full, or the folder cannot be written to.
    """
    real = Path(os.path.realpath(path))
    part = real.with_name(f".{real.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        part.write_bytes(data)
        _copy_rights(like or real, part)
        part.replace(real)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BareboatError(
            f"cannot be written: {error.strerror}",
            expected="room on the disk and the right to write there",
            where=str(path),
        ) from error


def _copy_rights(one: Path, other: Path) -> None:
    stat = one.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # another user's file in a folder of ours
            os.chown(other, stat.st_uid, stat.st_gid)
    shutil.copymode(one, other)
