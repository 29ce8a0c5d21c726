"""A text -> what of it fits into the width of a terminal."""

from __future__ import annotations

from shutil import get_terminal_size

ELLIPSIS = "…"


def terminal_width() -> int:
    """Return how many columns a line has, the last one left free: some terminals break a line that fills it."""
    return max(20, get_terminal_size().columns - 1)


def shortened(name: str, width: int) -> str:
    """Return a name of at most `width` characters, cut in its middle: logical ids differ at both ends."""
    if len(name) <= width:
        return name
    kept = max(width - 1, 2)
    return f"{name[: kept - kept // 2]}{ELLIPSIS}{name[len(name) - kept // 2 :]}"


def cropped(text: str, width: int) -> str:
    """Return a text of at most `width` characters, cut at its end."""
    return text if len(text) <= width else f"{text[: width - 1]}{ELLIPSIS}"
