"""The log groups of functions -> their lines, from before and as they come (CloudWatch Logs, FilterLogEvents)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bareboat.aws.client import AwsError
from bareboat.aws.reports import Assigner, LogEvent, is_failure
from bareboat.errors import ConfigurationError

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.aws.deployed import LiveFunction

LATE_S = 20.0
"""How far back a look reaches that follows: CloudWatch may show a line later than one that was written after it."""
POLL_S = (1.0, 5.0)
"""Seconds between two looks, while lines come and while none do. AWS takes some ten looks a second of an account."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines.

    Args:
        since, until: seconds since 1970; `until` None is now.
        pattern: a filter pattern of CloudWatch; "" for all.
        grep: tells which texts; None for all.
        errors: only lines of invocations that failed.
    """

    since: float
    until: float | None = None
    pattern: str = ""
    grep: Callable[[str], object] | None = None
    errors: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Lines, in the order of time.

    Args:
        is_cut: whether there were more, older ones.
        missing: the functions whose log group is not there: nothing was ever written, or it was deleted.
    """

    lines: tuple[LogEvent, ...]
    is_cut: bool
    missing: tuple[LiveFunction, ...]


def read_logs(aws: Aws, functions: Sequence[LiveFunction], wanted: Wanted, *, limit: int) -> Found:
    """Return the newest lines.

    Args:
        limit: how many at most.
    Raises:
        ConfigurationError: CloudWatch does not take the pattern.
        AwsError: AWS refuses.
    """
    missing: list[LiveFunction] = []
    all_lines: list[LogEvent] = []
    seen = 0
    for function in functions:
        newest: deque[LogEvent] = deque(maxlen=limit)
        events = Assigner().events(function.name, _events(aws, function, wanted))
        try:
            for line in _fitting(list(events) if wanted.errors else events, wanted):
                newest.append(line)
                seen += 1
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            missing.append(function)
        all_lines += newest
    all_lines.sort(key=lambda line: line.at)
    return Found(tuple(all_lines[-limit:]), seen > limit, tuple(missing))


def follow_logs(
    aws: Aws,
    functions: Sequence[LiveFunction],
    wanted: Wanted,
    *,
    known: Iterable[LogEvent] = (),
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[list[LogEvent]]:
    """Yield lines as they come, in batches, for ever; a log group that is not there yet is waited for.

    A line of an invocation that will turn out to have failed is held back, where only failed ones are wanted, until
    that is known.

    Args:
        wanted: `since` is where it begins.
        known: lines that have been shown already.
    Raises:
        AwsError: AWS refuses.
    """
    assigners = {function.name: Assigner() for function in functions}
    seen: dict[str, float] = {line.event_id: line.at for line in known}
    held: dict[str, list[LogEvent]] = {}
    failed: set[str] = set()
    newest, pause_s = wanted.since, POLL_S[0]
    while True:
        batch: list[LogEvent] = []
        for function in functions:
            asked = Wanted(max(wanted.since, newest - LATE_S), None, wanted.pattern)
            try:
                raw = [each for each in _events(aws, function, asked) if each.get("eventId") not in seen]
            except AwsError as error:
                if error.code != "ResourceNotFoundException":
                    raise
                continue
            for line in assigners[function.name].events(function.name, raw):
                seen[line.event_id] = line.at
                batch.append(line)
        batch.sort(key=lambda line: line.at)
        if batch:
            newest = max(newest, batch[-1].at)
            seen = {event_id: at for event_id, at in seen.items() if at >= newest - 2 * LATE_S}
        pause_s = POLL_S[0] if batch else min(POLL_S[1], pause_s * 1.5)
        shown = _released(batch, held, failed) if wanted.errors else batch
        shown = [line for line in shown if wanted.grep is None or wanted.grep(line.text)]
        if shown:
            yield shown
        sleep(pause_s)


def _released(batch: list[LogEvent], held: dict[str, list[LogEvent]], failed: set[str]) -> list[LogEvent]:
    """Hold lines back until it is known whether their invocation failed; return those of which it is."""
    shown: list[LogEvent] = []
    for line in batch:
        if is_failure(line.text):
            failed.add(line.request_id)
        held.setdefault(line.request_id, []).append(line)
        is_over = line.text.startswith("REPORT ") or '"platform.report"' in line.text
        if line.request_id in failed:
            shown += held.pop(line.request_id)
        elif is_over:
            held.pop(line.request_id)
    while len(held) > 10_000:  # of invocations whose end never came
        held.pop(next(iter(held)))
    return shown


def _fitting(events: Iterable[LogEvent], wanted: Wanted) -> Iterator[LogEvent]:
    failed: set[str] | None = None
    if wanted.errors:
        assert isinstance(events, list)
        failed = {line.request_id for line in events if is_failure(line.text)}
    for line in events:
        if (failed is None or line.request_id in failed) and (wanted.grep is None or wanted.grep(line.text)):
            yield line


def _events(aws: Aws, function: LiveFunction, wanted: Wanted) -> Iterator[Any]:
    """Yield what FilterLogEvents gives, in the order of time.

    Raises:
        ConfigurationError: CloudWatch does not take the pattern.
    """
    arguments: dict[str, Any] = {
        "logGroupName": function.log_group,
        "startTime": int(wanted.since * 1000),
        "interleaved": True,  # as AWS always does; others ask
    }
    if wanted.until is not None:
        arguments["endTime"] = int(wanted.until * 1000)
    if wanted.pattern:
        arguments["filterPattern"] = wanted.pattern
    try:
        yield from aws.pages("logs", "filter_log_events", "events", **arguments)
    except AwsError as error:
        if error.code == "InvalidParameterException" and wanted.pattern and "filter pattern" in str(error).lower():
            raise ConfigurationError(
                f"CloudWatch does not take the pattern {wanted.pattern!r}",
                expected='one of its filter patterns: ERROR, "two words", ?this ?that, { $.level = "ERROR" }',
                fix="--grep takes a regular expression instead",
            ) from error
        raise
