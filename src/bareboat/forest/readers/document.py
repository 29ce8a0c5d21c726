"""A model that is one JSON document (or UBJSON, the same in bytes) -> its parts, each checked as it is asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError

SAVE_AGAIN = "save or copy the model again; the file seems damaged"

_NOTHING = object()


def parse_json(path: Path, data: bytes) -> Part:
    """Read a JSON document; NaN and Infinity are numbers, as frameworks write them.

    What an object or a list holds is parsed when it is asked for, so that a large model is never Python objects as a
    whole.

    Raises:
        ModelError: it is no JSON; names the line and the column.
    """
    try:
        return Part(path, msgspec.json.decode(data, type=msgspec.Raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # msgspec knows neither NaN nor places: Python's own parser has the last word
    try:
        return Part(path, json.loads(data))
    except json.JSONDecodeError as error:
        raise ModelError(
            f"JSON that breaks off: {error.msg}",
            expected="a whole JSON document",
            fix=SAVE_AGAIN,
            where=f"{path}:{error.lineno}:{error.colno}",
        ) from error
    except (ValueError, RecursionError) as error:
        found = "JSON that is nested too deep" if isinstance(error, RecursionError) else "text that is not UTF-8"
        raise ModelError(found, expected="a JSON document", fix=SAVE_AGAIN, where=str(path)) from error


class Part:
    """One value of a document, with the way to it for messages.

    Args:
        path: the file.
        value: dict, list, numpy array, str, int, float, bool or None, or JSON that is still to be parsed.
        way: how to get there from the document, such as `learner.attributes`; "" for the whole.
    """

    __slots__ = ("_value", "path", "way")

    def __init__(self, path: Path, value: Any, way: str = "") -> None:
        self.path = path
        self._value = value
        self.way = way

    @property
    def value(self) -> Any:
        """What this part is, all of it parsed."""
        return self._parsed(Any) if isinstance(self._value, msgspec.Raw) else self._value

    def error(self, found: str, expected: str = "", fix: str = "") -> ModelError:
        """Return what is wrong with this part."""
        at = f" at {self.way}" if self.way else ""
        return ModelError(found + at, expected=expected, fix=fix, where=str(self.path))

    def __contains__(self, key: str) -> bool:
        return key in self._fields()

    def keys(self) -> set[str]:
        """Return the keys of an object."""
        return set(self._fields())

    def __getitem__(self, key: str) -> Part:
        """Return the field `key` of an object.

        Raises:
            ModelError: there is none.
        """
        value = self._fields().get(key, _NOTHING)
        if value is _NOTHING:
            raise self.error(f"no {key!r}", f"an object with {key!r}", SAVE_AGAIN)
        return Part(self.path, value, f"{self.way}.{key}" if self.way else key)

    def get(self, key: str) -> Part | None:
        """Return the field `key` of an object, or None when there is none."""
        return Part.__getitem__(self, key) if key in self._fields() else None

    def __iter__(self) -> Iterator[Part]:
        """Yield the items of a list."""
        items = self._value
        if isinstance(items, msgspec.Raw) and bytes(memoryview(items)[:1]) == b"[":
            items = self._parsed(list[msgspec.Raw])
        if not isinstance(items, list | np.ndarray):
            raise self.error(f"{_named(self.value)} instead of a list", "a list", SAVE_AGAIN)
        for place, value in enumerate(items):
            yield Part(self.path, value, f"{self.way}[{place}]")

    def text(self) -> str:
        """Return text."""
        value = self.value
        if not isinstance(value, str):
            raise self.error(f"{_named(value)} instead of text", "text", SAVE_AGAIN)
        return value

    def integer(self, at_least: int = 0, below: int = 1 << 31) -> int:
        """Return a whole number; one in text, as XGBoost writes its parameters, is as good."""
        value = self.value
        if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 20:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not at_least <= value < below:
            raise self.error(f"{_named(self.value)}", f"a whole number from {at_least} to {below - 1}", SAVE_AGAIN)
        return value

    def number(self) -> float:
        """Return a finite number."""
        value = self.value
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
            raise self.error(_named(value), "a finite number", SAVE_AGAIN)
        return float(value)

    def numbers(self, count: int | None = None) -> NDArray[np.float64]:
        """Return an array of numbers, infinities and NaN among them: (count,)."""
        return self._array("iuf", "numbers", count).astype(np.float64)

    def integers(self, count: int | None = None) -> NDArray[np.int64]:
        """Return an array of whole numbers of 64 bits, or of booleans as 0 and 1: (count,)."""
        return self._array("iub", "whole numbers", count).astype(np.int64)

    def _array(self, kinds: str, what: str, count: int | None) -> NDArray[Any]:
        items = self.value
        if not isinstance(items, list | np.ndarray):
            raise self.error(f"{_named(items)} instead of a list", f"a list of {what}", SAVE_AGAIN)
        try:
            array = np.asarray(items) if len(items) else np.zeros(0, np.int64)
        except (ValueError, OverflowError):
            array = np.zeros(0, object)
        if array.ndim != 1 or array.dtype.kind not in kinds:
            raise self.error(f"a list that holds other things than {what}", f"a list of {what}", SAVE_AGAIN)
        if count is not None and len(array) != count:
            raise self.error(f"{len(array)} {what}", f"{count}", SAVE_AGAIN)
        return array

    def _parsed(self, kind: Any) -> Any:
        """Parse what is still JSON: by Python where msgspec refuses, which takes no number past float64."""
        try:
            return msgspec.json.decode(self._value, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        try:
            return json.loads(bytes(self._value))
        except (ValueError, RecursionError) as error:
            raise self.error("text that is not UTF-8, or nested too deep", "JSON", SAVE_AGAIN) from error

    def _fields(self) -> dict[str, Any]:
        if isinstance(self._value, msgspec.Raw) and bytes(memoryview(self._value)[:1]) == b"{":
            self._value = self._parsed(dict[str, msgspec.Raw])
        if not isinstance(self._value, dict):
            raise self.error(f"{_named(self.value)} instead of an object", "an object", SAVE_AGAIN)
        return self._value


def _named(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | np.ndarray):
        return f"a list of {len(value)}"
    return repr(value)[:60]
