"""Work under way -> cancelled when it takes longer than an API waits, at the price of a dict entry each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class DeadlinePassedError(Exception):
    """The work was cancelled because its time was over."""


class Deadline:
    """The same time limit for much work: one timer looks after all of it, instead of one each on the hot path.

    Args:
        limit_s: how long work may take; it is cancelled at most a tenth later (and at most a second).
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._step_s = min(1.0, limit_s / 10)
        self._until: dict[asyncio.Task[object], float] = {}  # in the order of their ends
        self._timer: asyncio.TimerHandle | None = None

    async def hold(self, work: Awaitable[T]) -> T:
        """Return what the work returns.

        Raises:
            DeadlinePassedError: it took longer, and was cancelled.
        """
        loop = asyncio.get_running_loop()
        task: asyncio.Task[object] | None = asyncio.current_task(loop)
        assert task is not None
        self._until[task] = loop.time() + self.limit_s
        if self._timer is None:
            self._timer = loop.call_later(self._step_s, self._look)
        try:
            return await work
        except asyncio.CancelledError:
            if task not in self._until and task.uncancel() == 0:
                raise DeadlinePassedError from None
            raise
        finally:
            self._until.pop(task, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for task in [task for task, until in self._until.items() if until <= now]:
            del self._until[task]
            task.cancel()
        self._timer = loop.call_later(self._step_s, self._look) if self._until else None
