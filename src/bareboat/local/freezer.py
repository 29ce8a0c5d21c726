"""Idle processes -> stopped until their next event, as Lambda freezes an environment between invocations.

Lambda does it as soon as the runtime asks for the next event. Here a process is stopped when it has rested for 10 ms:
one that is kept busy then pays nothing for it, and whatever a handler leaves running is stopped all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

REST_S = 0.01


class Sleeper(Protocol):
    """What can be frozen.

    Attributes:
        rest: "" at work, "resting" when it was seen idle once, "frozen".
    """

    rest: str

    def freeze(self) -> None:
        """Stop its processes."""


class Freezer:
    """Stops those that rest.

    Args:
        idle: those without an event, as they are at each look.
    """

    def __init__(self, idle: Sequence[Sleeper]) -> None:
        self._idle = idle
        self._timer: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """Hear that one has become idle."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REST_S, self._look)

    def cancel(self) -> None:
        """Freeze no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        again = False
        for sleeper in self._idle:
            if sleeper.rest == "resting":
                sleeper.freeze()
            elif not sleeper.rest:
                sleeper.rest = "resting"
                again = True
        if again:
            self.wake()
