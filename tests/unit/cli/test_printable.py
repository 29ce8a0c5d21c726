"""What a function wrote cannot order the terminal about."""

from __future__ import annotations

import pytest

from bareboat.cli.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \u00e4 \u2615", "plain \u00e4 \u2615"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07"),
        ("\x1b[2J\x1b[6n", "\\x1b[2J\\x1b[6n"),
        ("\x9b2J\x00\x7f", "\\x9b2J\\x00\\x7f"),
    ],
)
def test_colours_stay_and_orders_are_spelt_out(text: str, shown: str) -> None:
    assert printable(text) == shown
