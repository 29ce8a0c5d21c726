"""The first bytes of a file -> what the child must open it with, looked at without opening it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from bareboat.errors import ModelError

_PICKLES = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_ZIP = b"PK\x03\x04"
_CBM = b"CBM1"
_LZ4 = b"\x04\x22\x4d\x18"
_COMPRESSED: tuple[tuple[bytes, str, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", "gzip", lambda head: gzip.GzipFile(fileobj=BytesIO(head)).read(2)),
    (b"BZh", "bzip2", lambda head: bz2.BZ2Decompressor().decompress(head, 2)),
    (b"\xfd7zXZ", "xz", lambda head: lzma.LZMADecompressor().decompress(head, 2)),
    (b"\x5d\x00\x00", "lzma", lambda head: lzma.LZMADecompressor().decompress(head, 2)),
    (b"\x78\x01", "zlib", lambda head: zlib.decompressobj().decompress(head, 2)),
    (b"\x78\x5e", "zlib", lambda head: zlib.decompressobj().decompress(head, 2)),
    (b"\x78\x9c", "zlib", lambda head: zlib.decompressobj().decompress(head, 2)),
    (b"\x78\xda", "zlib", lambda head: zlib.decompressobj().decompress(head, 2)),
)
"""The compressions that joblib.dump writes, but for LZ4, which Python's standard library cannot look into."""


def is_pickle(head: bytes) -> bool:
    """Whether a file may be one that `pickle_kind` knows."""
    return head.startswith((*_PICKLES, _ZIP, _CBM, _LZ4, *(start for start, _, _ in _COMPRESSED)))


def pickle_kind(path: Path, head: bytes) -> str:
    """Return "pickle" (joblib's without compression included), "joblib" (compressed), "skops" or "cbm" (CatBoost's).

    Raises:
        ModelError: it is an archive or a compressed file of something else.
    """
    if head.startswith(_PICKLES):
        return "pickle"
    if head.startswith(_ZIP):
        return _kind_of_zip(path)
    if head.startswith(_CBM):
        return "cbm"
    if head.startswith(_LZ4):
        return "joblib"
    for start, name, first in _COMPRESSED:
        if head.startswith(start):
            try:
                if first(head)[:2] in _PICKLES:
                    return "joblib"
            except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
                pass
            raise ModelError(
                f"a {name} file", expected="a model file, or joblib's", fix="unpack it first", where=str(path)
            )
    raise AssertionError("is_pickle knows the start of the file")


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            if "schema.json" in archive.namelist():
                return "skops"
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ModelError(
            f"a zip archive that cannot be read: {error}",
            expected="a whole skops file",
            fix="copy or save it again",
            where=str(path),
        ) from error
    raise ModelError(
        "a zip archive",
        expected="a model file, or skops' (with a schema.json)",
        fix="unpack it and give the model file inside",
        where=str(path),
    )
