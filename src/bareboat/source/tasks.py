"""What is done with one file, by this process or by a worker."""

from __future__ import annotations

from typing import NamedTuple

from bareboat.source.count import Lines, count_lines
from bareboat.source.strip import strip_source
from bareboat.source.text import SourceError


class Wanted(NamedTuple):
    """What is to go.

    Args:
        docstrings, blank_lines: whether they go beside the comments.
        keep: words; comments that begin with one of them stay.
    """

    docstrings: bool = False
    blank_lines: bool = False
    keep: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What became of a file.

    Args:
        before_bytes: its size; 0 when it cannot be read.
        data: its new contents; None when they are the old ones.
        why: why it is left alone; "" when it is not.
    """

    before_bytes: int
    data: bytes | None = None
    why: str = ""

    @property
    def after_bytes(self) -> int:
        """Return the size that it has afterwards."""
        return self.before_bytes if self.data is None else len(self.data)


def strip(source: str | bytes, wanted: Wanted) -> Outcome:
    """Strip a file, given by its path or as bytes."""
    try:
        data = source if isinstance(source, bytes) else _read(source)
    except OSError as error:
        return Outcome(0, None, f"cannot be read: {error.strerror}")
    try:
        stripped = strip_source(data, docstrings=wanted.docstrings, blank_lines=wanted.blank_lines, keep=wanted.keep)
    except SourceError as error:
        return Outcome(len(data), None, str(error))
    return Outcome(len(data), None if stripped == data else stripped)


def count(path: str) -> tuple[Lines, str]:
    """Count a file's lines; beside them "" or what is to be known of them."""
    try:
        return count_lines(_read(path))
    except OSError as error:
        return Lines(), f"cannot be read: {error.strerror}"


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - a Path for each of thousands of files
        return file.read()
