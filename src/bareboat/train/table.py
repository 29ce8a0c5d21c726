"""CSV or Parquet file -> a table of columns as they stand in the file: texts, or Parquet's own types."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from bareboat.errors import InputError
from bareboat.forest.table_file import (
    DELIMITERS,
    check_header,
    check_names,
    delimiter_of,
    is_parquet,
    parquet_table,
    table_bytes,
    table_text,
)
from bareboat.train.installed import need
from bareboat.train.notes import Notes

NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
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
    data = table_bytes(path)
    digest, size = sha256(data).hexdigest(), len(data)
    if is_parquet(data):
        return Table(path, _without_index(_parquet(path, data), path, notes), False, digest, size)
    text, encoding = table_text(path, data, encoding, fix="--encoding cp1252, if it was saved on Windows")
    used = delimiter or delimiter_of(text)
    header = _header(path, text, used)
    if used != "," and delimiter is None:
        notes.note(f"the columns of {path.name} are divided by {NAMES[used]}")
    if encoding not in {"utf-8", "utf-8-sig"}:
        notes.note(f"{path.name} is read as {encoding}")
    frame = _rows(path, text, used, header)
    if not len(frame):
        raise InputError("no rows", expected="a header and rows", where=str(path))
    return Table(path, _without_index(frame, path, notes), True, digest, size, used, encoding)


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
    check_header(header, path)
    nameless = [place + 1 for place, name in enumerate(header) if not name and place]
    if nameless:
        raise InputError(
            f"column {nameless[0]} has no name", expected="a name for each column", fix="name it", where=where
        )
    return header


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
        f"{there} values in row {int(row) - 1} of the data: {content[:60]!r}",
        expected=f"{width}, as the header has",
        fix=fix,
        where=str(path),
    )


def _parquet(path: Path, data: bytes) -> Any:
    pyarrow = need("pyarrow", "reads Parquet files")
    need("pandas", "reads tables")
    table = parquet_table(path, data)
    check_names([name.strip() for name in table.column_names], str(path))
    if not table.num_rows or not table.num_columns:
        raise InputError("no rows", expected="rows of two columns or more", where=str(path))
    try:
        return table.to_pandas(ignore_metadata=True)
    except pyarrow.ArrowException as error:
        raise InputError(f"cannot read the data: {error}", expected="a Parquet file", where=str(path)) from error


def _without_index(frame: Any, path: Path, notes: Notes) -> Any:
    index = [name for name in frame.columns if _INDEX.fullmatch(str(name))]
    if index:
        notes.note(f"{path.name} has an index that pandas wrote; it is left out")
    return frame.drop(columns=index)
