"""Files -> a Pack: compiled, compressed and described once, copied into every archive that wants them.

A pack holds the compressed members of one package (or of the project, or of what bareboat adds). Packs of packages are
kept in the cache under the wheel's digest, so a second build neither installs, compiles nor compresses them again.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from io import FileIO
from pathlib import Path
from typing import IO

import msgspec

from bareboat.errors import PackagingError
from bareboat.packaging.bytecode import Job, bytecode_path, compile_files
from bareboat.packaging.cache import cannot_write, scratch_folder
from bareboat.packaging.compressing import Compressed, compress
from bareboat.packaging.elf import Elf
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.known import is_known, know, stamp
from bareboat.packaging.lambda_image import TASK_ROOT
from bareboat.packaging.slim import Removed

_MAGIC = b"bbpack1\n"
_BLOCK = 1 << 20
_BATCH_BYTES, _BATCH_FILES = 1 << 16, 64  # that a thread takes at once
_UNDER_WAY = 32  # batches


class Member(msgspec.Struct, frozen=True, array_like=True):
    """One compressed file.

    Args:
        path: in the artifact.
        size, zsize: bytes as unpacked, and as they stand in the pack.
        deflated: False when compression would not make it smaller.
        executable: whether it begins as a program or a library does (ELF, `#!`).
        sha256, crc32: of the unpacked bytes.
        offset: of its bytes in the pack's data.
    """

    path: str
    size: int
    zsize: int
    deflated: bool
    executable: bool
    sha256: str
    crc32: int
    offset: int


class Pack(msgspec.Struct, frozen=True):
    """What a pack holds; its data lies in `file` from `data_start` on.

    Args:
        name, version: of the package; version "" for what is no package.
        elves: native files and their headers.
        removed: what slimming left out.
        not_compiled: Python files that do not compile and have no bytecode.
        data_crc32, data_bytes: of the data, to notice a damaged cache.
    """

    name: str
    version: str
    members: tuple[Member, ...]
    elves: dict[str, Elf] = {}
    removed: tuple[Removed, ...] = ()
    not_compiled: tuple[str, ...] = ()
    data_crc32: int = 0
    data_bytes: int = 0
    file: str = ""
    data_start: int = 0


class Contents(msgspec.Struct, frozen=True):
    """What is to be packed.

    Args:
        files: path in the artifact -> file, or its bytes.
        removed: what slimming left out.
    """

    name: str
    version: str
    files: Mapping[str, Path | bytes]
    removed: tuple[Removed, ...] = ()


def make_packs(contents: Sequence[Contents], interpreter: Interpreter | None, folder: Path) -> tuple[Pack, ...]:
    """Compile and compress; write one pack for each of the contents into `folder`.

    Args:
        interpreter: of the target's version; without one no bytecode is made.
    Raises:
        PackagingError: a file cannot be read, a native file is damaged, or the disk is full.
    """
    with scratch_folder(folder) as scratch, ThreadPoolExecutor(_threads()) as threads:
        jobs = _jobs(contents, scratch, interpreter) if interpreter is not None else {}
        failed = compile_files(interpreter, list(jobs.values())) if interpreter is not None else frozenset()
        packs = []
        for number, content in enumerate(contents):
            files: dict[str, Path | bytes] = dict(content.files)
            uncompiled = []
            for path in content.files:
                job = jobs.get((number, path))
                if job is None or interpreter is None:
                    continue
                if job.source in failed:
                    uncompiled.append(path)
                else:
                    files[bytecode_path(path, interpreter.version)] = job.destination
            target = folder / f"{content.name}-{number}.pack"
            packs.append(_write(content, files, tuple(uncompiled), threads, target))
    return tuple(packs)


def read_pack(path: Path) -> Pack | None:
    """Read the index of a kept pack; None when it is missing or not what it should be."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC) + 8)
            if head[: len(_MAGIC)] != _MAGIC or len(head) != len(_MAGIC) + 8:
                return None
            (length,) = struct.unpack("<Q", head[len(_MAGIC) :])
            size = os.fstat(file.fileno()).st_size
            if length > size:
                return None
            pack = msgspec.json.decode(file.read(length), type=Pack)
    except (OSError, msgspec.MsgspecError):
        return None
    start = len(head) + length
    if size != start + pack.data_bytes:
        return None
    return msgspec.structs.replace(pack, file=str(path), data_start=start)


def with_members(pack: Pack, new: Pack, removed: Sequence[Removed], target: Path) -> Pack:
    """Write a pack in which members of another take the place of those with the same paths.

    Args:
        removed: what that saves, added to what the pack says of itself.
    Raises:
        PackagingError: the disk is full, or a pack went away.
    """
    replaced = {member.path for member in new.members}
    chosen = [(member, pack) for member in pack.members if member.path not in replaced]
    chosen += [(member, new) for member in new.members]
    chosen.sort(key=lambda entry: entry[0].path)
    both = msgspec.structs.replace(pack, removed=(*pack.removed, *removed))
    with PackReader() as reader:
        return _write_pack(both, ((member, reader.blocks(one, member)) for member, one in chosen), target)


class PackReader:
    """Reads compressed members out of packs, each pack opened once."""

    def __init__(self) -> None:
        self._files: dict[str, FileIO] = {}

    def __enter__(self) -> PackReader:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def read(self, pack: Pack, member: Member) -> bytes:
        """Return a member's bytes, compressed as they stand.

        Raises:
            PackagingError: the pack has changed or gone since its index was read.
        """
        return b"".join(self.blocks(pack, member))

    def blocks(self, pack: Pack, member: Member) -> Iterator[bytes]:
        """Yield a member's bytes, compressed as they stand, in blocks.

        Raises:
            PackagingError: the pack has changed or gone since its index was read.
        """
        left = member.zsize
        try:
            if pack.file not in self._files:
                self._files[pack.file] = Path(pack.file).open("rb", buffering=0)  # noqa: SIM115 - closed by __exit__
            file = self._files[pack.file]
            file.seek(pack.data_start + member.offset)
            while left and (block := file.read(min(left, _BLOCK))):
                left -= len(block)
                yield block
        except OSError as error:
            raise PackagingError(f"cannot be read: {error.strerror}", fix="build again", where=pack.file) from error
        if left:
            raise PackagingError("the pack is cut off", fix="build again", where=pack.file)

    def unpacked(self, pack: Pack, member: Member) -> bytes:
        """Return a member's bytes as they were; raises as `read` does."""
        data = self.read(pack, member)
        return zlib.decompress(data, -zlib.MAX_WBITS) if member.deflated else data


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def is_sound(pack: Pack) -> bool:
    """Tell whether a pack's data is what was written."""
    content = f"pack {pack.data_crc32}"
    if is_known(pack.file, content):
        return True
    at = stamp(pack.file)
    crc = 0
    try:
        with Path(pack.file).open("rb") as file:
            file.seek(pack.data_start)
            for block in _blocks(file):
                crc = zlib.crc32(block, crc)
    except OSError:
        return False
    if crc == pack.data_crc32:
        know(pack.file, content, at)
    return crc == pack.data_crc32


def _jobs(contents: Sequence[Contents], scratch: Path, interpreter: Interpreter) -> dict[tuple[int, str], Job]:
    jobs: dict[tuple[int, str], Job] = {}
    for number, content in enumerate(contents):
        for path, source in content.files.items():
            if not path.endswith(".py"):
                continue
            if isinstance(source, bytes):
                written = scratch / f"source{number}" / path
                written.parent.mkdir(parents=True, exist_ok=True)
                written.write_bytes(source)
                source = written  # noqa: PLW2901
            compiled = scratch / f"bytecode{number}" / bytecode_path(path, interpreter.version)
            jobs[number, path] = Job(source, compiled, f"{TASK_ROOT}/{path}")
    return jobs


def _threads() -> int:
    return min(8, os.cpu_count() or 1)


def _write(
    content: Contents,
    files: Mapping[str, Path | bytes],
    uncompiled: tuple[str, ...],
    threads: ThreadPoolExecutor,
    target: Path,
) -> Pack:
    elves: dict[str, Elf] = {}

    def compressed() -> Iterator[tuple[Member, Iterable[bytes]]]:
        for path, done in _compress_all(files, threads, target.parent):
            if done.elf is not None:
                elves[path] = done.elf
            with done.data:
                yield (
                    Member(path, done.size, done.zsize, done.deflated, done.executable, done.sha256, done.crc32, 0),
                    _blocks(done.data),
                )

    pack = Pack(content.name, content.version, (), elves, content.removed, uncompiled)
    return _write_pack(pack, compressed(), target)


def _compress_all(
    files: Mapping[str, Path | bytes], threads: ThreadPoolExecutor, folder: Path
) -> Iterator[tuple[str, Compressed]]:
    """Yield files as they are done, few of them waiting at a time: of 70,000 all at once, each would cost 2 kB."""
    under_way: set[Future[list[tuple[str, Compressed]]]] = set()
    for batch in _batches(files):
        under_way.add(
            threads.submit(lambda paths: [(path, compress(path, files[path], folder)) for path in paths], batch)
        )
        if len(under_way) == _UNDER_WAY:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for each in done:
                yield from each.result()
    for each in under_way:
        yield from each.result()


def _batches(files: Mapping[str, Path | bytes]) -> Iterator[list[str]]:
    """Yield the paths, the largest file first since it takes longest, small ones several at a time."""
    batch: list[str] = []
    left = _BATCH_BYTES
    for size, path in sorted((-_size(source), path) for path, source in files.items()):
        batch.append(path)
        left += size
        if left <= 0 or len(batch) == _BATCH_FILES:
            yield batch
            batch, left = [], _BATCH_BYTES
    if batch:
        yield batch


def _write_pack(pack: Pack, members: Iterable[tuple[Member, Iterable[bytes]]], target: Path) -> Pack:
    """Write a pack with these members, whose data comes in any order."""
    body = target.with_suffix(".data")
    found: list[Member] = []
    offset = crc = 0
    try:
        with body.open("wb") as file:
            for member, data in members:
                found.append(msgspec.structs.replace(member, offset=offset))
                for block in data:
                    file.write(block)
                    crc = zlib.crc32(block, crc)
                offset += member.zsize
        found.sort(key=lambda member: member.path)
        pack = msgspec.structs.replace(pack, members=tuple(found), data_crc32=crc, data_bytes=offset, file="")
        index = msgspec.json.encode(pack)
        with target.open("wb") as file, body.open("rb") as data_file:
            file.write(_MAGIC + struct.pack("<Q", len(index)) + index)
            file.writelines(_blocks(data_file))
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        body.unlink(missing_ok=True)
    return msgspec.structs.replace(pack, file=str(target), data_start=len(_MAGIC) + 8 + len(index))


def _size(source: Path | bytes) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size
