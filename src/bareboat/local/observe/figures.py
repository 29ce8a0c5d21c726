"""observed.sqlite -> how much was asked, how long it took, how often it failed, and how much ran at the same time."""

from __future__ import annotations

import math
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from bareboat.local.observe.file import open_to_read
from bareboat.local.observe.percentiles import SHARES, Durations, percentiles

THROTTLES = ("THROTTLED", "QUOTA_EXCEEDED")
_WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


class FunctionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One function.

    Args:
        errors: invocations that failed.
        throttles: requests that found it at its concurrency limit.
        duration: of the handler, without the init.
        init: of cold starts.
        gb_s: of what is billed: GB of 1024 MB, as on Lambda, times seconds.
        max_memory_mb: the most that one invocation took.
        max_concurrency: most invocations under way at the same time.
    """

    function: str
    invocations: int
    errors: int
    throttles: int
    cold_starts: int
    duration: Durations
    init: Durations
    billed_ms: int
    gb_s: float
    max_memory_mb: int
    max_concurrency: int


class RouteFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One route of one API.

    Args:
        api: "httpApi", "http" (REST) or "url".
        route: "" for requests that no route was found for.
        refused: turned away before the function: no credential, throttled, not valid.
        throttled: those of them that were over a rate or a quota.
        latency: of the whole request.
    """

    api: str
    route: str
    requests: int
    client_errors: int
    server_errors: int
    refused: int
    throttled: int
    latency: Durations


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a stretch of time.

    Args:
        at: its begin, in seconds since 1970.
        invocations, errors, cold_starts, duration: of the invocations that began in it.
        requests, latency: of the requests that came in it.
        max_concurrency, concurrency: invocations under way: the most, and on average.
    """

    at: float
    invocations: int = 0
    errors: int = 0
    cold_starts: int = 0
    duration: Durations = Durations()
    requests: int = 0
    latency: Durations = Durations()
    max_concurrency: int = 0
    concurrency: float = 0.0


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """What a service did in a stretch of time.

    Args:
        since, until: seconds since 1970.
        bucket_s: how long a bucket is.
        dropped_bodies, dropped_rows: what was not kept, of bodies alone and of whole invocations and requests.
    """

    since: float
    until: float
    bucket_s: float
    functions: list[FunctionFigures]
    routes: list[RouteFigures]
    buckets: list[Bucket]
    reloads: int
    failed_reloads: int
    dropped_bodies: int
    dropped_rows: int


def metrics(
    path: Path,
    *,
    function: str = "",
    since: float | None = None,
    until: float | None = None,
    buckets: int = 30,
) -> Metrics | None:
    """Return the figures of a stretch of time; None when nothing of it was kept.

    Args:
        function: only this one, and the routes that called it.
        since: seconds since 1970; None is the oldest that was kept.
        until: not among them; None is now.
        buckets: into how many stretches to divide it at most; they have a round width. 0 for none.
    """
    connection = open_to_read(path)
    if connection is None:
        return None
    with closing(connection):
        connection.execute("begin")  # all of it as of one moment
        return _Figures(connection, function, since, until).metrics(buckets)


def span(path: Path) -> tuple[float, float] | None:
    """Return when the oldest and just after the newest of what was kept began; None when nothing was."""
    connection = open_to_read(path)
    if connection is None:
        return None
    with closing(connection):
        first, last = connection.execute(
            "select min(a), max(b) from (select min(at) as a, max(at) as b from invocations"
            " union all select min(at), max(at) from requests union all select min(at), max(at) from reloads)"
        ).fetchone()
    return None if first is None else (first, last + 0.001)


def counts(path: Path, *, since: float | None = None) -> list[RouteFigures]:
    """Return the figures of each route alone."""
    connection = open_to_read(path)
    if connection is None:
        return []
    with closing(connection):
        return _Figures(connection, "", since, None).routes()


def round_width(span_s: float, most: int) -> float:
    """Return the least round number of seconds of which `most` cover a span, beginning at any moment."""
    for width in _WIDTHS:
        if span_s <= width * max(most - 1, 1):
            return float(width)
    return math.ceil(span_s / max(most - 1, 1) / _WIDTHS[-1]) * float(_WIDTHS[-1])


class _Figures:
    def __init__(self, connection: sqlite3.Connection, function: str, since: float | None, until: float | None) -> None:
        self._connection = connection
        self._function = function
        self._until = time.time() + 0.001 if until is None else until
        self._since = since if since is not None else self._oldest()

    def metrics(self, buckets: int) -> Metrics | None:
        functions, routes = self.functions(), self.routes()
        reloads, failed = self._one(
            "select count(*), coalesce(sum(error <> ''), 0) from reloads where at >= ? and at < ?", *self._span
        )
        if not functions and not routes and not reloads:
            return None
        bodies, rows = self._one(
            "select coalesce(sum(bodies), 0), coalesce(sum(rows), 0) from dropped where at >= ? and at < ?", *self._span
        )
        return Metrics(
            since=self._since, until=self._until,
            bucket_s=round_width(self._until - self._since, buckets) if buckets else 0.0,
            functions=functions, routes=routes, buckets=self.buckets(buckets) if buckets else [],
            reloads=reloads, failed_reloads=failed, dropped_bodies=bodies, dropped_rows=rows,
        )  # fmt: skip

    def functions(self) -> list[FunctionFigures]:
        rows = self._all(
            "select function, count(*), sum(error <> ''), count(init_ms), sum(billed_ms),"
            f" sum(billed_ms / 1000.0 * memory_mb / 1024.0), max(max_memory_mb) from {_INVOCATIONS} group by function"
        )
        duration = self._percentiles(f"select function as k, duration_ms as v from {_INVOCATIONS}")
        init = self._percentiles(f"select function as k, init_ms as v from {_INVOCATIONS} and init_ms is not null")
        throttles: dict[str, int] = dict(
            self._all(
                f"select function, count(*) from {_REQUESTS} and error like 'TooManyRequestsException%'"
                " group by function"
            )
        )
        most: dict[str, int] = dict(self._all(_MOST))
        found = {row[0]: row for row in rows}
        for name in throttles:
            found.setdefault(name, (name, 0, 0, 0, 0, 0.0, 0))
        return [
            FunctionFigures(
                function=name, invocations=count, errors=errors, throttles=throttles.get(name, 0), cold_starts=cold,
                duration=duration.get(name, Durations()), init=init.get(name, Durations()), billed_ms=billed_ms,
                gb_s=gb_s, max_memory_mb=memory, max_concurrency=most.get(name, 0),
            )
            for name, count, errors, cold, billed_ms, gb_s, memory in sorted(found.values())
        ]  # fmt: skip

    def routes(self) -> list[RouteFigures]:
        rows = self._all(
            "select api, route, count(*), sum(status >= 400 and status < 500), sum(status >= 500), sum(refused <> ''),"
            f" sum(refused in {THROTTLES}) from {_REQUESTS} group by api, route order by api desc, route"
        )
        latency = self._percentiles(f"select api || ' ' || route as k, latency_ms as v from {_REQUESTS}")
        return [
            RouteFigures(
                api=api, route=route, requests=count, client_errors=client, server_errors=server, refused=refused,
                throttled=throttled, latency=latency.get(f"{api} {route}", Durations()),
            )
            for api, route, count, client, server, refused, throttled in rows
        ]  # fmt: skip

    def buckets(self, most: int) -> list[Bucket]:
        width = round_width(self._until - self._since, most)
        first = math.floor(self._since / width) * width
        count = math.ceil((self._until - first) / width)
        place = f"cast((at - {first!r}) / {width!r} as integer)"
        invoked = {
            row[0]: row[1:]
            for row in self._all(
                f"select {place} as k, count(*), sum(error <> ''), count(init_ms) from {_INVOCATIONS} group by k"
            )
        }
        asked: dict[int, int] = dict(self._all(f"select {place} as k, count(*) from {_REQUESTS} group by k"))
        duration = self._percentiles(f"select {place} as k, duration_ms as v from {_INVOCATIONS}")
        latency = self._percentiles(f"select {place} as k, latency_ms as v from {_REQUESTS}")
        running = {row[0]: row[1:] for row in self._all(running_sql(), first=first, count=count, width=width)}
        made = []
        for number in range(count):
            invocations, errors, cold = invoked.get(number, (0, 0, 0))
            most, average = running.get(number, (0, 0.0))
            made.append(
                Bucket(
                    at=first + number * width, invocations=invocations, errors=errors, cold_starts=cold,
                    duration=duration.get(number, Durations()), requests=asked.get(number, 0),
                    latency=latency.get(number, Durations()), max_concurrency=most, concurrency=average,
                )
            )  # fmt: skip
        return made

    def _percentiles(self, values: str) -> dict[Any, Durations]:
        """Return the percentiles of `v` for each `k`: sorted by SQLite, without the interpreter's lock."""
        rows = self._all(_RANKED.format(values=values))
        found: dict[Any, dict[int, float]] = {}
        sizes: dict[Any, int] = {}
        for key, size, number, value in rows:
            found.setdefault(key, {})[number] = value
            sizes[key] = size
        return {
            key: percentiles(sizes[key], {number - 1: value for number, value in at.items()}.__getitem__)
            for key, at in found.items()
        }

    @property
    def _span(self) -> tuple[float, float]:
        return self._since, self._until

    def _oldest(self) -> float:
        oldest = self._connection.execute(
            "select min(at) from (select min(at) as at from invocations union all select min(at) from requests"
            " union all select min(at) from reloads)"
        ).fetchone()[0]
        return self._until - 1.0 if oldest is None else float(oldest)

    def _one(self, sql: str, *values: Any) -> Any:
        return self._connection.execute(sql, values).fetchone()

    def _all(self, sql: str, **values: Any) -> list[Any]:
        return self._connection.execute(
            sql, {"since": self._since, "until": self._until, "function": self._function, **values}
        ).fetchall()


_SPAN = "at >= :since and at < :until and (:function = '' or function = :function)"
_INVOCATIONS = f"invocations where {_SPAN}"
_REQUESTS = f"requests where {_SPAN}"

# Of each k, the values at the places around each percentile; places are counted from 1.
_RANKED = """
select k, n, i, v from (
  select k, v, row_number() over (partition by k order by v) as i, count(*) over (partition by k) as n
  from ({values}))
where """ + " or ".join(f"i - 1 - cast((n - 1) * {share} as integer) in (0, 1)" for share in SHARES)

# An invocation is under way from when it was asked for until its answer, its cold start included.
_ENDS = """
  select at as t, 1 as d, function from invocations where {span}
  union all
  select at + (duration_ms + coalesce(init_ms, 0)) / 1000, -1, function from invocations where {span}
"""
_OVERLAP = (
    "at < :until and at + (duration_ms + coalesce(init_ms, 0)) / 1000 >= :since"
    " and (:function = '' or function = :function)"
)
_MOST = f"""
with ends as ({_ENDS.format(span=_OVERLAP)})
select function, max(c) from (
  select function, sum(d) over (partition by function order by t, d rows unbounded preceding) as c from ends)
group by function
"""


def running_sql(rows: str = "1") -> str:
    """Return the SQL of how many were under way in each bucket: its number, the most, and the average.

    Args:
        rows: a further condition of the invocations that are looked at.
    """
    # The begin of each bucket is an end of its own, that changes nothing: so no step reaches over two buckets.
    return f"""
with recursive numbers (n) as (select 0 union all select n + 1 from numbers where n < :count),
ends as ({_ENDS.format(span=f"{rows} and {_OVERLAP}")} union all select :first + n * :width, 0, '' from numbers),
steps as (
  select t, sum(d) over (order by t, d rows unbounded preceding) as c, lead(t) over (order by t, d) as next from ends)
select cast((t - :first) / :width + 1e-9 as integer) as k, max(c), sum(c * (next - t)) / :width
from steps where t >= :first and t < :first + (:count - 1e-9) * :width and next is not null group by k
"""
