"""Bytes -> one gzip stream, compressed by threads; and layers' blobs -> the tar that is in them."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Any, BinaryIO, cast

from bareboat.container.documents import LAYER, LAYER_GZIP, LAYER_ZSTD
from bareboat.errors import ArtifactError

_LEVEL = 6
_BLOCK = 1 << 20
_WINDOW = 1 << 15  # how far back deflate looks
# RFC 1952: no name, no date, no hint of the compressor, no operating system, so that every host writes the same.
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"  # RFC 1951: final, static codes, nothing in it


class GzipWriter:
    """A gzip stream of one member, whose blocks are compressed beside each other.

    How the bytes come in pieces, and the number of processors, change nothing of the result.

    Args:
        write: takes what is compressed, in order.
    """

    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self._write = write
        self._threads = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
        self._under_way: deque[Future[bytes]] = deque()
        self._held = bytearray()
        self._before = b""
        self._crc = 0
        self._size = 0
        write(_HEAD)

    def __enter__(self) -> GzipWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def write(self, data: bytes | memoryview) -> None:
        """Take bytes in."""
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        self._held += data
        while len(self._held) >= _BLOCK:
            self._send(bytes(self._held[:_BLOCK]))
            del self._held[:_BLOCK]

    def _send(self, block: bytes) -> None:
        self._under_way.append(self._threads.submit(_compressed, block, self._before))
        self._before = block[-_WINDOW:]
        while len(self._under_way) > 16:
            self._write(self._under_way.popleft().result())

    def _finish(self) -> None:
        if self._held:
            self._send(bytes(self._held))
        while self._under_way:
            self._write(self._under_way.popleft().result())
        self._write(_LAST_BLOCK + struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))


def _compressed(block: bytes, before: bytes) -> bytes:
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 8, zlib.Z_DEFAULT_STRATEGY, before)
    return deflate.compress(block) + deflate.flush(zlib.Z_SYNC_FLUSH)


@contextmanager
def unpacked(blob: BinaryIO, media_type: str, where: str) -> Iterator[IO[bytes]]:
    """Yield a layer's tar.

    Raises:
        ArtifactError: the layer is of a kind that is not known, or its compression is damaged.
    """
    try:
        if media_type == LAYER:
            yield blob
        elif media_type == LAYER_GZIP:
            with gzip.GzipFile(fileobj=blob, mode="rb") as stream:
                yield cast("IO[bytes]", stream)
        elif media_type == LAYER_ZSTD:
            import zstandard

            with zstandard.ZstdDecompressor().stream_reader(blob, read_across_frames=True) as reader:
                try:
                    yield cast("IO[bytes]", io.BufferedReader(reader, _BLOCK))
                except zstandard.ZstdError as error:
                    raise _damaged(error, where) from error
        else:
            raise ArtifactError(f"a layer is {media_type}", expected="a tar, as it is, by gzip or by zstd", where=where)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(error, where) from error


def _damaged(error: Exception, where: str) -> ArtifactError:
    return ArtifactError(f"a layer is damaged: {error}", fix="pull or build the image again", where=where)
