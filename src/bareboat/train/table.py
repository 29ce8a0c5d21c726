"""CSV or Parquet file -> a table of columns as they stand in the file: texts, or Parquet's own types."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from bareboat.errors import InputError
from bareboat.train.installed import need
from bareboat.train.notes import Notes, listed

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SNIFFED_LINES = 50
_BAD_ROW = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
_INDEX = re.compile(r"__index_level_\d+__|Unnamed: 0|")
"""What pandas calls an index that it wrote, in Parquet and in CSV."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What a file holds.

    Args:
        path: of the file.
        frame: a pandas data frame; of a text file all values are texts, "" where there is none.
        is_text: whether the values are texts that have yet to be read as numbers.
        digest: sha256 of the file, as hex.
        size_bytes: of the file.
        delimiter, encoding: of a text file, else "".
    """

    path: Path
    frame: Any
    is_text: bool
    digest: str
    size_bytes: int
    delimiter: str = ""
    encoding: str = ""


def read_table(path: Path, notes: Notes, *, delimiter: str | None = None, encoding: str | None = None) -> Table:
    """Read a file with a header: Parquet, or text divided by `,` `;` `|` or tabs; `.gz`, `.bz2` and `.xz` are unpacked.

    Raises:
        InputError: it cannot be read, is empty, or is no table; names the line.
    """
    data = _bytes(path)
    digest, size = sha256(data).hexdigest(), len(data)
    if not data:
        raise InputError("an empty file", expected="a header and rows", where=str(path))
    if data[:4] == b"PAR1":
        return Table(path, _without_index(_parquet(path, data), path, notes), False, digest, size)
    content = _unpacked(path, data)
    encoding = encoding or next((name for bom, name in _BOMS if content.startswith(bom)), "utf-8")
    text = _decoded(path, content, encoding)
    used = delimiter or _delimiter(text)
    header = _header(path, text, used)
    if used != "," and delimiter is None:
        notes.note(f"the columns of {path.name} are divided by {NAMES[used]}")
    if encoding not in {"utf-8", "utf-8-sig"}:
        notes.note(f"{path.name} is read as {encoding}")
    frame = _rows(path, text, used, header)
    if not len(frame):
        raise InputError("no rows", expected="a header and rows", where=str(path))
    return Table(path, _without_index(frame, path, notes), True, digest, size, used, encoding)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the data: {error.strerror or error}",
            expected="a CSV or Parquet file",
            fix="check the path and its permissions",
            where=str(path),
        ) from error


def _unpacked(path: Path, data: bytes) -> bytes:
    import bz2
    import gzip
    import lzma

    kinds: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
        (b"\x1f\x8b", gzip.decompress),
        (b"BZh", bz2.decompress),
        (b"\xfd7zXZ\x00", lzma.decompress),
    )
    for magic, unpack in kinds:
        if data.startswith(magic):
            try:
                return unpack(data)
            except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
                raise InputError(f"a damaged archive: {error}", expected="a whole file", where=str(path)) from error
    if data[:2] == b"PK":
        raise InputError(
            "a zip archive or an Excel file",
            expected="a CSV or Parquet file",
            fix="unpack it, or save the sheet as CSV",
            where=str(path),
        )
    return data


def _decoded(path: Path, content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except LookupError as error:
        raise InputError(f"no encoding {encoding!r}", expected="a name such as utf-8 or cp1252") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte {error.object[error.start]:#04x} is no {encoding}",
            expected="a text file in UTF-8",
            fix="--encoding cp1252, if it was saved on Windows",
            where=f"{path}:{line}",
        ) from error
    if "\0" in text[:4096]:
        raise InputError("no text file", expected="a CSV or Parquet file", where=str(path))
    if not text.strip():
        raise InputError("an empty file", expected="a header and rows", where=str(path))
    return text


def _delimiter(text: str) -> str:
    """Return the delimiter by which the first lines have most columns, the same number on nearly every line."""
    best, columns = ",", 1
    for delimiter in DELIMITERS:
        widths = _widths(text, delimiter)
        alike = sum(width == widths[0] for width in widths) >= 0.9 * len(widths)
        if alike and widths[0] > columns:
            best, columns = delimiter, widths[0]
    if columns == 1:  # ragged by any of them: the header alone decides, and reading tells what is wrong
        first = _first_line(text)
        best = max(DELIMITERS, key=first.count)
    return best


def _widths(text: str, delimiter: str) -> list[int]:
    reader = csv.reader(io.StringIO(text[: 1 << 18]), delimiter=delimiter)
    widths = []
    try:
        for row in reader:
            if row:
                widths.append(len(row))
            if len(widths) == _SNIFFED_LINES:
                break
    except csv.Error:
        pass
    return widths or [1]


def _first_line(text: str) -> str:
    return next(line for line in text.splitlines() if line.strip())


def _header(path: Path, text: str, delimiter: str) -> list[str]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    try:
        header = [name.strip() for name in next(row for row in reader if row)]
    except csv.Error as error:
        raise InputError(f"no CSV: {error}", expected="a header and rows", where=f"{path}:1") from error
    where = f"{path}:1"
    if len(header) < 2:
        seen = next((each for each in DELIMITERS if each != delimiter and each in header[0]), None)
        raise InputError(
            f"one column, {header[0][:60]!r}" + (f", which holds {NAMES[seen]}" if seen else ""),
            expected=f"columns divided by {NAMES.get(delimiter, repr(delimiter))}: the target, and one to tell it by",
            fix=f"--delimiter '{seen}'" if seen else "--delimiter with the character between the columns",
            where=where,
        )
    if all(_is_number(name) for name in header):
        raise InputError(
            f"the first line is {', '.join(header[:4])}: numbers, no names",
            expected="a header that names the columns",
            fix="put the names on the first line",
            where=where,
        )
    _check_names(header, where)
    return header


def _check_names(names: list[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        places = [place + 1 for place, name in enumerate(names) if name == twice[0]]
        raise InputError(
            f"{len(places)} columns are called {twice[0]!r}: columns {listed(places)}"
            + (f"; so it is with {listed(map(repr, twice[1:]))}" if len(twice) > 1 else ""),
            expected="each name once",
            fix="rename or remove one of them in the file",
            where=where,
        )
    nameless = [place + 1 for place, name in enumerate(names) if not name and place]
    if nameless:
        raise InputError(
            f"column {nameless[0]} has no name", expected="a name for each column", fix="name it", where=where
        )


def _rows(path: Path, text: str, delimiter: str, header: list[str]) -> Any:
    """Read the rows as texts; a row with more or fewer values than the header has is an error."""
    pyarrow = need("pyarrow", "reads tables")
    reader = need("pyarrow.csv", "reads tables")
    need("pandas", "holds tables")
    try:
        table = reader.read_csv(
            io.BytesIO(text.lstrip("\ufeff").encode()),
            read_options=reader.ReadOptions(use_threads=False, column_names=header),  # threads know no line numbers
            parse_options=reader.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=reader.ConvertOptions(
                column_types=dict.fromkeys(header, pyarrow.string()), strings_can_be_null=False
            ),
        )
    except pyarrow.ArrowInvalid as error:
        raise _bad_row(path, str(error)) from error
    return table.slice(1).to_pandas()  # the header was its first row


def _bad_row(path: Path, message: str) -> InputError:
    found = _BAD_ROW.search(message)
    if found is None:
        return InputError(f"no CSV: {message}", expected="a header and rows", where=str(path))
    row, width, there, content = found.groups()
    fix = "put quotes round a value that holds the delimiter"
    if int(there) < int(width):
        fix = "close the quote" if content.count('"') % 2 else "put the values or the delimiters in"
    return InputError(
        f"{there} values in row {row} of the file: {content[:60]!r}",
        expected=f"{width}, as the header has",
        fix=fix,
        where=str(path),
    )


def _parquet(path: Path, data: bytes) -> Any:
    pyarrow = need("pyarrow", "reads Parquet files")
    parquet = need("pyarrow.parquet", "reads Parquet files")
    need("pandas", "reads tables")
    try:
        table = parquet.read_table(pyarrow.BufferReader(data))
        _check_names([name.strip() for name in table.column_names], str(path))
        if not table.num_rows or not table.num_columns:
            raise InputError("no rows", expected="rows of two columns or more", where=str(path))
        return table.to_pandas(ignore_metadata=True)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"cannot read the data: {error}", expected="a Parquet file", where=str(path)) from error


def _without_index(frame: Any, path: Path, notes: Notes) -> Any:
    index = [name for name in frame.columns if _INDEX.fullmatch(str(name))]
    if index:
        notes.note(f"{path.name} has an index that pandas wrote; it is left out")
    return frame.drop(columns=index)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
