from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bareboat.errors import InputError
from bareboat.train.notes import Notes
from bareboat.train.table import read_table

Write = Callable[..., Path]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_read_table_finds_the_delimiter_and_tells_one_that_is_no_comma(write: Write, delimiter: str) -> None:
    notes = Notes()

    table = read_table(write(f"a{delimiter}b\n1{delimiter}x\n2{delimiter}y\n"), notes)

    assert table.frame.to_dict("list") == {"a": ["1", "2"], "b": ["x", "y"]}
    assert table.delimiter == delimiter
    assert bool(notes.all) == (delimiter != ",")


@pytest.mark.parametrize(
    ("content", "found", "fix"),
    [
        ("", "an empty file", ""),
        (" \n\n", "an empty file", ""),
        ("a,b\n", "no rows", ""),
        ("a\n1\n2\n", "one column, 'a'", "--delimiter with"),
        ("1,2\n3,4\n", "numbers, no names", "first line"),
        ("a,b,a\n1,2,3\n", "2 columns are called 'a': columns 1, 3", "rename"),
        ("a,,c\n1,2,3\n", "column 2 has no name", "name it"),
        ("a,b,c\n1,2,3\n4,5\n", "2 values in row 2 of the data", "put the values"),
        ("a,b,c\n1,2,3\n4,5,6,7\n", "4 values in row 2 of the data", "quotes"),
        ('a,b,c\n1,"2,3\n4,5,6\n', "2 values in row 1 of the data", "close the quote"),
        (b"PK\x03\x04abc", "zip archive or an Excel", "save the sheet as CSV"),
        (b"a,b\n1,\0\n", "no text file", ""),
        ("a,b\nx,Köln\n".encode("cp1252"), "byte 0xf6 is no utf-8", "--encoding cp1252"),
        (gzip.compress(b"a,b\n1,2\n" * 50, mtime=0)[:-20], "damaged archive", ""),
        (b"PAR1 and nothing else", "cannot read the data", ""),
    ],
)
def test_read_table_says_what_is_wrong_with_a_file(write: Write, content: str | bytes, found: str, fix: str) -> None:
    with pytest.raises(InputError) as caught:
        read_table(write(content), Notes())

    problem = caught.value.problems[0]
    assert found in problem.found
    assert fix in problem.fix
    assert "data.csv" in problem.where


def test_read_table_says_which_delimiter_a_wrong_one_hides(write: Write) -> None:
    with pytest.raises(InputError) as caught:
        read_table(write("a;b\n1;2\n"), Notes(), delimiter=",")

    assert "which holds semicolons" in caught.value.problems[0].found
    assert caught.value.problems[0].fix == "--delimiter ';'"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_read_table_reads_what_the_first_bytes_say(write: Write, encoding: str) -> None:
    table = read_table(write("a,b\n1,Köln\n".encode(encoding)), Notes())

    assert table.frame.to_dict("list") == {"a": ["1"], "b": ["Köln"]}


def test_read_table_reads_quotes_line_breaks_and_archives(write: Write) -> None:
    data = gzip.compress(b'a,"b, c"\r\n1,"x\ny"\r\n\r\n2,"say ""hi"""\r\n')

    table = read_table(write(data, "data.csv.gz"), Notes())

    assert table.frame.to_dict("list") == {"a": ["1", "2"], "b, c": ["x\ny", 'say "hi"']}


def test_read_table_leaves_out_the_index_that_pandas_wrote(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=pd.Index([5, 6]))
    frame.to_csv(tmp_path / "data.csv")
    frame.to_parquet(tmp_path / "data.parquet")

    tables = [read_table(tmp_path / name, Notes()) for name in ("data.csv", "data.parquet")]

    assert [list(table.frame.columns) for table in tables] == [["a", "b"], ["a", "b"]]
    assert [table.is_text for table in tables] == [True, False]


def test_read_table_of_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the data"):
        read_table(tmp_path / "none.csv", Notes())
