"""The processes of a function -> those that outgrow its memorySize are killed, as Lambda's kernel does.

Looking is what every user may do everywhere; control groups are not. A limit of the kernel on each process
(process.py) stops what allocates faster than this looks.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection
from time import perf_counter
from typing import Protocol

from bareboat.local.memory import family, own_bytes, shared_out_bytes

LOOK_S = 0.05
SOONEST_S = 0.004
WHOLE_FAMILY = 4  # each so many looks


class Grower(Protocol):
    """What has a process whose memory is bounded."""

    def worker(self) -> int:
        """Return the process's number when it has worked since the last call; else 0."""

    def outgrow(self) -> None:
        """Hear that it holds more than it may: kill it."""


class Ceiling:
    """Looks at the memory of what works, the more often the nearer it comes to `limit_bytes`.

    Args:
        growers: the set of them, as it is at each look.
    """

    def __init__(self, growers: Collection[Grower], limit_bytes: int) -> None:
        self._growers = growers
        self._limit = limit_bytes
        self._timer: asyncio.TimerHandle | None = None
        self._before: dict[int, tuple[float, int]] = {}
        self._looks = 0

    def wake(self) -> None:
        """Hear that something begins to work."""
        if self._timer is None and sys.platform == "linux":
            self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def cancel(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        self._looks += 1
        seen: dict[int, tuple[float, int]] = {}
        soonest = LOOK_S
        for grower in tuple(self._growers):
            pid = grower.worker()
            if not pid:
                continue
            held = self._held(pid)
            if held > self._limit:
                grower.outgrow()
                continue
            now = perf_counter()
            before_at, before = self._before.get(pid, (now - LOOK_S, 0))
            if held > before:  # at this pace, half of the way to the ceiling
                soonest = min(soonest, (self._limit - held) * (now - before_at) / (held - before) / 2)
            seen[pid] = now, held
        self._before = seen
        if seen:
            self._timer = asyncio.get_running_loop().call_later(max(soonest, SOONEST_S), self._look)

    def _held(self, pid: int) -> int:
        if self._looks % WHOLE_FAMILY:
            return own_bytes(pid)
        pids = family(pid)
        held = sum(map(own_bytes, pids))
        return shared_out_bytes(pids) if held > self._limit and len(pids) > 1 else held
