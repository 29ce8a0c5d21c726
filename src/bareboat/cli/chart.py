"""Numbers -> curves and bars of characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MARKS = "*o"
"""Of the first curve and of the second one, which lies below it; colour is not needed to tell them apart."""
_EIGHTHS = "▏▎▍▌▋▊▉"


def curve_lines(curves: Mapping[str, Sequence[float]], *, marked: int, width: int = 64, height: int = 14) -> list[str]:
    """Draw one or two curves over 1, 2, ... with their scales.

    Args:
        curves: what to call each -> its values, finite.
        marked: a place from 1 on, shown below the axis.
        width, height: of the area, in characters.
    """
    n = max(map(len, curves.values()))
    width = min(width, max(n, 2))
    low = min(min(values) for values in curves.values())
    high = max(max(values) for values in curves.values())
    span = high - low or 1.0
    area = [[" "] * width for _ in range(height)]
    for mark, values in reversed(list(zip(MARKS, curves.values(), strict=False))):
        for column in range(width):
            first, end = _part(column, width, len(values))
            row = round((high - min(values[first:end])) / span * (height - 1))
            area[row][column] = mark
    scale = [f"{high:.5g}", *[""] * (height - 2), f"{low:.5g}"]
    left = max(map(len, scale))
    lines = [f"{label:>{left}} │{''.join(cells).rstrip()}" for label, cells in zip(scale, area, strict=True)]
    lines.append(f"{'':>{left}} └{'─' * width}")
    at = next(column for column in range(width) if _part(column, width, n)[1] >= marked)
    pointer = [" "] * max(width, at + 1)
    pointer[at] = "^"
    lines.append(f"{'':>{left}}  {''.join(pointer).rstrip()}")
    ends = f"1 {'rounds':^{max(width - 3 - len(str(n)), 6)}} {n}"
    lines.append(f"{'':>{left}}  {ends}")
    lines.append(f"{'':>{left}}  " + "   ".join(f"{mark} {name}" for mark, name in zip(MARKS, curves, strict=False)))
    return lines


def _part(column: int, width: int, n: int) -> tuple[int, int]:
    """Return the values that a column stands for; at least one."""
    first = column * n // width
    return first, max(first + 1, (column + 1) * n // width)


def bar(share: float, width: int = 30) -> str:
    """Return a bar for a share of 0.0 to 1.0, to an eighth of a character."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")
