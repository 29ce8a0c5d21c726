"""A function that is being called -> its invocation, or word that an API waits no longer for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from bareboat.local.gateway.deadline import Deadline, DeadlinePassedError
from bareboat.local.invocation import Invocation

INIT_S = 10.0  # how long a cold start may add to a function's own timeout: Lambda's limit


class Patience:
    """How long an API waits for functions. One that takes longer goes on running.

    Args:
        limit_s: how long, at most.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._deadline = Deadline(limit_s)
        self._late: set[asyncio.Future[Invocation]] = set()

    async def wait(self, answer: Awaitable[Invocation], timeout_s: float) -> Invocation:
        """Return what a function answers.

        Args:
            timeout_s: the function's own timeout.
        Raises:
            DeadlinePassedError: there was no answer in time.
        """
        if timeout_s + INIT_S < self.limit_s:
            return await self._deadline.hold(answer)  # only waiting for a free process can take that long
        task = asyncio.ensure_future(answer)
        self._late.add(task)
        task.add_done_callback(self._forget)
        done, _ = await asyncio.wait({task}, timeout=self.limit_s)
        if not done:
            raise DeadlinePassedError
        return task.result()

    async def close(self) -> None:
        """Give up what still runs after its client was answered."""
        late = list(self._late)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _forget(self, task: asyncio.Future[Invocation]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # seen: nobody waits for it any more
