"""observed.sqlite -> figures of the last minutes or hours, carried on from what was read before.

Made for a page that asks each second: only rows that are new since the last time are read, and added up by SQLite,
which holds no lock of the interpreter. `figures` reads all of them, and is exact.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bareboat.local.observe.figures import round_width, running_sql
from bareboat.local.observe.file import reading
from bareboat.local.observe.percentiles import Histogram, bin_sql

_SLOTS = 40  # of a window whose totals are asked for, at most
_MOST_WINDOWS = 12
_FOREVER = 1e12  # seconds: everything is in one slot
_REST_S = 30.0  # all that is kept is added up anew when the oldest rows have gone, no more often than this


@dataclass(slots=True)
class Requests:
    """Requests to one route; `throttles` found their function at its concurrency limit."""

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    refused: int = 0
    throttles: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def merge(self, other: Requests) -> None:
        """Add another one's."""
        self.requests += other.requests
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.refused += other.refused
        self.throttles += other.throttles
        self.latency.merge(other.latency)


@dataclass(slots=True)
class Invocations:
    """Invocations of one function."""

    invocations: int = 0
    errors: int = 0
    cold_starts: int = 0
    duration: Histogram = field(default_factory=Histogram)

    def merge(self, other: Invocations) -> None:
        """Add another one's."""
        self.invocations += other.invocations
        self.errors += other.errors
        self.cold_starts += other.cold_starts
        self.duration.merge(other.duration)


@dataclass(slots=True)
class Slot:
    """What began in a stretch of time.

    Args:
        requests: by api, route and function.
        invocations: by function and who asked.
        most: invocations under way at the same time.
    """

    requests: dict[tuple[str, str, str], Requests] = field(default_factory=dict)
    invocations: dict[tuple[str, str], Invocations] = field(default_factory=dict)
    most: int = 0

    def merge(self, other: Slot) -> None:
        """Add another one's."""
        for key, some in other.requests.items():
            self.requests.setdefault(key, Requests()).merge(some)
        for called, more in other.invocations.items():
            self.invocations.setdefault(called, Invocations()).merge(more)
        self.most = max(self.most, other.most)


class Rolling:
    """The figures of a store that somebody looks at again and again. Its methods wait for the disk; any thread may ask.

    Args:
        path: of the store; where there is none yet, everything is nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._windows: OrderedDict[tuple[float, float, str], _Window] = OrderedDict()

    def total(self, seconds: float) -> Slot:
        """Return what began in the last seconds, some thirtieth of them more or less; 0 is all that is kept."""
        width = round_width(seconds, _SLOTS) if seconds else _FOREVER
        total = Slot()
        for slot in self._read(width, seconds, "").values():
            total.merge(slot)
        return total

    def buckets(self, seconds: float, most: int, function: str = "") -> tuple[float, list[tuple[float, Slot]]]:
        """Return how long a bucket is, and each bucket of the last seconds with its begin: all, also the empty ones.

        Args:
            function: only what it did; "" is all of them.
        """
        width = round_width(seconds, most)
        slots = self._read(width, seconds, function)
        now = time.time()
        first, last = math.floor((now - seconds) / width), math.floor(now / width)
        return width, [(place * width, slots.get(place, Slot())) for place in range(first, last + 1)]

    def _read(self, width: float, seconds: float, function: str) -> dict[int, Slot]:
        with self._lock:
            key = (width, seconds, function)
            window = self._windows.get(key)
            if window is None:
                window = self._windows[key] = _Window(width, seconds, function)
            self._windows.move_to_end(key)
            while len(self._windows) > _MOST_WINDOWS:
                self._windows.popitem(last=False)
            with reading(self._path) as connection:
                if connection is None:
                    window.forget()
                else:
                    window.update(connection, self._path.stat().st_ino)
            return dict(window.slots)


class _Window:
    """The slots of one width, as far back as `seconds`."""

    def __init__(self, width: float, seconds: float, function: str) -> None:
        self._width, self._seconds, self._function = width, seconds, function
        self.forget()

    def forget(self) -> None:
        self.slots: dict[int, Slot] = {}
        self._requests = self._invocations = 0  # the last ids that are in it
        self._file = 0
        self._lowest: Any = None
        self._made = 0.0
        self._looked: deque[tuple[float, int]] = deque(maxlen=1000)  # when, and the last invocation there was

    def update(self, connection: sqlite3.Connection, file: int) -> None:
        now = time.time()
        requests, invocations, *lowest = connection.execute(_IDS).fetchone()
        is_older = requests < self._requests or invocations < self._invocations or file != self._file
        has_gone = not self._seconds and lowest != self._lowest and now - self._made > _REST_S
        if is_older or has_gone:
            self.forget()
            self._file, self._lowest, self._made = file, lowest, now
        since = now - self._seconds if self._seconds else 0.0
        oldest = math.floor(since / self._width)
        for place in [each for each in self.slots if each < oldest]:
            del self.slots[place]
        asked = {"width": self._width, "since": oldest * self._width, "function": self._function}
        if requests > self._requests:
            self._add_requests(connection, asked | {"low": self._requests, "high": requests})
            self._requests = requests
        if invocations > self._invocations:
            self._add_invocations(connection, asked | {"low": self._invocations, "high": invocations}, now)
            self._invocations = invocations
        self._looked.append((now, invocations))

    def _add_requests(self, connection: sqlite3.Connection, asked: dict[str, Any]) -> None:
        for place, api, route, function, bin_, number, total, *sums in connection.execute(
            _REQUESTS.format(rows=_NEW if asked["low"] else _ALL), asked
        ):
            rows = self.slots.setdefault(place, Slot()).requests.setdefault((api, route, function), Requests())
            client, server, refused, throttles = sums
            rows.requests += number
            rows.client_errors += client
            rows.server_errors += server
            rows.refused += refused
            rows.throttles += throttles
            rows.latency.add(bin_, number, total)

    def _add_invocations(self, connection: sqlite3.Connection, asked: dict[str, Any], now: float) -> None:
        began = now
        for place, function, source, bin_, number, total, errors, cold, first in connection.execute(
            _INVOCATIONS.format(rows=_NEW if asked["low"] else _ALL), asked
        ):
            rows = self.slots.setdefault(place, Slot()).invocations.setdefault((function, source), Invocations())
            rows.invocations += number
            rows.errors += errors
            rows.cold_starts += cold
            rows.duration.add(bin_, number, total)
            began = min(began, first)
        if self._width < _FOREVER:
            self._add_running(connection, began, now)

    def _add_running(self, connection: sqlite3.Connection, began: float, now: float) -> None:
        """Count again how many ran at once since the first of the new ones began: before that nothing changes.

        What ended after that was written after it, so older rows need not be read.
        """
        low = next((last for when, last in reversed(self._looked) if when <= began), 0)
        first = math.floor(began / self._width)
        asked = {
            "since": began, "until": now + 1, "function": self._function, "low": low,
            "first": first * self._width, "count": math.floor(now / self._width) - first + 1, "width": self._width,
        }  # fmt: skip
        for place, most, _ in connection.execute(_RUNNING, asked):
            slot = self.slots.setdefault(first + place, Slot())
            slot.most = max(slot.most, most)


_IDS = """
select coalesce((select max(id) from requests), 0), coalesce((select max(id) from invocations), 0),
  (select min(id) from requests), (select min(id) from invocations)
"""
# The sign keeps SQLite from the index that would read more rows.
_NEW = "id > :low and id <= :high and +at >= :since and (:function = '' or function = :function)"
_ALL = "at >= :since and +id <= :high and +id > :low and (:function = '' or function = :function)"
_REQUESTS = f"""
select cast(at / :width as integer), api, route, function, {bin_sql("latency_ms")}, count(*), sum(latency_ms),
  sum(status >= 400 and status < 500), sum(status >= 500), sum(refused <> ''),
  sum(error like 'TooManyRequestsException%')
from requests where {{rows}} group by 1, 2, 3, 4, 5
"""
_INVOCATIONS = f"""
select cast(at / :width as integer), function, source, {bin_sql("duration_ms")}, count(*), sum(duration_ms),
  sum(error <> ''), count(init_ms), min(at)
from invocations where {{rows}} group by 1, 2, 3, 4
"""
_RUNNING = running_sql("id > :low")
