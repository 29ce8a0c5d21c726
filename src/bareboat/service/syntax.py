"""The text of a value -> the variables in it: `${self:custom.x, 'default'}`.

The grammar is the Serverless Framework's (v3): a variable begins with `${` and a lower-case source name followed by `:`
or `(`; anything else in `${...}`, such as CloudFormation's `${AWS::Region}` in Fn::Sub, is left alone; `\\${` is text.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_SOURCE = re.compile(r"([a-z][A-Za-z0-9.-]*)\s*(\(|:(?!:))")
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\Z"
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
MAX_NESTING = 20


class Literal(NamedTuple):
    """A default written out: `'text'`, `12`, `true`, `null`."""

    value: str | int | float | bool | None


class Lookup(NamedTuple):
    """One source: `opt:stage`, `file(config.yml):key`, `strToBool(${env:X})`.

    Args:
        params: what stands in parentheses; None when there are none.
        address: what stands after the colon, itself with variables; None when there is none.
    """

    source: str
    params: tuple[Parts, ...] | None
    address: Parts | None
    text: str


class Variable(NamedTuple):
    """`${...}`: sources in the order in which they are tried."""

    choices: tuple[Lookup | Literal, ...]
    text: str


Parts = tuple[str | Variable, ...]


class VariableSyntaxError(Exception):
    """The text between `${` and `}` does not parse."""

    def __init__(self, found: str, *, expected: str, fix: str = "") -> None:
        super().__init__(found)
        self.expected = expected
        self.fix = fix


def parse(text: str) -> Parts | None:
    """Split a value into text and variables.

    Returns:
        The parts in order, adjacent text joined and escapes undone; None when there is neither variable nor escape.
    Raises:
        VariableSyntaxError: a variable is not closed, or holds what is no source.
    """
    if "${" not in text:
        return None
    parts = _Reader(text).parts("")
    return None if parts == (text,) else parts


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0

    def parts(self, stop: str) -> Parts:
        """Read up to one of the stop characters, or to the end when there are none."""
        found: list[str | Variable] = []
        written = ""
        while self.at < len(self.text) and self.text[self.at] not in stop:
            escaped, slashes = self.escape()
            written += "\\" * slashes
            if escaped:
                written += "${"
            elif self.is_variable():
                if written:
                    found.append(written)
                written = ""
                found.append(self.variable())
            elif not slashes:
                written += self.text[self.at]
                self.at += 1
        if stop and self.at >= len(self.text):
            raise self.unclosed(0)
        if written:
            found.append(written)
        return tuple(found)

    def escape(self) -> tuple[bool, int]:
        """Read backslashes before `${`: each pair is one backslash, an odd one keeps `${` as text."""
        end = self.at
        while end < len(self.text) and self.text[end] == "\\":
            end += 1
        count = end - self.at
        if not count or not self.text.startswith("${", end):
            return False, 0
        self.at = end + (2 if count % 2 else 0)
        return bool(count % 2), count // 2

    def is_variable(self) -> bool:
        return self.text.startswith("${", self.at) and _SOURCE.match(self.text, self.at + 2) is not None

    def unclosed(self, start: int) -> VariableSyntaxError:
        return VariableSyntaxError(
            f"{self.text[start:]} has no closing bracket", expected="${source:address}", fix="add '}'"
        )

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def variable(self) -> Variable:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise VariableSyntaxError(f"variables nested deeper than {MAX_NESTING}", expected="fewer")
        start = self.at
        self.at += 2
        choices: list[Lookup | Literal] = [self.lookup(start)]
        while True:
            self.space()
            if self.at >= len(self.text):
                raise self.unclosed(start)
            mark = self.text[self.at]
            self.at += 1
            if mark == "}":
                break
            if mark != ",":
                raise VariableSyntaxError(
                    f"'{mark}' after {self.text[start : self.at - 1]}", expected="',' and a default, or '}'"
                )
            self.space()
            choices.append(self.choice(start))
        self.nesting -= 1
        return Variable(tuple(choices), self.text[start : self.at])

    def choice(self, start: int) -> Lookup | Literal:
        if self.at < len(self.text) and self.text[self.at] in "'\"":
            return Literal(self.quoted())
        if _SOURCE.match(self.text, self.at):
            return self.lookup(start)
        end = min((self.text.find(mark, self.at) % (len(self.text) + 1) for mark in ",}"), default=len(self.text))
        word = self.text[self.at : end].strip()
        if word in _CONSTANTS or re.match(_NUMBER, word):
            self.at = end
            return Literal(_CONSTANTS[word] if word in _CONSTANTS else _number(word))
        raise VariableSyntaxError(
            f"the default '{word}' in {self.text[start : end + 1]} has no quotes",
            expected="a source such as opt:stage, or text in quotes, a number, true, false or null",
            fix=f"write '{word}' in quotes",
        )

    def lookup(self, start: int) -> Lookup:
        begin = self.at
        match = _SOURCE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        params: tuple[Parts, ...] | None = None
        address: Parts | None = None
        colon = match[2] == ":"
        if not colon:
            params = self.parameters(start)
            self.space()
            colon = self.at < len(self.text) and self.text[self.at] == ":"
            self.at += colon
        if colon:
            self.space()
            quote = self.at < len(self.text) and self.text[self.at] in "'\""
            address = (self.quoted(),) if quote else _strip(self.parts(",}"))
        return Lookup(match[1], params, address or None, self.text[begin : self.at].strip())

    def parameters(self, start: int) -> tuple[Parts, ...]:
        found: list[Parts] = []
        while True:
            self.space()
            if self.at < len(self.text) and self.text[self.at] in "'\"":
                found.append((self.quoted(),))
                self.space()
            else:
                found.append(_strip(self.parts(",)}")))
            if self.at >= len(self.text) or self.text[self.at] == "}":
                raise VariableSyntaxError(f"{self.text[start:]} has no closing ')'", expected="source(parameter)")
            self.at += 1
            if self.text[self.at - 1] == ")":
                return tuple(found)
            if self.text[self.at - 1] != ",":
                raise VariableSyntaxError(
                    f"'{self.text[self.at - 1]}' among the parameters of {self.text[start:]}", expected="',' or ')'"
                )

    def quoted(self) -> str:
        start = self.at
        quote = self.text[start]
        end = start + 1
        while end < len(self.text) and self.text[end] != quote:
            end += 2 if quote == '"' and self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise VariableSyntaxError(
                f"{self.text[start:]} has no closing quote", expected=f"text in {quote}", fix=f"add {quote}"
            )
        self.at = end + 1
        if quote == "'":
            return self.text[start + 1 : end]
        try:
            return str(json.loads(self.text[start : end + 1], strict=False))
        except ValueError:
            raise VariableSyntaxError(
                f"{self.text[start : end + 1]} is no text in double quotes", expected="JSON's escapes, or single quotes"
            ) from None


def _number(word: str) -> int | float:
    number = float(word)
    return int(number) if number.is_integer() else number


def _strip(parts: Parts) -> Parts:
    """Drop spaces at both ends."""
    trimmed = list(parts)
    if trimmed and isinstance(trimmed[0], str):
        trimmed[0] = trimmed[0].lstrip()
    if trimmed and isinstance(trimmed[-1], str):
        trimmed[-1] = trimmed[-1].rstrip()
    return tuple(part for part in trimmed if part != "")
