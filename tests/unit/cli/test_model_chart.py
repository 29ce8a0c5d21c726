from __future__ import annotations

import pytest

from bareboat.cli.chart import bar, curve_lines


def test_a_curve_is_drawn_with_its_scales_and_the_marked_place():
    lines = curve_lines({"data": [4.0, 2.0, 1.0, 3.0]}, marked=3, height=4)

    assert lines == [
        "4 │*",
        "  │   *",
        "  │ *",
        "1 │  *",
        "  └────",
        "     ^",
        "   1 rounds 4",
        "   * data",
    ]


def test_where_two_curves_meet_the_first_one_is_seen():
    lines = curve_lines({"data": [2.0, 1.0], "train": [2.0, 0.0]}, marked=2, height=3)

    assert [line[3:] for line in lines[:3]] == ["*", " *", " o"]
    assert lines[-1].strip() == "* data   o train"


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 1000])
@pytest.mark.parametrize("marked", ["first", "last"])
def test_any_number_of_rounds_fits(n, marked):
    place = 1 if marked == "first" else n
    values = [1.0 / (each + 1) for each in range(n)]

    lines = curve_lines({"data": values}, marked=place, width=64)

    left = lines[0].index("│")
    pointer = lines[15].index("^") - left - 1
    assert max(map(len, lines)) <= left + 72
    assert pointer == (0 if marked == "first" else min(n, 64) - 1)
    columns = zip(*(line[left + 1 :].ljust(64) for line in lines[:14]), strict=True)
    assert sum("*" in column for column in columns) == max(2, min(n, 64))


def test_equal_errors_are_a_line():
    assert curve_lines({"data": [1.0, 1.0]}, marked=1, height=2)[0] == "1 │**"


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(0.0, ""), (1.0, "█" * 8), (0.5, "█" * 4), (1 / 64, "▏"), (0.5 + 7 / 64, "████▉"), (7.0, "█" * 8)],
)
def test_a_bar_is_as_long_as_its_share(share, drawn):
    assert bar(share, width=8) == drawn
