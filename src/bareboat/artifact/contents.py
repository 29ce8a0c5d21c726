"""A zip or a folder that is to go to Lambda -> its files, whoever made it."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bareboat.errors import ArtifactError

_READ_BYTES = 1 << 30  # a zip that says that it holds more is not unpacked to look inside


@dataclass(frozen=True, slots=True)
class Entry:
    """A file.

    Args:
        path: as the archive names it.
        mode: its rights as Unix has them; 0 when the archive does not say.
        link: what a symbolic link points to; "" for a file.
        changed_s: when it was changed, seconds since 1970, as its archive says (its clock has no time zone).
    """

    path: str
    size_bytes: int
    mode: int = 0
    link: str = ""
    changed_s: int = 0


@dataclass(frozen=True, slots=True)
class Contents:
    """Files and a way to read them.

    Args:
        entries: in the archive's order; one name may come twice.
        folders: (path, mode) of folders of which the archive says rights.
        read: returns a file's bytes. Raises ArtifactError when it is damaged.
        zipped_bytes: of the zip; None for a folder.
    """

    entries: tuple[Entry, ...]
    read: Callable[[str], bytes]
    folders: tuple[tuple[str, int], ...] = ()
    zipped_bytes: int | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def unzipped_bytes(self) -> int:
        """Return the size of all files."""
        return sum(entry.size_bytes for entry in self.entries)


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """Open a zip or a folder.

    Raises:
        ArtifactError: it is neither, or cannot be read.
    """
    if path.is_dir():
        yield _folder(path)
        return
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError as error:
        raise ArtifactError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    with file, _archive(file, str(path)) as archive:
        yield _zip(archive, size, str(path))


@contextmanager
def opened_within(outer: Contents, path: str) -> Iterator[Contents]:
    """Open a zip that lies in another.

    Raises:
        ArtifactError: it is none, or damaged.
    """
    data = outer.read(path)
    with _archive(io.BytesIO(data), path) as archive:
        yield _zip(archive, len(data), path)


def _archive(file: IO[bytes], where: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise ArtifactError(
            f"is no zip, or is cut off: {error}", expected="a zip, or a folder of unpacked files", where=where
        ) from error


def _zip(archive: zipfile.ZipFile, size_bytes: int, where: str) -> Contents:
    infos = archive.infolist()
    total = sum(info.file_size for info in infos)
    by_name = {info.filename: info for info in infos}

    def read(path: str) -> bytes:
        if total > _READ_BYTES:
            raise ArtifactError(f"unpacks to {total:,} bytes", expected=f"at most {_READ_BYTES:,} to look into it")
        try:
            return archive.read(by_name[path])
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            NotImplementedError,
            ValueError,
            OSError,
            struct.error,
        ) as error:
            raise ArtifactError(f"{path} is damaged: {error}", expected="a whole zip", where=where) from error

    entries = []
    for info in infos:
        mode = info.external_attr >> 16 if info.create_system == 3 else 0
        if info.filename.endswith("/"):
            continue
        link = ""
        if stat.S_ISLNK(mode) and info.file_size < 5000 and total <= _READ_BYTES:
            link = read(info.filename).decode("utf-8", "backslashreplace")
        entries.append(Entry(info.filename, info.file_size, mode & 0o7777, link, _seconds(info)))
    folders = tuple(
        (info.filename, (info.external_attr >> 16) & 0o7777)
        for info in infos
        if info.filename.endswith("/") and info.create_system == 3
    )
    return Contents(tuple(entries), read, folders, size_bytes)


def _seconds(info: zipfile.ZipInfo) -> int:
    import calendar

    try:
        return calendar.timegm((*info.date_time, 0, 0, 0))
    except ValueError:  # a month 0, as some tools write it
        return 0


def _folder(top: Path) -> Contents:
    entries: list[Entry] = []
    folders: list[tuple[str, int]] = []
    unreadable: dict[str, str] = {}
    for folder, names, files in os.walk(
        top, onerror=lambda error: unreadable.update({str(error.filename): str(error)})
    ):
        below = os.path.relpath(folder, top).replace(os.sep, "/")
        prefix = "" if below == "." else f"{below}/"
        for name in list(names):
            path = os.path.join(folder, name)  # noqa: PTH118 - a Path for each of 70,000 files costs seconds
            if os.path.islink(path):  # noqa: PTH114
                files.append(name)
            else:
                folders.append((prefix + name, os.stat(path).st_mode & 0o7777))  # noqa: PTH116
        for name in files:
            path = os.path.join(folder, name)  # noqa: PTH118
            said = os.lstat(path)
            link = os.readlink(path) if stat.S_ISLNK(said.st_mode) else ""  # noqa: PTH115
            if link or stat.S_ISREG(said.st_mode):
                entries.append(Entry(prefix + name, said.st_size, said.st_mode & 0o7777, link, int(said.st_mtime)))
    entries.sort(key=lambda entry: entry.path)

    def read(path: str) -> bytes:
        try:
            return (top / path).read_bytes()
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read: {error.strerror}", where=str(top)) from error

    return Contents(tuple(entries), read, tuple(folders), None, unreadable)
