"""A file that holds a table -> its text and the delimiter between columns, or Arrow's table of Parquet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bareboat.errors import InputError

EMPTY = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "nil", "none", "?"})
"""What a text file writes where a value is missing, in small letters."""
DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SNIFFED_LINES, _SNIFFED_CHARACTERS = 50, 1 << 18
_INDEX = re.compile(r"__index_level_\d+__")
"""The columns of Parquet in which pandas keeps its index."""


def table_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        InputError: it cannot be read, or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the data: {error.strerror or error}",
            expected="a CSV or Parquet file",
            fix="check the path and its permissions",
            where=str(path),
        ) from error
    if not data:
        raise InputError("an empty file", expected="a header and rows", where=str(path))
    return data


def is_parquet(data: bytes) -> bool:
    """Tell Parquet by its first bytes."""
    return data.startswith(b"PAR1")


def parquet_table(path: Path, data: bytes) -> Any:
    """Return the pyarrow.Table that bytes of Parquet hold, without the index that pandas keeps there.

    Args:
        path: for messages.
    Raises:
        InputError: they are damaged, two columns have one name, or pyarrow is not installed.
    """
    try:
        from pyarrow import ArrowException, BufferReader, parquet
    except ImportError as error:
        raise InputError(
            "a Parquet file",
            expected="pyarrow to read it",
            fix="pip install pyarrow, or hand over CSV",
            where=str(path),
        ) from error
    try:
        table = parquet.read_table(BufferReader(data))
    except (OSError, ArrowException) as error:
        raise InputError(f"cannot read the data: {error}", expected="a Parquet file", where=str(path)) from error
    check_names(table.column_names, str(path))
    return table.drop_columns([name for name in table.column_names if _INDEX.fullmatch(name)])


def table_text(
    path: Path, data: bytes, encoding: str | None = None, *, fix: str = "save it as UTF-8"
) -> tuple[str, str]:
    """Return the text of a file that is no Parquet, unpacked where it is `.gz`, `.bz2` or `.xz`, and its encoding.

    Args:
        path: for messages.
        encoding: None for what its first bytes say, or else UTF-8.
        fix: what helps when it is in another one.
    Raises:
        InputError: it is damaged, no text or another kind of file, empty, or in another encoding; names the line.
    """
    content = _unpacked(path, data)
    encoding = encoding or next((name for bom, name in _BOMS if content.startswith(bom)), "utf-8")
    try:
        text = content.decode(encoding)
    except LookupError as error:
        raise InputError(f"no encoding {encoding!r}", expected="a name such as utf-8 or cp1252") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte {error.object[error.start]:#04x} is no {encoding}",
            expected="a text file in UTF-8",
            fix=fix,
            where=f"{path}:{line}",
        ) from error
    if "\0" in text[:4096]:
        raise InputError("no text file", expected="a CSV or Parquet file", where=str(path))
    if not text.strip():
        raise InputError("an empty file", expected="a header and rows", where=str(path))
    return text, encoding


def delimiter_of(text: str) -> str:
    """Return the delimiter by which the first lines have most columns, the same number on nearly every line."""
    best, columns = ",", 1
    for delimiter in DELIMITERS:
        widths = _widths(text, delimiter)
        alike = sum(width == widths[0] for width in widths) >= 0.9 * len(widths)
        if alike and widths[0] > columns:
            best, columns = delimiter, widths[0]
    if columns == 1:  # ragged by any of them: the header alone decides, and reading tells what is wrong
        first = next(line for line in text.splitlines() if line.strip())
        best = max(DELIMITERS, key=first.count)
    return best


def check_header(names: Sequence[str], path: Path) -> None:
    """Hold the first line of a text file against what names of columns are.

    Raises:
        InputError: they are numbers, or not distinct.
    """
    if all(is_number(name) for name in names):
        raise InputError(
            f"the first line is {', '.join(names[:4])}: numbers, no names",
            expected="a header that names the columns",
            fix="put the names on the first line",
            where=f"{path}:1",
        )
    check_names(names, f"{path}:1")


def check_names(names: Sequence[str], where: str) -> None:
    """Raise an InputError with the places of a name that several columns have."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        places = [place + 1 for place, name in enumerate(names) if name == twice[0]]
        others = f"; so it is with {', '.join(map(repr, twice[1:9]))}" if len(twice) > 1 else ""
        raise InputError(
            f"{len(places)} columns are called {twice[0]!r}: columns {', '.join(map(str, places[:8]))}{others}",
            expected="each name once",
            fix="rename or remove one of them in the file",
            where=where,
        )


def is_number(text: str) -> bool:
    """Tell whether a text reads as a number, NaN and infinity included."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unpacked(path: Path, data: bytes) -> bytes:
    import bz2
    import gzip
    import lzma
    import zlib

    kinds: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
        (b"\x1f\x8b", gzip.decompress),
        (b"BZh", bz2.decompress),
        (b"\xfd7zXZ\x00", lzma.decompress),
    )
    for magic, unpack in kinds:
        if data.startswith(magic):
            try:
                return unpack(data)
            except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error) as error:
                raise InputError(f"a damaged archive: {error}", expected="a whole file", where=str(path)) from error
    if data[:2] == b"PK":
        raise InputError(
            "a zip archive or an Excel file",
            expected="a CSV or Parquet file",
            fix="unpack it, or save the sheet as CSV",
            where=str(path),
        )
    return data


def _widths(text: str, delimiter: str) -> list[int]:
    """Return how many columns each of the first lines has."""
    reader = csv.reader(io.StringIO(text[:_SNIFFED_CHARACTERS]), delimiter=delimiter)
    widths = []
    try:
        for row in reader:
            if row:
                widths.append(len(row))
            if len(widths) == _SNIFFED_LINES:
                break
    except csv.Error:
        pass  # reading tells what is wrong
    return widths or [1]
