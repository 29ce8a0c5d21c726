"""Category sets -> the bits of a `.forest` file, over the dense codes of each categorical column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import CategorySet

CODE_END = 1 << 31
"""A value is cut to an int of 32 bits, so no larger code is ever met."""

LARGEST_CODE = 1 << 26
"""A set is held as the bits of an integer, 8 MB for this code; LightGBM's text is larger by far for such a model."""
MOST_BYTES = 1 << 28


class SetRoom:
    """Counts what the sets of a model take: a few large codes in a small file must not take all memory."""

    def __init__(self) -> None:
        self._left = MOST_BYTES

    def has(self, largest: int) -> bool:
        """Whether there is room for one more set, whose largest code this is."""
        self._left -= largest // 8 + 1
        return largest <= LARGEST_CODE and self._left >= 0


def codes_of(bits: int) -> NDArray[np.int64]:
    """Return the places of the ones of an integer, rising, below CODE_END."""
    packed = np.frombuffer(bits.to_bytes((bits.bit_length() + 7) // 8, "little"), np.uint8)
    codes = np.flatnonzero(np.unpackbits(packed, bitorder="little"))
    return codes[codes < CODE_END]


def bits_of(codes: NDArray[Any]) -> int:
    """Return the integer whose ones stand at these places."""
    members = np.zeros(int(codes.max(initial=-1)) + 1, np.uint8)
    members[codes] = 1
    return int.from_bytes(np.packbits(members, bitorder="little").tobytes(), "little")


def known_codes(sets: Sequence[CategorySet]) -> NDArray[np.int64]:
    """Return the codes that stand in any of the sets of a column, rising."""
    union = 0
    for each in sets:
        union |= each.right if each.others_left else each.codes
    return codes_of(union)


def packed_set(categories: CategorySet, known: NDArray[np.int64]) -> bytes:
    """Return a set's bits, lowest first, without trailing zero bytes: a column's codes, any other number, NaN."""
    members = np.zeros(len(known) + 2, np.uint8)
    if categories.others_left:
        members[:-1] = 1
        members[np.searchsorted(known, codes_of(categories.right))] = 0
    else:
        members[np.searchsorted(known, codes_of(categories.codes))] = 1
    members[-1] = categories.nan_left
    return np.packbits(members, bitorder="little").tobytes().rstrip(b"\0")


def unpacked_set(packed: bytes, known: NDArray[Any]) -> CategorySet:
    """Return the set that `packed_set` has packed; raises ValueError for bits past the last."""
    members = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")
    if members[len(known) + 2 :].any():
        raise ValueError("a set with bits past its column's codes")
    members = np.pad(members, (0, max(0, len(known) + 2 - len(members))))[: len(known) + 2]
    inside = members[:-2] == 1
    others_left = bool(members[-2])
    return CategorySet(
        codes=bits_of(known[inside]),
        right=bits_of(known[~inside]) if others_left else 0,
        others_left=others_left,
        nan_left=bool(members[-1]),
    )
