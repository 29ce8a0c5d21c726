"""Calls that do not wait for each other, and one that runs ahead while something else is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from bareboat.aws.client import Aws

T = TypeVar("T")
THREADS = 8


def ready(aws: Aws, services: Iterable[str]) -> None:
    """Make the clients that threads are to share; making them is not safe there."""
    for service in services:
        aws.client(service)


def together(calls: Sequence[Callable[[], Any]], *, threads: int = THREADS) -> list[Any]:
    """Make calls at the same time and return what each returned, in order.

    Raises:
        Exception: that of the first call that failed, in order. An interruption does not wait for the others.
    """
    if len(calls) <= 1:
        return [call() for call in calls]
    pool = ThreadPoolExecutor(min(threads, len(calls)))
    try:
        futures = [pool.submit(call) for call in calls]
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Ahead(Generic[T]):
    """A call that began already, in a thread that keeps no process from ending."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._found: list[T] = []
        self._error: BaseException | None = None
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found.append(self._call())
        except BaseException as error:  # noqa: BLE001 - told where the result is asked for
            self._error = error

    @property
    def age_s(self) -> float:
        """How long ago the call began, seconds."""
        return time.monotonic() - self._began

    def result(self) -> T:
        """Wait for the call and return what it returned.

        Raises:
            Exception: what the call raised.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._found[0]
