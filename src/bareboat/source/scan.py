"""Python source -> where its comments and its strings are.

A scanner of its own, since `tokenize` takes eight times as long and nothing but these two kinds of tokens matters here.
It is never trusted: whoever takes something out of a file compares the syntax trees afterwards.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Span = tuple[int, int]

_BODIES = {
    b'"""': rb'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""',
    b"'''": rb"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''",
    b'"': rb'[^"\\\r\n]*(?:\\(?:\r\n|.)[^"\\\r\n]*)*"',
    b"'": rb"[^'\\\r\n]*(?:\\(?:\r\n|.)[^'\\\r\n]*)*'",
}
# An f- or t-string may hold others inside of its braces, so it is only opened here and read by `_formatted`.
_FORMATTED = rb"""(?<![\w\x80-\xff])(?:[fFtT][rR]?|[rR][fFtT])(?P<quote>\"{3}|'{3}|"|')"""
_PLAIN = b"|".join(quote + body for quote, body in _BODIES.items())
_COMMENT = rb"\#[^\r\n]*"
_TOKEN = re.compile(rb"(?P<comment>%s)|%s|(?P<string>%s)" % (_COMMENT, _FORMATTED, _PLAIN), re.DOTALL)
_IN_BRACES = re.compile(
    rb"(?P<comment>%s)|%s|(?P<string>%s)|(?P<mark>!=|[(\[{:)\]}])" % (_COMMENT, _FORMATTED, _PLAIN), re.DOTALL
)
_EQUALS = re.compile(rb"=\s*(?:!\s*[rsa]\s*)?\Z")
_NAMED = rb"\\N\{[^}]*\}|"
_LITERAL = {
    (quote, raw): re.compile(
        (b"" if raw else _NAMED) + rb"\\(?:\r\n|[^{}])|(?P<mark>\{\{|\}\}|\{|\}|%s)" % quote, re.DOTALL
    )
    for quote in _BODIES
    for raw in (True, False)
}


class Scan(NamedTuple):
    """Spans of a source text, in bytes, in order.

    Args:
        comments: from `#` up to the end of the line.
        strings: literals that reach over more than one line.
    """

    comments: list[Span]
    strings: list[Span]


def scan(data: bytes) -> Scan:
    """Find comments and strings.

    Args:
        data: valid Python source, as UTF-8.
    Raises:
        ValueError: a string does not end.
    """
    found = Scan([], [])
    position = 0
    search = _TOKEN.search
    while (match := search(data, position)) is not None:
        start, position = match.span()
        if match["quote"]:
            position = _formatted(data, position, match, found)
        elif match["comment"]:
            found.comments.append((start, position))
            continue
        if data.find(b"\n", start, position) >= 0 or data.find(b"\r", start, position) >= 0:
            found.strings.append((start, position))
    return found


def _formatted(data: bytes, position: int, opening: re.Match[bytes], found: Scan) -> int:
    """Return where the string ends whose text begins at `position`.

    Source:
        The Python Language Reference, 2.4.3 (f-strings) and CPython's Parser/tokenizer.c, tok_get_fstring_mode.
    """
    quote = opening["quote"]
    search = _LITERAL[quote, b"r" in opening[0].lower()].search
    while (match := search(data, position)) is not None:
        position = match.end()
        mark = match["mark"]
        if mark == quote:
            return position
        if mark == b"{":
            position = _replacement(data, position, quote, found)
    raise ValueError("a formatted string does not end")


def _replacement(data: bytes, position: int, quote: bytes, found: Scan) -> int:
    """Return where the replacement field ends whose expression begins at `position`."""
    depth = 0
    begin, n_comments = position, len(found.comments)
    while (match := _IN_BRACES.search(data, position)) is not None:
        start, position = match.span()
        mark = match["mark"]
        if match["comment"]:
            found.comments.append((start, position))
        elif match["quote"]:
            position = _formatted(data, position, match, found)
        elif mark is None or mark == b"!=":
            continue
        elif mark in b"([{":
            depth += 1
        elif depth == 0 and mark in b":}":
            if _shows_itself(data[begin:start], begin, found.comments[n_comments:]):
                del found.comments[n_comments:]
            if mark == b"}":
                return position
            return _specification(data, position, quote, found)
        elif mark != b":":
            depth -= 1
    raise ValueError("a replacement field does not end")


def _shows_itself(expression: bytes, begin: int, comments: list[Span]) -> bool:
    """Whether it is `{expression=}`: its text is then part of the string, comments included."""
    for start, end in reversed(comments):
        expression = expression[: start - begin] + expression[end - begin :]
    return _EQUALS.search(expression) is not None


def _specification(data: bytes, position: int, quote: bytes, found: Scan) -> int:
    """Return where the field ends whose format specification begins at `position`; braces are never doubled in it."""
    search = re.compile(rb"[{}]").search
    while (match := search(data, position)) is not None:
        position = match.end()
        if match[0] == b"}":
            return position
        position = _replacement(data, position, quote, found)
    raise ValueError("a format specification does not end")
