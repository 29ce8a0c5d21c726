"""Packs -> one zip, the same bytes on every host: sorted, without dates, with fixed rights."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bareboat.packaging.bytecode import source_path
from bareboat.packaging.cache import cannot_write
from bareboat.packaging.known import know, stamp
from bareboat.packaging.packs import Member, Pack, PackReader

# PKZIP APPNOTE 6.3.10: 4.3.7 local header, 4.3.12 central directory, 4.3.14-16 ends; dates are 1980-01-01 00:00.
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<4sIQI")
_DATE, _TIME = 0x0021, 0
_UNIX = 3 << 8
_CHUNK = 1 << 21


@dataclass(frozen=True, slots=True)
class Written:
    """A zip that was written.

    Args:
        digest: sha256 of the zip, hex.
    """

    digest: str
    size_bytes: int


def chosen_members(packs: Sequence[Pack]) -> tuple[tuple[tuple[Member, Pack], ...], tuple[str, ...]]:
    """Return the members of the zip, sorted by path, and the paths that more than one pack brought.

    Of two files with one path the earlier pack's is taken, and with a source goes its own bytecode, never another's.
    """
    winner: dict[str, int] = {}
    contested: set[str] = set()
    for number, pack in enumerate(packs):
        for member in pack.members:
            if winner.setdefault(member.path, number) != number and not _is_bytecode(member.path):
                contested.add(member.path)
    chosen = []
    for number, pack in enumerate(packs):
        for member in pack.members:
            decisive = source_path(member.path) if _is_bytecode(member.path) else member.path
            if winner.get(decisive, number) == number:
                chosen.append((member, pack))
    chosen.sort(key=lambda entry: entry[0].path)
    return tuple(chosen), tuple(sorted(contested))


def write_archive(path: Path, members: Sequence[tuple[Member, Pack]]) -> Written:
    """Write a zip of these members, in this order.

    Raises:
        PackagingError: the disk is full, or a pack went away.
    """
    try:
        with path.open("wb") as file, PackReader() as packs, _Hashed(file) as out:
            central = [_write_member(out, member, packs.blocks(pack, member)) for member, pack in members]
            _write_end(out, central)
    except OSError as error:
        raise cannot_write(path, error) from error
    return Written(out.digest, out.position)


def write_named_archive(
    folder: Path, stem: str, members: Sequence[tuple[Member, Pack]], scratch: Path
) -> tuple[Path, Written]:
    """Write a zip into `folder` as `STEM-DIGEST.zip`, whole or not at all.

    Args:
        scratch: on the same file system as `folder`.
    Raises:
        PackagingError: the disk is full, or a pack went away.
    """
    written = write_archive(scratch / "archive.zip", members)
    path = folder / f"{stem}-{written.digest[:12]}.zip"
    try:
        (scratch / "archive.zip").replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    know(path, written.digest, stamp(path))
    return path, written


class _Hashed:
    """A file whose digest is made by a thread beside the writing, a few chunks at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._threads = ThreadPoolExecutor(1)
        self._hashing: Future[None] | None = None
        self._waiting: list[bytes] = []
        self._bytes = 0
        self.position = 0
        self.digest = ""

    def __enter__(self) -> _Hashed:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._threads:
            if kind is None:
                self._flush()
        self.digest = self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._bytes += len(data)
        self.position += len(data)
        if self._bytes >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        chunk = b"".join(self._waiting)
        self._waiting, self._bytes = [], 0
        if self._hashing is not None:
            self._hashing.result()
        self._hashing = self._threads.submit(self._hash.update, chunk)
        self._file.write(chunk)


def _write_member(out: _Hashed, member: Member, data: Iterable[bytes]) -> bytes:
    name = member.path.encode()
    flags = 0 if name.isascii() else 0x800
    method, needed = (8, 20) if member.deflated else (0, 10)
    offset = out.position
    common = (flags, method, _TIME, _DATE, member.crc32, member.zsize, member.size, len(name), 0)
    out.write(_LOCAL.pack(b"PK\3\4", needed, *common) + name)
    for block in data:
        out.write(block)
    mode = 0o100755 if member.executable else 0o100644
    return _CENTRAL.pack(b"PK\1\2", _UNIX | 20, needed, *common, 0, 0, 0, mode << 16, offset) + name


def _write_end(out: _Hashed, central: Sequence[bytes]) -> None:
    start, count = out.position, len(central)
    out.write(b"".join(central))
    length = out.position - start
    if count > 0xFFFE:
        end64 = out.position
        out.write(_END64.pack(b"PK\6\6", 44, _UNIX | 45, 45, 0, 0, count, count, length, start))
        out.write(_LOCATOR64.pack(b"PK\6\7", 0, end64, 1))
    shown = min(count, 0xFFFF)
    out.write(_END.pack(b"PK\5\6", 0, 0, shown, shown, length, start, 0))


def _is_bytecode(path: str) -> bool:
    return path.endswith(".pyc")
