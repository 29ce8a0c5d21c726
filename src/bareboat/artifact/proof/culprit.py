"""Which of many removed things an artifact cannot do without, found in few trials."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


class OutOfTrialsError(Exception):
    """More trials would be needed than were granted."""


def find_culprits(items: Sequence[Item], works: Callable[[frozenset[Item]], bool], *, trials: int) -> tuple[Item, ...]:
    """Return items without which nothing works, and with which all does; none of them is there in vain.

    Putting something back never breaks what worked. Each culprit takes about log2(len(items)) trials and one more.

    Args:
        items: all of them put back work, none of them does not.
        works: tries the items that are put back.
        trials: how many are granted.
    Raises:
        OutOfTrialsError: they do not suffice.
    """
    found: list[Item] = []
    candidates = list(items)
    granted = trials

    def tried(put_back: Sequence[Item]) -> bool:
        nonlocal granted
        if granted == 0:
            raise OutOfTrialsError
        granted -= 1
        return works(frozenset(put_back))

    while candidates:
        # of the shortest beginning that works, the last one is needed
        least, most = 1, len(candidates)
        while least < most:
            middle = (least + most) // 2
            if tried([*found, *candidates[:middle]]):
                most = middle
            else:
                least = middle + 1
        found.append(candidates[least - 1])
        candidates = candidates[: least - 1]
        if not candidates or tried(found):
            break
    return tuple(found)
