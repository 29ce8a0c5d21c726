"""The schedules of a service -> functions that are called by the clock."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bareboat.errors import BareboatError
from bareboat.local.events.inputs import event_for
from bareboat.local.events.origin import Origin
from bareboat.local.events.samples import scheduled
from bareboat.service.model import Function, Service
from bareboat.service.schedules import Schedule, parse
from bareboat.service.triggers import ScheduleEvent, SourceEvent

log = logging.getLogger(__name__)

LONGEST_SLEEP_S = 30.0  # so that a laptop that slept, or a clock that was set, is noticed

Fire = Callable[[str, bytes], object]


@dataclass(frozen=True, slots=True)
class Job:
    """One expression of one event.

    Args:
        rule: what the rule, or the schedule, is called on AWS.
        said: `input`, as written.
        options: `inputPath`, `inputTransformer`, `method`.
    """

    function: str
    schedule: Schedule
    rule: str
    enabled: bool
    said: Any
    options: dict[str, Any]

    def event(self, origin: Origin) -> bytes:
        """Return what the function gets."""
        whole = scheduled(origin, rule=self.rule, scheduler=self.options.get("method") == "scheduler")
        return event_for(whole, self.said, self.options)


def jobs_of(service: Service, function: str = "") -> tuple[Job, ...]:
    """Return the schedules of a service, or of one function, in the order of the file; disabled ones too."""
    return tuple(
        job for name, each in service.functions.items() if function in ("", name) for job in _jobs_of(service, each)
    )


def _jobs_of(service: Service, function: Function) -> Iterator[Job]:
    number = 0
    for event in function.events:
        if isinstance(event, ScheduleEvent):
            rates, enabled, said, options = event.rates, event.enabled, event.input, dict(event.options)
        elif isinstance(event, SourceEvent) and event.kind == "eventBridge" and event.config.get("schedule"):
            config = dict(event.config)
            rates, enabled, said, options = (config["schedule"],), event.enabled, config.get("input"), config
        else:
            continue
        for rate in rates:
            number += 1
            rule = options.get("name") or f"{service.name}-{service.provider.stage}-{function.name}-rule-{number}"
            yield Job(function.name, parse(rate, str(options.get("timezone") or "")), str(rule), enabled, said, options)


class Scheduler:
    """Calls functions by the clock while a service is served.

    rate() counts from the start, as it counts on AWS from the deployment; what a sleeping machine missed fires once.
    A reload keeps the beat of schedules that stay.

    Args:
        fire: told of each due event: the function and what it gets. It is asynchronous on AWS: it must not block.
        clock: seconds since 1970.
    """

    def __init__(self, service: Service, fire: Fire, *, clock: Callable[[], float] = time.time) -> None:
        self._fire = fire
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._began: dict[tuple[str, str, str], datetime] = {}
        self._due: list[tuple[Job, datetime]] = []
        self._region = ""
        self.reload(service)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The enabled schedules that will fire again."""
        return tuple(job for job, _ in self._due)

    def start(self) -> None:
        """Begin to fire."""
        assert self._task is None, "a scheduler is started once"
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Fire nothing more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def reload(self, service: Service) -> None:
        """Take the schedules of another version of the service."""
        now = self._now()
        self._region = service.provider.region
        began: dict[tuple[str, str, str], datetime] = {}
        waiting = {(job.function, job.rule, job.schedule.text): due for job, due in self._due}
        self._due = []
        for job in jobs_of(service):
            if not job.enabled:
                continue
            key = (job.function, job.rule, job.schedule.text)
            began[key] = self._began.get(key, now)
            due = waiting.get(key) or job.schedule.next_after(now, began[key])
            if due is not None:
                self._due.append((job, due))
        self._began = began
        self._changed.set()

    def fire_due(self) -> float:
        """Fire what is due, each schedule once, and return how long nothing is, in seconds."""
        now = self._now()
        waiting: list[tuple[Job, datetime]] = []
        for job, due in self._due:
            if due > now:
                waiting.append((job, due))
                continue
            self._call(job)
            began = self._began.get((job.function, job.rule, job.schedule.text), now)
            following = job.schedule.next_after(now, began)
            if following is not None:
                waiting.append((job, following))
        self._due = waiting
        soonest = min((due for _, due in waiting), default=None)
        if soonest is None:
            return LONGEST_SLEEP_S
        return min(max((soonest - self._now()).total_seconds(), 0.0), LONGEST_SLEEP_S)

    def _call(self, job: Job) -> None:
        event = job.event(Origin(self._region, at=self._clock()))
        try:
            self._fire(job.function, event)
        except BareboatError as error:
            log.warning("%s: %s is not fired: %s", job.function, job.schedule.text, error.problems[0].found)

    async def _run(self) -> None:
        while True:
            wait_s = self.fire_due()
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait_s)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)
