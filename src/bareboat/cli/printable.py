"""What others wrote -> what a terminal may be shown: colours, and nothing that moves, asks or sets it."""

from __future__ import annotations

import re

# Colours (SGR), the line ends of Windows, and the control characters C0 and C1 but tab and line feed.
_CONTROL = re.compile(r"(\x1b\[[0-9;]*m)|\r(?=\n)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    r"""Return a text with its control characters spelt out, such as `\x1b`.

    A function logs what its clients send it, and terminals take orders from what they show.
    """
    return text if text.isprintable() else _CONTROL.sub(_spelt, text)


def _spelt(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    return "" if found[0] == "\r" and found.string[found.end() : found.end() + 1] == "\n" else f"\\x{ord(found[0]):02x}"
