"""The file of a pickle -> the scikit-learn that saved it, without opening it.

Each estimator of scikit-learn pickles its attributes with `_sklearn_version` among them.
Source: `BaseEstimator.__getstate__` of scikit-learn; the opcodes of strings in Python's `pickletools`.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from pathlib import Path
from typing import Any

_PIECE_BYTES, _OVERLAP_BYTES = 1 << 20, 64
_LONGEST_BYTES = 1 << 32
_VERSION = re.compile(
    rb"_sklearn_version(?:\x94|q.|r....)?(?:\x8c.|X.\x00\x00\x00)(\d{1,3}\.\d{1,3}(?:\.(?:\d{1,3}|dev\d{1,2}))?"
    rb"(?:(?:a|b|rc|\.post)\d{1,2})?)",
    re.DOTALL,
)


def saved_version(path: Path) -> str:
    """Return such as "1.5.2"; "" where the file does not tell, as one of LZ4 or of no scikit-learn does not."""
    try:
        with path.open("rb") as file:
            head = file.read(6)
            file.seek(0)
            return _searched(_stream(head, file))
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
        return ""


def _stream(head: bytes, file: Any) -> Any:
    """Return what reads the file unpacked."""
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if head.startswith((b"\xfd7zXZ", b"\x5d\x00\x00")):
        return lzma.LZMAFile(file)
    return _Zlib(file) if head[:2] in _ZLIB else file


_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


class _Zlib:
    """Reads a file that zlib packed."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._object = zlib.decompressobj()

    def read(self, size: int) -> bytes:
        packed = self._object.unconsumed_tail or self._file.read(size)
        return self._object.decompress(packed, size) if packed else b""


def _searched(stream: Any) -> str:
    kept, done = b"", 0
    while done < _LONGEST_BYTES and (piece := stream.read(_PIECE_BYTES)):
        found = _VERSION.search(kept + piece)
        if found is not None and found.end() < len(kept) + len(piece):
            return found[1].decode("ascii")
        kept = (kept + piece)[-_OVERLAP_BYTES:]
        done += len(piece)
    return ""
