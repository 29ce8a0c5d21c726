"""A function's memory -> the cores that each of its processes may use."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence

MB_PER_CORE = 1769  # Lambda's CPU grows with memory and is one vCPU here: the Lambda quotas page


class Cores:
    """Deals cores to processes in turn, as many to each as the memory buys on Lambda, in whole cores.

    A library that starts a thread for each core it sees (OpenMP in LightGBM, BLAS in numpy) would else start them in
    every process, and they would take the machine from one another and from the gateway, waiting in circles.

    Args:
        memory_mb: the function's.
        available: the cores of this machine; None asks the system.
    """

    def __init__(self, memory_mb: int, available: Sequence[int] | None = None) -> None:
        self._available = _available() if available is None else tuple(available)
        self.each = max(1, memory_mb // MB_PER_CORE)
        self._turns: Iterator[int] = itertools.cycle(self._available)

    def deal(self) -> frozenset[int]:
        """Return the next process's cores; none where it may use them all, or the system cannot tell."""
        if self.each >= len(self._available):
            return frozenset()
        return frozenset(itertools.islice(self._turns, self.each))


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(_available()) or os.cpu_count() or 1


def _available() -> tuple[int, ...]:
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()
