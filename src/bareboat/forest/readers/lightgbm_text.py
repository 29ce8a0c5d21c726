"""The lines of a LightGBM text model: `key=value` fields, numbers, and where each stands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import ModelError

SAVE_AGAIN = "copy or save the model again"


@dataclass(frozen=True, slots=True)
class Field:
    """A `key=value` line. `line` counts from 1."""

    key: str
    value: bytes
    line: int

    def text(self) -> str:
        """Return the value as text; ModelText has checked that it is UTF-8."""
        return self.value.decode()


class Fields(Mapping[str, Field]):
    """The fields of the header or of a tree, by key."""

    def __init__(self, owner: str, first_line: int, source: ModelText) -> None:
        self._fields: dict[str, Field] = {}
        self._owner = owner
        self._first_line = first_line
        self._source = source

    def add(self, field: Field) -> None:
        """Take a field; the same key twice is an error."""
        if field.key in self._fields:
            raise self._source.error(field, f"{field.key} stands twice in {self._owner}", expected="each key once")
        self._fields[field.key] = field

    def __getitem__(self, key: str) -> Field:
        return self._fields[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def need(self, key: str) -> Field:
        """Return a field that must be there."""
        try:
            return self._fields[key]
        except KeyError:
            raise self._source.error(
                self._first_line, f"{self._owner} has no {key}", expected=f"a line {key}=...", fix=SAVE_AGAIN
            ) from None


class ModelText:
    """A text model, read line by line.

    Args:
        path: for messages.
        data: the whole file.
    Raises:
        ModelError: the file is not UTF-8 text.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        try:
            if not data.isascii():
                data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise self.error(
                line, f"a byte {data[error.start]:#04x} that is not UTF-8 text", "a text model", SAVE_AGAIN
            ) from error
        self._lines = data.split(b"\n")
        if not self._lines[-1]:
            self._lines.pop()  # a line end ends the last line, it does not begin another
        self._at = 0
        self.offset = 0

    def error(self, place: Field | int, found: str, expected: str = "", fix: str = "") -> ModelError:
        """Return a ModelError that names the file and the line."""
        line = place if isinstance(place, int) else place.line
        return ModelError(found, expected=expected, fix=fix, where=f"{self.path}:{line}")

    @property
    def line(self) -> int:
        """The number of the line that comes next, or of the last one at the end."""
        return min(self._at + 1, len(self._lines))

    def next_line(self) -> bytes | None:
        """Return the next line without its line end, or None at the end of the file."""
        if self._at >= len(self._lines):
            return None
        line = self._lines[self._at]
        self._at += 1
        self.offset += len(line) + 1
        return line[:-1] if line.endswith(b"\r") else line

    def cut_off(self, inside: str) -> ModelError:
        """Return the error of a file that ends too early."""
        return self.error(self.line, f"the file ends inside {inside}", "a whole model file", SAVE_AGAIN)

    def fields(self, known: frozenset[str], owner: str) -> Fields:
        """Read `key=value` lines up to the empty line that ends them; a key without `=` has an empty value."""
        fields = Fields(owner, self.line, self)
        while True:
            number = self.line
            line = self.next_line()
            if line is None:
                raise self.cut_off(owner)
            if not line:
                return fields
            key, _, value = line.partition(b"=")
            name = key.decode()
            if name not in known and self._at >= len(self._lines):  # half a key, and no line end
                raise self.cut_off(owner)
            if name not in known:
                raise self.error(
                    number,
                    f"{owner} has an unknown key {name[:40]!r}",
                    expected="one of " + ", ".join(sorted(known)),
                    fix=f"{SAVE_AGAIN}, with a LightGBM that bareboat knows (3 or 4)",
                )
            fields.add(Field(name, value, number))

    def tail(self) -> Fields:
        """Read what follows the last tree: `pandas_categorical` and the `categorical_feature` parameter."""
        start = self.line
        if self.next_line() != b"end of trees":
            raise self.error(start, "more than tree_sizes announces", "the line 'end of trees'", SAVE_AGAIN)
        fields = Fields("the end of the file", start, self)
        self._section(b"feature_importances:", None, fields)
        while (line := self.next_line()) is not None:
            number = self._at
            if line == b"parameters:":
                self._section(None, b"end of parameters", fields)
            elif line == b"parser:":
                self._section(None, b"end of parser", Fields("the parser section", number, self))
            elif line.startswith(b"pandas_categorical:"):
                fields.add(Field("pandas_categorical", line.partition(b":")[2], number))
            elif line.strip():
                raise self.error(number, "a line that is not known here", "the end of a LightGBM model", SAVE_AGAIN)
        return fields

    def _section(self, opening: bytes | None, closing: bytes | None, fields: Fields) -> None:
        """Skip a section, keeping `[categorical_feature: ...]`; without `closing` it ends at an empty line."""
        if opening is not None and (self.next_line() != b"" or self.next_line() != opening):
            raise self.error(self._at, "the end of a model without its feature_importances", opening.decode())
        while True:
            line = self.next_line()
            if line is None:
                if closing is None:
                    return
                raise self.cut_off(f"the section that {closing.decode()!r} closes")
            if line == (closing or b""):
                return
            if line.startswith(b"[categorical_feature: ") and line.endswith(b"]"):
                fields.add(Field("categorical_feature", line[len(b"[categorical_feature: ") : -1], self._at))

    def integer(self, field: Field, *, at_least: int = 0) -> int:
        """Return a field's one integer."""
        numbers = self.integers(field, 1)
        if numbers[0] < at_least:
            raise self.error(field, f"{field.key}={numbers[0]}", expected=f"at least {at_least}")
        return numbers[0]

    def integers(self, field: Field, count: int | None = None) -> list[int]:
        """Return a field's integers.

        Raises:
            ModelError: one of them is no integer, or there are not `count`.
        """
        words = self._words(field, count)
        try:
            return list(map(int, words))
        except ValueError:
            raise self._no_number(field, words, int, "an integer") from None

    def numbers(self, field: Field, count: int, *, infinite: bool = False) -> list[float]:
        """Return a field's numbers, rounded to the nearest float64 as LightGBM does.

        Raises:
            ModelError: one of them is no number, NaN, or infinite where that may not be, or there are not `count`.
        """
        words = self._words(field, count)
        try:
            numbers = list(map(float, words))
        except ValueError:
            raise self._no_number(field, words, float, "a number") from None
        for place, number in enumerate(numbers):
            if not math.isfinite(number) and not (infinite and math.isinf(number)):
                raise self.error(
                    field,
                    f"{words[place].decode()} as number {place + 1} of {field.key}",
                    expected="a number" if infinite else "a finite number",
                    fix="train again: the data or the learning rate led to values out of range",
                )
        return numbers

    def _words(self, field: Field, count: int | None) -> list[bytes]:
        words = field.value.split()
        if count is not None and len(words) != count:
            raise self.error(
                field, f"{len(words)} values in {field.key}", f"{count}, by the counts of this model", SAVE_AGAIN
            )
        if b"_" in field.value:  # Python reads 1_0 as 10
            raise self._no_number(field, words, str, "a number")
        return words

    def _no_number(self, field: Field, words: list[bytes], kind: type, expected: str) -> ModelError:
        for place, word in enumerate(words):
            try:
                if b"_" not in word:
                    kind(word)
                    continue
            except ValueError:
                pass
            shown = word[:40].decode(errors="replace")
            return self.error(field, f"{shown!r} as number {place + 1} of {field.key}", expected, SAVE_AGAIN)
        raise AssertionError("every word is a number")
