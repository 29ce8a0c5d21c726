"""Asynchronous invocations: taken at once, run in the background, tried again when they fail, as Lambda does.

On Lambda a failed event is tried twice more, after one and after two minutes; here after one and two seconds, so that
a developer sees it. An event that finds the function throttled waits and keeps its tries. Both end with the event's
age: 6 hours, or `maximumEventAge`. What is given up is logged; dead letter queues (`onError`) and destinations are not
served.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError
from bareboat.local import ids
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.site import Invoke
from bareboat.service.model import Function

if TYPE_CHECKING:
    from bareboat.local.cloud import LocalCloud

log = logging.getLogger(__name__)

RETRIES = 2
RETRY_AFTER_S = (1.0, 2.0)  # 60 and 120 on Lambda
MAX_AGE_S = 6 * 3600.0
THROTTLED_WAIT_S = (0.05, 1.0)  # doubled from the first to the second; 1 s to 5 min on Lambda
CONCURRENCY = 16  # of one function's events at the same time
MAX_EVENTS = 10_000
MAX_BYTES = 100_000_000
EVENTS_GRACE_S = 5.0  # what runs may end in once no request is under way any more


class _Event:
    __slots__ = ("body", "request_id", "source", "throttled_s", "trace_id", "tries", "until")

    def __init__(self, body: bytes, request_id: str, trace_id: str, source: str, until: float) -> None:
        self.body = body
        self.request_id = request_id
        self.trace_id = trace_id
        self.source = source
        self.until = until
        self.tries = 0
        self.throttled_s = THROTTLED_WAIT_S[0]


class _Lane:
    """The events of one function, started in the order in which they came."""

    __slots__ = ("name", "ready", "retries", "running", "width")

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: deque[_Event] = deque()
        self.running = 0
        self.width = CONCURRENCY
        self.retries = RETRIES


class EventQueue:
    """Runs events in the background, those of each function in order, at most 16 of them at the same time.

    It outlives a reload: what waits then runs on the new code, as on Lambda (recorded).

    Args:
        invoke: calls a function.
        retry_after_s: how long to wait before each further try; the last one stands for those beyond.
        max_events, max_bytes: of all that waits or runs.
    """

    def __init__(
        self,
        invoke: Invoke,
        *,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
        max_events: int = MAX_EVENTS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._invoke = invoke
        self._retry_after_s = tuple(retry_after_s)
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._lanes: dict[str, _Lane] = {}
        self._events: set[_Event] = set()
        self._bytes = 0
        self._running: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._closed = False

    def __len__(self) -> int:
        """Return how many events wait or run."""
        return len(self._events)

    def put(
        self, function: Function, body: bytes, *, source: str = "invoke", trace_id: str = "", request_id: str = ""
    ) -> str:
        """Take an event and return its request id, which all tries have.

        Its retries and age are the function's `maximumRetryAttempts` and `maximumEventAge`. A function whose
        reservedConcurrency is 0 never runs: its event is given up at once (recorded).

        Raises:
            Throttled: too many events wait already.
        """
        if self._closed or len(self._events) >= self._max_events or self._bytes + len(body) > self._max_bytes:
            raise Throttled(function.name, self._max_events, reserved=False)
        lane = self._lanes.get(function.name)
        if lane is None:
            lane = self._lanes[function.name] = _Lane(function.name)
        reserved = function.reserved_concurrency
        lane.width = max(min(CONCURRENCY, CONCURRENCY if reserved is None else reserved), 1)
        lane.retries = _whole(function.options.get("maximumRetryAttempts"), RETRIES)
        now = asyncio.get_running_loop().time()
        age_s = float(_whole(function.options.get("maximumEventAge"), int(MAX_AGE_S)))
        event = _Event(body, request_id or ids.request_id(), trace_id, source, now + age_s)
        if reserved == 0:
            log.warning("%s: event %s is given up: its reservedConcurrency is 0", function.name, event.request_id)
            return event.request_id
        self._events.add(event)
        self._bytes += len(body)
        lane.ready.append(event)
        self._pump(lane)
        return event.request_id

    async def close(self, *, grace_s: float = EVENTS_GRACE_S) -> int:
        """Start nothing more, let what runs end for `grace_s` seconds, and return how many events are lost."""
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        if self._running and grace_s > 0:
            await asyncio.wait(self._running, timeout=grace_s)
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._events:
            count = len(self._events)
            log.warning("%d asynchronous %s lost", count, "invocation is" if count == 1 else "invocations are")
        return len(self._events)

    def _pump(self, lane: _Lane) -> None:
        while lane.ready and lane.running < lane.width and not self._closed:
            event = lane.ready.popleft()
            lane.running += 1
            task = asyncio.get_running_loop().create_task(self._run(lane, event))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, lane: _Lane, event: _Event) -> None:
        try:
            invocation = await self._invoke(
                lane.name, event.body, trace_id=event.trace_id, source=event.source, request_id=event.request_id
            )
        except Throttled:
            wait_s = event.throttled_s
            event.throttled_s = min(wait_s * 2, THROTTLED_WAIT_S[1])
            self._again(lane, event, wait_s, "throttled")
        except BareboatError as error:
            self._failed(lane, event, error.problems[0].found)
        else:
            self._answered(lane, event, invocation)
        finally:
            lane.running -= 1
            self._pump(lane)

    def _answered(self, lane: _Lane, event: _Event, invocation: Invocation) -> None:
        if invocation.error:
            self._failed(lane, event, "the function failed")
        else:
            self._done(event)

    def _failed(self, lane: _Lane, event: _Event, why: str) -> None:
        event.tries += 1
        if event.tries > lane.retries:
            tries = "try" if event.tries == 1 else "tries"
            log.warning(
                "%s: event %s is given up after %d %s: %s", lane.name, event.request_id, event.tries, tries, why
            )
            self._done(event)
        else:
            waits = self._retry_after_s
            self._again(lane, event, waits[min(event.tries, len(waits)) - 1], why)

    def _again(self, lane: _Lane, event: _Event, wait_s: float, why: str) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() + wait_s > event.until:
            log.warning("%s: event %s is given up, it is too old: %s", lane.name, event.request_id, why)
            self._done(event)
        elif not self._closed:
            handle: list[asyncio.TimerHandle] = []
            handle.append(loop.call_later(wait_s, partial(self._due, lane, event, handle)))
            self._timers.add(handle[0])

    def _due(self, lane: _Lane, event: _Event, handle: list[asyncio.TimerHandle]) -> None:
        self._timers.discard(handle[0])
        lane.ready.append(event)
        self._pump(lane)

    def _done(self, event: _Event) -> None:
        self._events.discard(event)
        self._bytes -= len(event.body)


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def events_of(cloud: LocalCloud) -> EventQueue:
    """Return the queue of a cloud: one, which reloads do not touch and `cloud.close` closes."""
    queue = cloud.kept.get("events")
    if queue is None:
        queue = cloud.kept["events"] = EventQueue(cloud.invoke)
    assert isinstance(queue, EventQueue)
    return queue
