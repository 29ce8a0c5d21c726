"""Files -> a layer: a tar that is the same on every host, compressed."""

from __future__ import annotations

import hashlib
import json
import tarfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from bareboat.container.compression import GzipWriter
from bareboat.container.documents import LAYER_GZIP, Descriptor
from bareboat.container.layout import Layout
from bareboat.errors import ArtifactError, BareboatError
from bareboat.packaging.cache import cache_folder, write_whole

WHITEOUT = ".wh."  # OCI image specification, layer.md: a file of this name takes away what lies below
OPAQUE = ".wh..wh..opq"
_FORMAT = 1  # goes up whenever the same entries would give another layer
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a layer; it belongs to root and is dated 1970-01-01.

    Args:
        path: in the image, without a leading slash.
        source: the file, or its bytes; None for a folder and for a link.
        mode: of a file or a folder.
        target: where a symbolic link points to; "" for what is no link.
        sha256: of a file's bytes, where it is known already.
    """

    path: str
    source: Path | bytes | None
    mode: int = 0o644
    target: str = ""
    sha256: str = ""


class Layer(msgspec.Struct, frozen=True):
    """A layer that lies in a layout.

    Args:
        diff_id: the digest of its tar, uncompressed.
        unpacked_bytes: of its files.
        name: what it holds, for people and for the image's history.
    """

    descriptor: Descriptor
    diff_id: str
    unpacked_bytes: int
    files: int
    name: str = ""


def write_layer(
    layout: Layout, entries: Iterable[Entry], *, name: str, on_step: Callable[[str], None] = lambda _: None
) -> Layer:
    """Write a layer, or find it: one that was written before from the same files is not compressed again.

    Args:
        name: what it holds.
    Raises:
        ArtifactError: a path leads out of the image or stands for a removal, or a file changed in between.
        PackagingError: the disk is full.
    """
    ordered = [replace(entry, sha256=_sha256(entry)) for entry in _ordered(entries)]
    key = _key(ordered)
    kept = cache_folder("layers") / f"{key}.json"
    found = _kept(kept, layout)
    if found is None:
        on_step(f"Compressing {name}")
        found = _write(layout, ordered)
        write_whole(kept, msgspec.json.encode(found))
    return msgspec.structs.replace(found, name=name)


def add_tar(layout: Layout, tar: BinaryIO, *, name: str) -> Layer:
    """Write a tar as it is as a layer; one that was written before is not compressed again.

    Args:
        tar: from where it stands; it is read twice.
    """
    start = tar.tell()
    digest = hashlib.sha256()
    while block := tar.read(_BLOCK):
        digest.update(block)
    size = tar.tell() - start
    kept = cache_folder("layers") / f"tar-{zlib.ZLIB_RUNTIME_VERSION}-{digest.hexdigest()}.json"
    found = _kept(kept, layout)
    if found is None:
        tar.seek(start)
        with layout.new_blob(LAYER_GZIP) as blob, GzipWriter(blob.write) as packed:
            while block := tar.read(_BLOCK):
                packed.write(block)
        found = Layer(blob.descriptor, f"sha256:{digest.hexdigest()}", size, 0)
        write_whole(kept, msgspec.json.encode(found))
    return msgspec.structs.replace(found, name=name)


def folders_above(paths: Iterable[str], exists: Callable[[str], bool]) -> list[Entry]:
    """Return the folders that a layer must bring with its files; those that exist keep their rights and owner."""
    wanted: dict[str, None] = {}
    for path in paths:
        above = path.rpartition("/")[0]
        while above and above not in wanted:
            wanted[above] = None
            above = above.rpartition("/")[0]
    return [Entry(path, None, 0o755) for path in sorted(wanted) if not exists(path)]


def large_ones(sizes: Mapping[str, int], *, at_least: int, at_most: int) -> list[str]:
    """Return the packages that get layers of their own, so that a change of another moves little.

    Args:
        sizes: name -> bytes.
        at_least: from how many bytes on one is large.
        at_most: how many layers there may be of them; the largest come first.
    Returns:
        Their names, sorted.
    """
    large = sorted((name for name, size in sizes.items() if size >= at_least), key=lambda name: (-sizes[name], name))
    return sorted(large[:at_most])


def check_path(path: str, where: str = "") -> None:
    """Refuse a path that leads out of the image or that layers give another meaning.

    Raises:
        ArtifactError: it is absolute, has `..` or a NUL, or a part that begins with `.wh.`.
    """
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or "\0" in path or "" in parts or "." in parts:
        raise ArtifactError(f"{path!r} leads out of the image", expected="a path below /", where=where)
    if any(part.startswith(WHITEOUT) for part in parts):
        raise ArtifactError(
            f"{path!r} begins with {WHITEOUT}, by which layers mean a removal", fix="rename the file", where=where
        )


def _ordered(entries: Iterable[Entry]) -> list[Entry]:
    by_path: dict[str, Entry] = {}
    for entry in entries:
        check_path(entry.path)
        by_path.setdefault(entry.path, entry)
    return [by_path[path] for path in sorted(by_path)]


def _key(entries: Sequence[Entry]) -> str:
    digest = hashlib.sha256(json.dumps([_FORMAT, zlib.ZLIB_RUNTIME_VERSION]).encode())
    for entry in entries:
        line = [entry.path, entry.mode, entry.target, entry.sha256]
        digest.update(json.dumps(line).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:40]


def _sha256(entry: Entry) -> str:
    if entry.source is None or entry.sha256:
        return entry.sha256
    if isinstance(entry.source, bytes):
        return hashlib.sha256(entry.source).hexdigest()
    try:
        with entry.source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(entry.source, error) from error


def _kept(place: Path, layout: Layout) -> Layer | None:
    try:
        layer = msgspec.json.decode(place.read_bytes(), type=Layer)
    except (OSError, msgspec.MsgspecError):
        return None
    try:
        return layer if layout.has_blob(layer.descriptor) else None
    except BareboatError:
        return None


def _write(layout: Layout, entries: Sequence[Entry]) -> Layer:
    digest = hashlib.sha256()
    total = files = 0
    with layout.new_blob(LAYER_GZIP) as blob, GzipWriter(blob.write) as packed:

        def write(data: bytes) -> None:
            digest.update(data)
            packed.write(data)

        for entry in entries:
            size = _write_entry(entry, write)
            total += size
            files += entry.source is not None
        write(bytes(2 * tarfile.BLOCKSIZE))
    return Layer(blob.descriptor, f"sha256:{digest.hexdigest()}", total, files)


def _write_entry(entry: Entry, write: Callable[[bytes], Any]) -> int:
    info = tarfile.TarInfo(entry.path)
    info.mode = entry.mode
    if entry.target:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.target, 0o777
    elif entry.source is None:
        info.type = tarfile.DIRTYPE
    if isinstance(entry.source, bytes):
        info.size = len(entry.source)
        write(_header(info))
        write(entry.source)
    elif entry.source is not None:
        try:
            with entry.source.open("rb") as file:
                info.size = _length(file)
                write(_header(info))
                _copy(file, info.size, write, entry)
        except OSError as error:
            raise _unreadable(entry.source, error) from error
    else:
        write(_header(info))
    write(bytes(-info.size % tarfile.BLOCKSIZE))
    return info.size


def _header(info: tarfile.TarInfo) -> bytes:
    """Owner, group and date are 0; a PAX header comes only with names that are long or not ASCII."""
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _length(file: BinaryIO) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _copy(file: BinaryIO, size: int, write: Callable[[bytes], Any], entry: Entry) -> None:
    """Copy the file that the layer's key was made from, and no other: the layer is found by its key later."""
    left = size
    digest = hashlib.sha256()
    while left:
        block = file.read(min(_BLOCK, left))
        if not block:
            break
        digest.update(block)
        write(block)
        left -= len(block)
    if left or digest.hexdigest() != entry.sha256:
        raise ArtifactError("the file changed while it was packed", fix="build again", where=str(entry.source))


def _unreadable(place: Path, error: OSError) -> ArtifactError:
    return ArtifactError(f"cannot be read: {error.strerror}", where=str(place))
