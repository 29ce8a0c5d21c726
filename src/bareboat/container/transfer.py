"""Several blobs at once, counted together: the first that fails ends the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TypeVar

from bareboat.container.documents import Descriptor

AT_ONCE = 4
_STEPS = 20  # lines of progress at most, for logs that keep every one
T = TypeVar("T")


class Stopped(Exception):  # noqa: N818 - nobody sees it
    """Another blob failed, or the person pressed Ctrl-C."""


class Meter:
    """How many bytes of all have come.

    Args:
        total_bytes: of all blobs.
        on_step: told "12.0 of 45.2 MB", as often as a twentieth is done.
        on_stop: called when every transfer is to end.
    """

    def __init__(self, total_bytes: int, on_step: Callable[[str], None], on_stop: Callable[[], None]) -> None:
        self._total = total_bytes
        self._on_step = on_step
        self._on_stop = on_stop
        self._done: dict[str, int] = {}
        self._told = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def stop(self) -> None:
        """End every transfer at its next block."""
        self._stop.set()
        self._on_stop()

    def done(self, blob: Descriptor, size_bytes: int) -> None:
        """Take down how far a blob has come.

        Raises:
            Stopped: the transfer is to end.
        """
        if self._stop.is_set():
            raise Stopped
        with self._lock:
            self._done[blob.digest] = size_bytes
            done = sum(self._done.values())
            step = done * _STEPS // max(self._total, 1)
            if step <= self._told:
                return
            self._told = step
        self._on_step(f"{done / 1e6:.1f} of {self._total / 1e6:.1f} MB")


def each_at_once(blobs: Sequence[Descriptor], act: Callable[[Descriptor], T], meter: Meter) -> list[T]:
    """Do something with every blob, four at once.

    Raises:
        Exception: what the first to fail raised, once all have ended.
    """
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="blob") as pool:
        tasks: list[Future[T]] = [pool.submit(act, blob) for blob in blobs]
        first: set[Future[T]] = set()
        try:
            first, _ = wait(tasks, return_when=FIRST_EXCEPTION)
        finally:
            if not all(task.done() and not task.cancelled() and task.exception() is None for task in tasks):
                meter.stop()
                pool.shutdown(cancel_futures=True)
    for task in (*first, *tasks):  # what failed first made the others fail
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Stopped):
            raise error
    with suppress(Stopped):
        return [task.result() for task in tasks]
    raise AssertionError("one stops only since another failed")
