"""Every physical line is of one kind."""

from __future__ import annotations

import pytest

from bareboat.source.count import Lines, count_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Lines(0, 0, 0, 0, 0)),
        ("x = 1", Lines(1, 0, 0, 0, 1)),
        ("\n\n", Lines(2, 2, 0, 0, 0)),
        ("# a\n\n  # b\nx = 1  # c\n", Lines(4, 1, 2, 0, 1)),
        ('"""Doc.\n\nMore.\n"""\n\nx = 1\n', Lines(6, 1, 0, 4, 1)),
        ('"""Doc."""  # c\n', Lines(1, 0, 0, 1, 0)),
        ('def f(): "doc"\n', Lines(1, 0, 0, 0, 1)),
        ('class A:\n    """a\n    b"""; x = 1\n', Lines(3, 0, 0, 1, 2)),
        ('x = """\n\n# text\n"""\n', Lines(4, 0, 0, 0, 4)),
        ("x = (1,\n     # in it\n\n     2)\n", Lines(4, 1, 1, 0, 2)),
        ("x = 1\r\n# a\r\n\r\n", Lines(3, 1, 1, 0, 1)),
        ("\f\nx = 1\n", Lines(2, 1, 0, 0, 1)),
        ("x = 1 \\\n  + 2\n", Lines(2, 0, 0, 0, 2)),
    ],
)
def test_lines_are_sorted_out(text: str, expected: Lines) -> None:
    assert count_lines(text.encode()) == (expected, "")


def test_a_file_that_this_python_cannot_read_is_counted_roughly() -> None:
    lines, why = count_lines(b"# a\n\nprint 'x'\n")

    assert lines == Lines(3, 1, 1, 0, 1)
    assert "line 3" in why
