"""What `forest.dataset.read_columns` takes for a table."""

from __future__ import annotations

import gzip
import zlib

import pytest

from bareboat.errors import InputError
from bareboat.forest.dataset import read_columns


@pytest.mark.parametrize(
    "data",
    [
        "a;b\r\n1;Köln\r\n\r\n".encode(),
        "a;b\n1;Köln\n".encode("utf-16"),
        "a;b\n1;Köln\n".encode("utf-8-sig"),
        gzip.compress("a;b\n1;Köln\n".encode(), mtime=0),
    ],
)
def test_read_columns_reads_what_the_first_bytes_say(tmp_path, data):
    (tmp_path / "data.txt").write_bytes(data)

    assert read_columns(tmp_path / "data.txt") == {"a": ["1"], "b": ["Köln"]}


def test_read_columns_keeps_blanks_in_names_since_a_model_may_have_them(tmp_path):
    (tmp_path / "data.csv").write_text(" age,fuel \n1, gas\n")

    assert read_columns(tmp_path / "data.csv") == {" age": ["1"], "fuel ": [" gas"]}


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"PAR1 and nothing else", "cannot read the data"),
        (b"a,b\n1,\xff\n", "byte 0xff is no utf-8"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-10] + zlib.compress(b"x"), "a damaged archive"),
        (b"PK\x03\x04", "a zip archive or an Excel file"),
    ],
)
def test_read_columns_says_what_is_no_table(tmp_path, data, found):
    (tmp_path / "data.csv").write_bytes(data)

    with pytest.raises(InputError, match=found):
        read_columns(tmp_path / "data.csv")
