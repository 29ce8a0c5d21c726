"""Python source -> how many lines it has, and of what kind."""

from __future__ import annotations

import ast
import re
import warnings
from typing import NamedTuple

from bareboat.source.docstrings import docstrings
from bareboat.source.scan import scan
from bareboat.source.text import LINE_END, SourceError, line_starts, read_text

_ONLY_COMMENT = re.compile(rb"[ \t\f]*#")


class Lines(NamedTuple):
    """Lines of a file or of several; every physical line is of exactly one of the four kinds.

    Args:
        blank: empty or nothing but white space, outside of strings.
        comment: nothing but a comment.
        docstring: of a docstring, its blank lines included, with nothing else beside it but a comment.
        effective: what remains.
    """

    physical: int = 0
    blank: int = 0
    comment: int = 0
    docstring: int = 0
    effective: int = 0

    def plus(self, other: Lines) -> Lines:
        """Add up, kind by kind."""
        return Lines(*(one + more for one, more in zip(self, other, strict=True)))


def count_lines(data: bytes) -> tuple[Lines, str]:
    """Count the lines of a file.

    Returns:
        The lines, and "" or why this Python cannot read the file. Such a file is counted line by line: what looks like
        a comment is one, and nothing is a docstring.
    """
    try:
        text = read_text(data).data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
        found = scan(text)
    except SyntaxError as error:
        return _roughly(data), f"cannot be read by this Python: line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        kind = "" if isinstance(error, SourceError) else "cannot be read by this Python: "
        return _roughly(data), f"{kind}{error or 'it is nested too deeply'}"
    starts = line_starts(text)
    in_strings: set[int] = set()
    for start, end in found.strings:
        first, last = _line(starts, start), _line(starts, end - 1)
        in_strings.update(range(first + 1, last + 1))
    in_docstrings = set()
    for one in docstrings(tree):
        begin, end = starts[one.line - 1], starts[one.end_line - 1] + one.end_column
        before = text[begin : begin + one.column]
        after = LINE_END.split(text[end : end + 1000], maxsplit=1)[0].lstrip(b" \t\f;")
        lines = set(range(one.line - 1, one.end_line))
        if before.strip():
            lines.discard(one.line - 1)
        if after and not after.startswith(b"#"):
            lines.discard(one.end_line - 1)
        in_docstrings |= lines
    return _sorted_out(text, starts, in_docstrings, in_strings), ""


def _sorted_out(text: bytes, starts: list[int], in_docstrings: set[int], in_strings: set[int]) -> Lines:
    blank = comment = 0
    ends = [*starts[1:], len(text)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if number in in_docstrings or number in in_strings:
            continue
        if not text[start:end].strip():
            blank += 1
        elif _ONLY_COMMENT.match(text, start, end) is not None:
            comment += 1
    physical = len(starts)
    if starts[-1] == len(text):  # what follows the last line end is no line
        physical -= 1
        blank -= 1
    return Lines(physical, blank, comment, len(in_docstrings), physical - blank - comment - len(in_docstrings))


def _roughly(data: bytes) -> Lines:
    return _sorted_out(data, line_starts(data), set(), set())


def _line(starts: list[int], position: int) -> int:
    from bisect import bisect_right

    return bisect_right(starts, position) - 1
