"""UBJSON bytes -> Python values, with arrays of numbers as numpy arrays.

What is read is draft 12 of https://ubjson.org, but for high-precision numbers and typed objects, which no model holds.
A container may give its type and count (`[$d#L...`), its count (`[#L...`) or neither; numbers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np

DEPTH = 64
"""How deep containers may lie in each other."""

_NUMBERS: dict[int, struct.Struct] = {
    ord(marker): struct.Struct(">" + letter) for marker, letter in zip("iUIlLdD", "bBhiqfd", strict=True)
}
_ARRAYS: dict[int, np.dtype[Any]] = {
    ord(marker): np.dtype(name)
    for marker, name in zip("iUIlLdD", ("i1", "u1", ">i2", ">i4", ">i8", ">f4", ">f8"), strict=True)
}
_CONSTANTS: dict[int, bool | None] = {ord("Z"): None, ord("T"): True, ord("F"): False}
_INTEGERS = frozenset(b"iUIlL")


class UbjError(ValueError):
    """Bytes are no UBJSON document.

    Args:
        found: what is wrong.
        offset: the byte that it starts at.
    """

    def __init__(self, found: str, offset: int) -> None:
        super().__init__(f"{found} at byte {offset}")
        self.found = found
        self.offset = offset


def decode_ubj(data: bytes) -> Any:
    """Return the one value that `data` holds: dict, list, numpy array, str, int, float, bool or None.

    Raises:
        UbjError: the bytes end early, go on, or hold what UBJSON does not know.
    """
    decoder = _Decoder(data)
    value = decoder.value(decoder.marker(), 0)
    if decoder.at != len(data):
        raise UbjError(f"{len(data) - decoder.at} more bytes after the document", decoder.at)
    return value


class _Decoder:
    """Reads values one after the other from `at` on."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def marker(self) -> int:
        """Read one byte, past any no-op."""
        while self.at < len(self.data):
            marker = self.data[self.at]
            self.at += 1
            if marker != ord("N"):
                return marker
        raise UbjError("the end of the file inside a value", self.at)

    def value(self, marker: int, depth: int) -> Any:
        """Read what follows a marker."""
        number = _NUMBERS.get(marker)
        if number is not None:
            return number.unpack_from(self.data, self._step(number.size))[0]
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        match marker:
            case 0x7B:  # {
                return self._object(self._deeper(depth))
            case 0x5B:  # [
                return self._array(self._deeper(depth))
            case 0x53:  # S
                return self._text()
            case 0x43:  # C
                return self._decoded(1)
        raise UbjError(f"the marker {bytes([marker])!r}, which is no value of UBJSON", self.at - 1)

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in self._places(ord("}")):
            start = self.at
            key = self._text()
            if key in found:
                raise UbjError(f"the key {key[:40]!r} a second time", start)
            found[key] = self.value(self.marker(), depth)
        return found

    def _array(self, depth: int) -> Any:
        if self._is_next(ord("$")):
            return self._typed_array()
        return [self.value(self.marker(), depth) for _ in self._places(ord("]"))]

    def _typed_array(self) -> Any:
        start = self.at
        self.at += 1
        dtype = _ARRAYS.get(self.marker())
        if dtype is None:
            raise UbjError("an array of what is no number", start)
        if not self._is_next(ord("#")):
            raise UbjError("a typed array without its count", self.at)
        self.at += 1
        count = self._count()
        return np.frombuffer(self.data, dtype, count, self._step(count * dtype.itemsize))

    def _places(self, end: int) -> Iterator[None]:
        """Yield once for each item of a container that opens here; its end is read too."""
        if self._is_next(ord("$")):
            raise UbjError("a typed object", self.at)
        if self._is_next(ord("#")):
            self.at += 1
            start = self.at
            count = self._count()
            if count > len(self.data) - self.at:  # an item takes a byte or more
                raise UbjError(f"a count of {count}, more than there are bytes,", start)
            # XGBoost gives arrays their count and no end, as UBJSON says; objects neither.
            yield from repeat(None, count)
            return
        while not self._is_next(end):
            yield
        self.at += 1

    def _count(self) -> int:
        start = self.at
        marker = self.marker()
        if marker not in _INTEGERS:
            raise UbjError("a length that is no integer", start)
        count = int(self.value(marker, 0))
        if count < 0:
            raise UbjError(f"a length of {count}", start)
        return count

    def _text(self) -> str:
        return self._decoded(self._count())

    def _decoded(self, size: int) -> str:
        start = self._step(size)
        try:
            return self.data[start : start + size].decode()
        except UnicodeDecodeError as error:
            raise UbjError("text that is not UTF-8", start + error.start) from error

    def _is_next(self, marker: int) -> bool:
        if self.at >= len(self.data):
            raise UbjError("the end of the file inside a container", self.at)
        return self.data[self.at] == marker

    def _step(self, size: int) -> int:
        """Go past `size` bytes and return where they start."""
        start = self.at
        if size > len(self.data) - start:
            raise UbjError(f"the end of the file, where {size} bytes should follow,", start)
        self.at += size
        return start

    def _deeper(self, depth: int) -> int:
        if depth == DEPTH:
            raise UbjError(f"more than {DEPTH} containers in each other", self.at)
        return depth + 1
