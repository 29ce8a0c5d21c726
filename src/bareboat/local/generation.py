"""A service and its artifacts -> all that answers for them; replaced as a whole by the next one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from bareboat.local.functions import Functions, ServedFunction, close_all
from bareboat.local.site import Front
from bareboat.service.model import Service

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact


class Generation:
    """One state of the service: nothing in it changes but its processes and the count of its requests.

    Attributes:
        number: 1, and one more after each reload.
        fronts: what answers, by the door's name.
        busy: how many requests are under way in it.
    """

    def __init__(self, number: int, service: Service, artifacts: Mapping[str, Artifact], functions: Functions) -> None:
        self.number = number
        self.service = service
        self.artifacts = artifacts
        self.functions = functions
        self.fronts: dict[str, Front] = {}
        self.busy = 0
        self._idle: asyncio.Event | None = None

    def left(self) -> None:
        """Hear that a request has ended."""
        self.busy -= 1
        if self._idle is not None and not self.busy:
            self._idle.set()

    async def retire(self, successor: Functions | None, *, grace_s: float) -> None:
        """End it: what is under way has `grace_s` seconds; what the successor shares goes on."""
        functions = self.functions.not_in(successor)
        try:
            if self.busy and grace_s:
                self._idle = asyncio.Event()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._idle.wait(), grace_s)
            if grace_s:  # what nobody waits for any more runs on, as on Lambda
                await asyncio.gather(*(one.drained(grace_s) for one in functions))
        finally:
            await _finished(self._end(functions))

    async def _end(self, functions: list[ServedFunction]) -> None:
        try:
            await close_all(functions)
        finally:
            for front in self.fronts.values():
                await front.close()


async def _finished(work: Coroutine[Any, Any, None]) -> None:
    """Do something to its end, also when whoever waits for it is cancelled."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()
