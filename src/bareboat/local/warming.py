"""Changed functions -> each with one process that is ready, before anybody calls them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bareboat.local.cores import usable_cores
from bareboat.local.functions import Functions, ServedFunction
from bareboat.local.init_error import init_error


async def warm(changed: Sequence[ServedFunction], before: Functions, folder: Path) -> None:
    """Start one process of each function and wait until it is through its init.

    A function that could not start before either is let through: its newest error is what its callers get.

    Args:
        folder: the project's, for the places of errors.
    Raises:
        LocalError: a function that worked does not start any more, or a new one does not.
        BareboatError: what `ServedFunction.ready` raises.
    """
    room = asyncio.Semaphore(usable_cores())

    async def ready(one: ServedFunction) -> None:
        async with room:  # more inits at once than cores end no sooner, and the first failure later
            failure = await one.warm()
        old = before.get(one.name)
        if failure is not None and not (old is not None and old.is_broken):
            raise init_error(one.name, failure, folder)

    tasks = [asyncio.ensure_future(ready(one)) for one in changed]
    try:
        for done in asyncio.as_completed(tasks):
            await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
