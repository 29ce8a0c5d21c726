"""`bareboat event schedule`: what a schedule sends, and when it fires."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from bareboat.cli.group import Command
from bareboat.cli.sample import Sample, sample_options
from bareboat.errors import ConfigurationError

if TYPE_CHECKING:
    from bareboat.local.events.scheduler import Job


@click.command(cls=Command)
@click.option("--rule", metavar="NAME", help="Which of the function's schedules.  [default: the first]")
@click.option("--next", "count", type=click.IntRange(1, 1000), metavar="N", help="Show the next N times instead.")
@sample_options
def schedule(sample: Sample, rule: str | None, count: int | None) -> None:
    """What a schedule sends to its function, enabled or not; --next shows when the schedules fire."""
    from bareboat.local.events import samples
    from bareboat.local.events.scheduler import jobs_of

    service, function = sample.service(), sample.function("schedule")
    jobs = jobs_of(service, function.name if function else "") if service is not None else ()
    if count is not None:
        _show_times(sample, jobs, count)
        return
    job = _job(jobs, rule) if function is not None else None
    event = sample.document(
        lambda: json.loads(job.event(sample.origin())) if job is not None else samples.scheduled(sample.origin())
    )
    sample.finish(event, function)


def _job(jobs: tuple[Job, ...], rule: str | None) -> Job | None:
    if rule is None:
        return jobs[0] if jobs else None
    for job in jobs:
        if job.rule == rule:
            return job
    names = ", ".join(job.rule for job in jobs)
    raise ConfigurationError(f"there is no schedule {rule!r}", expected=f"one of {names}" if names else "")


def _show_times(sample: Sample, jobs: tuple[Job, ...], count: int) -> None:
    from datetime import UTC, datetime

    rows = []
    for job in jobs:
        now = datetime.now(UTC)
        moment = now
        for _ in range(count):
            following = job.schedule.next_after(moment, now)
            if following is None:
                break
            moment = following
            rows.append((job.function, job.rule, job.schedule.text, moment.strftime("%Y-%m-%dT%H:%M:%SZ"), job.enabled))
    rows.sort(key=lambda row: row[3])
    if sample.terminal.as_json:
        keys = ("function", "rule", "schedule", "time", "enabled")
        sample.terminal.document([dict(zip(keys, row, strict=True)) for row in rows])
        return
    shown = [(*row[:4], "yes" if row[4] else "no") for row in rows]
    sample.terminal.table(["function", "rule", "schedule", "time (UTC)", "enabled"], shown, whole="time (UTC)")
