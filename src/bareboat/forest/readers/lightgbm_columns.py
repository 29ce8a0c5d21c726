"""The same field of many `Tree=` blocks -> one array, read at once; what is wrong is found again field by field."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.readers.lightgbm_text import SAVE_AGAIN, Field, Fields, ModelText

_INTEGER = b"0123456789- "
_NUMBER = b"0123456789-+.einfa "


class Columns:
    """The fields of some trees, by key.

    Args:
        text: for messages, and for fields that are not written as LightGBM writes them.
        blocks: (n,) the trees.
        counts: (n,) how many values a field of each tree has.
    """

    def __init__(self, text: ModelText, blocks: Sequence[Fields], counts: NDArray[np.int64]) -> None:
        self._text = text
        self._blocks = blocks
        self._counts = counts
        self._ends = np.cumsum(counts, dtype=np.int64)

    def integers(self, key: str, low: int, high: int, name: str = "") -> NDArray[np.int64]:
        """Return the integers of all trees' fields `key`, (sum(counts),).

        Raises:
            ModelError: one of them is no integer or not from low to high, or there are not as many as there must be.
        """
        values: NDArray[np.int64] = self._read(key, np.int64)
        wrong = (values < low) | (values > high)
        if wrong.any():
            place = int(np.argmax(wrong))
            found = f"{name} {values[place]} in {key}" if name else self.place_of(values[place], key, place)
            raise self.error(key, place, found, f"{low} to {high}")
        return values

    def numbers(self, key: str, *, infinite: bool = False) -> NDArray[np.float64]:
        """Return the numbers of all trees' fields `key`, (sum(counts),), rounded to the nearest float64.

        Raises:
            ModelError: one of them is no number, NaN, or infinite where that may not be, or there are not as many as
                there must be.
        """
        values: NDArray[np.float64] = self._read(key, np.float64)
        wrong = np.isnan(values) if infinite else ~np.isfinite(values)
        if wrong.any():
            place = int(np.argmax(wrong))
            self._text.numbers(*self._field(key, place), infinite=infinite)
            raise AssertionError("the field by itself is read in the same way")
        return values

    def parts(self, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return rising places in the array of all trees, tree by tree: n arrays."""
        return np.split(places, np.searchsorted(places, self._ends[:-1]))

    def place_of(self, value: object, key: str, place: int) -> str:
        """Return where a value stands, for a message; `place` in the array of all trees."""
        tree = int(np.searchsorted(self._ends, place, side="right"))
        return f"{value} as number {place - int(self._ends[tree] - self._counts[tree]) + 1} of {key}"

    def error(self, key: str, place: int, found: str, expected: str) -> ModelError:
        """Return the error of a value, `place` in the array of all trees."""
        return self._text.error(self._field(key, place)[0], found, expected, SAVE_AGAIN)

    def _field(self, key: str, place: int) -> tuple[Field, int]:
        tree = int(np.searchsorted(self._ends, place, side="right"))
        return self._blocks[tree].need(key), int(self._counts[tree])

    def _read(self, key: str, dtype: type[np.generic]) -> NDArray[Any]:
        fields = [block.need(key) for block in self._blocks]
        if not fields:
            return np.empty(0, dtype)
        joined = b" ".join([field.value for field in fields])
        # Each word gives one number or more, so as many numbers as words means one each, and each in its place.
        spaces = np.array([field.value.count(b" ") for field in fields], np.int64)
        plain = (
            bool((spaces + 1 == self._counts).all())
            and not joined.translate(None, _INTEGER if dtype is np.int64 else _NUMBER)
            and b"  " not in joined
            and joined.strip() == joined
        )
        if plain and joined:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    values: NDArray[Any] = np.fromstring(joined, dtype, sep=" ")
                except (DeprecationWarning, ValueError):
                    values = np.empty(0, dtype)
            if len(values) == int(self._ends[-1]):
                return values
        return self._read_slowly(fields, dtype)

    def _read_slowly(self, fields: Sequence[Field], dtype: type[np.generic]) -> NDArray[Any]:
        """Read field by field, so that what is wrong is named; LightGBM too takes more than one space."""
        values: list[float] = []
        for field, count in zip(fields, self._counts.tolist(), strict=True):
            values += (
                self._text.integers(field, count)
                if dtype is np.int64
                else self._text.numbers(field, count, infinite=True)
            )
        try:
            return np.array(values, dtype)
        except OverflowError:
            place = next(place for place, value in enumerate(values) if not -(1 << 63) <= value < 1 << 63)
            key = fields[0].key
            raise self.error(key, place, f"{values[place]} in {key}", "a number of 32 bits") from None
