"""Python source -> the same program without comments, and on request without docstrings and blank lines."""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Collection, Iterator

from bareboat.source.docstrings import Docstring
from bareboat.source.docstrings import docstrings as docstrings_of
from bareboat.source.same import first_difference
from bareboat.source.scan import Scan, Span, scan
from bareboat.source.text import LINE_END, SourceError, line_starts, read_text

_DECLARATION = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")  # PEP 263
_BLANK = b" \t\f"
_SEMICOLON = re.compile(rb"[ \t\f]*;[ \t\f]*")

Edit = tuple[int, int, bytes]


def strip_source(
    data: bytes, *, docstrings: bool = False, blank_lines: bool = False, keep: Collection[str] = ()
) -> bytes:
    """Take the comments out of a file; what is returned is the same program, checked by its syntax tree.

    A `#!` in the first line and a declared encoding stay. As long as blank lines stay, every statement stays on its
    line, so that tracebacks tell the same numbers.

    Args:
        data: the file.
        docstrings: whether docstrings go too; a body that holds nothing else becomes `pass`.
        blank_lines: whether blank lines go too, those that comments and docstrings leave behind included.
        keep: words; a comment stays from the `#` on that is followed by one of them (`type:`, `noqa`, `pragma`).
    Raises:
        SourceError: this Python cannot read the file, or it would become another program.
    """
    text = read_text(data)
    before = _parsed(data, "cannot be read by this Python")
    try:
        found = scan(text.data)
        edits = _edits(text.data, found, tuple(docstrings_of(before)) if docstrings else (), keep)
        result = _edited(text.data, edits) if edits else text.data
        if blank_lines:
            result = _compacted(result, scan(result))
    except ValueError as error:
        raise SourceError(f"cannot be taken apart: {error}") from error
    if result == text.data:
        return data
    stripped = text.encoded(result)
    after = _parsed(stripped, "would not compile afterwards")
    different = first_difference(before, after, docstrings=docstrings, lines=not blank_lines)
    if different:
        raise SourceError(different)
    return stripped


def _parsed(data: bytes, else_: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's author, not of ours
            return ast.parse(data)
    except SyntaxError as error:
        place = f"line {error.lineno}: " if error.lineno else ""
        raise SourceError(f"{else_}: {place}{error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"{else_}: {error or 'it is nested too deeply'}") from error


def _edits(data: bytes, found: Scan, strings: tuple[Docstring, ...], keep: Collection[str]) -> list[Edit]:
    wanted = re.compile(rb"#[ \t]*(?:%s)" % b"|".join(re.escape(word.encode()) for word in keep)) if keep else None
    edits: list[Edit] = []
    header = _header_end(data)
    for start, end in found.comments:
        stays = start < header and _is_header(data, start, end)
        if not stays and wanted is not None and (match := wanted.search(data, start, end)) is not None:
            if match.start() > start:  # an explanation in front of it
                edits.append((start, match.start(), b""))
        elif not stays:
            edits.append((_back_over_blanks(data, start), end, b""))
    if strings:
        starts = line_starts(data)
        removed = [_docstring_edit(data, starts, one) for one in strings]
        edits = _outside(edits, removed) + removed
        edits.sort()
    return edits


def _outside(edits: list[Edit], removed: list[Edit]) -> list[Edit]:
    """Leave out edits that lie inside of others: comments between a docstring's parentheses go with it."""
    ordered = sorted(removed)
    starts = [edit[0] for edit in ordered]
    kept = []
    for edit in edits:
        place = bisect_right(starts, edit[0])
        if place == 0 or edit[1] > ordered[place - 1][1]:
            kept.append(edit)
    return kept


def _header_end(data: bytes) -> int:
    """Return where the second line ends."""
    position = 0
    for _ in range(2):
        match = LINE_END.search(data, position)
        if match is None:
            return len(data)
        position = match.end()
    return position


def _is_header(data: bytes, start: int, end: int) -> bool:
    line_start = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
    return (start == 0 and data.startswith(b"#!")) or _DECLARATION.match(data, line_start, end) is not None


def _back_over_blanks(data: bytes, position: int) -> int:
    while position and data[position - 1] in _BLANK:
        position -= 1
    return position


def _docstring_edit(data: bytes, starts: list[int], one: Docstring) -> Edit:
    start = starts[one.line - 1] + one.column
    end = starts[one.end_line - 1] + one.end_column
    line_ends = b"".join(LINE_END.findall(data, start, end))
    indent = data[starts[one.line - 1] : start]
    semicolon = _SEMICOLON.match(data, end)
    if one.is_whole_body:
        return start, semicolon.end() if semicolon is not None else end, b"pass" + line_ends
    if semicolon is not None:
        end = semicolon.end()
        follows = data[end : end + 1] not in {b"", b"#", b"\r", b"\n"}
        if follows and line_ends:
            # the statement after it moves to the line where the docstring ended
            if not indent.strip(_BLANK):
                return starts[one.line - 1], end, line_ends + indent
            return start, end, b"".join(b"\\" + line_end for line_end in LINE_END.findall(line_ends))
        if follows:
            return start, end, b""
    if not indent.strip(_BLANK):
        start = starts[one.line - 1]
    return start, end, line_ends


def _edited(data: bytes, edits: list[Edit]) -> bytes:
    parts: list[bytes] = []
    position = 0
    for start, end, replacement in edits:
        parts += (data[position:start], replacement)  # blanks before a comment may be gone already
        position = end
    parts.append(data[position:])
    return b"".join(parts)


def _compacted(data: bytes, found: Scan) -> bytes:
    """Take out blank lines that are not part of a string."""
    strings: Iterator[Span] = iter(found.strings)
    start, end = next(strings, (len(data), len(data)))
    kept: list[bytes] = []
    position = 0
    for line in _lines(data):
        while end <= position:
            start, end = next(strings, (len(data) + 1, len(data) + 1))
        inside = start < position
        after_backslash = bool(kept) and kept[-1].rstrip(b"\r\n").endswith(b"\\")
        if inside or after_backslash or line.strip(b" \t\f\r\n"):
            kept.append(line)
        position += len(line)
    return b"".join(kept)


def _lines(data: bytes) -> Iterator[bytes]:
    position = 0
    for match in LINE_END.finditer(data):
        yield data[position : match.end()]
        position = match.end()
    if position < len(data):
        yield data[position:]
