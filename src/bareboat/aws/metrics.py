"""A live service -> how much was asked, how long it took, how often it failed, and what it cost.

Counts, durations and concurrency are CloudWatch's metrics. Cold starts, inits, what was billed and memory come from the
REPORT lines of the logs, which have them alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from bareboat.aws.bill import month_so_far
from bareboat.aws.cloudwatch import Metric, Points, aligned, function_metric, metric_values, most, total
from bareboat.aws.deployed import HTTP_API, REST_API, Deployed, LiveFunction
from bareboat.aws.invocations import MOST_REPORTS, Reported, read_reports
from bareboat.aws.prices import Cost, Item
from bareboat.errors import RemoteError
from bareboat.local.observe.figures import Bucket, FunctionFigures, Metrics, round_width
from bareboat.local.observe.percentiles import Durations, percentiles

if TYPE_CHECKING:
    from bareboat.aws.client import Aws

BUCKETS = 30
_SHARES = ("p50", "p90", "p99")
_BILLED: Mapping[str, Item] = {"httpApi": "http_api_requests", "http": "rest_api_requests"}  # URLs cost nothing
_COUNTS = ("Invocations", "Errors", "Throttles")


class ApiFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One API, or function URL.

    Args:
        api: "httpApi", "http" (REST) or "url".
        name: of the API, or of the URL's function.
        latency: of whole requests.
    """

    api: str
    name: str
    requests: int
    client_errors: int
    server_errors: int
    latency: Durations


@dataclass(frozen=True, slots=True)
class LiveMetrics:
    """What a service did on AWS.

    Args:
        figures: in the shape of the local cloud's, so that they are shown and drawn alike; without routes.
        unread: functions that had too many invocations to read what Lambda reported of each: their cold starts, inits,
            GB-s and memory are not known.
        cost: of the month up to now.
    """

    figures: Metrics
    apis: tuple[ApiFigures, ...]
    unread: tuple[str, ...]
    cost: Cost


@dataclass(frozen=True, slots=True)
class _Api:
    kind: str
    name: str
    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    names: tuple[str, str, str, str]  # of requests, client errors, server errors, latency

    @property
    def requests(self) -> Metric:
        return Metric(self.namespace, self.names[0], self.dimensions, "Sum")

    def metrics(self) -> tuple[Metric, ...]:
        counts = [Metric(self.namespace, name, self.dimensions, "Sum") for name in self.names[:3]]
        return (*counts, *(Metric(self.namespace, self.names[3], self.dimensions, share) for share in _SHARES))


def live_metrics(
    aws: Aws,
    deployed: Deployed,
    *,
    function: str = "",
    since: float,
    until: float | None = None,
    clock: Callable[[], float] = time.time,
) -> LiveMetrics:
    """Return the figures of a stretch of time, and what the month has cost so far.

    Args:
        function: only this one; "" is all, and their APIs.
        since, until: seconds since 1970, widened to whole minutes; `until` None is now.
    Raises:
        RemoteError: the stack has no such function.
        AwsError: AWS refuses.
    """
    now = clock()
    functions = [deployed.function(function)] if function else list(deployed.functions)
    if not functions:
        raise RemoteError(f"{deployed.stack.name} has no functions", expected="a deployed function")
    apis = [] if function else list(_apis(deployed))
    start, end, step = aligned(since, min(until or now, now), now)
    end = max(end, start + step)
    wanted = [metric for one in functions for metric in _function_metrics(one)]
    wanted += [metric for one in apis for metric in one.metrics()]
    whole = metric_values(aws, wanted, since=start, until=end, period_s=round(end - start))
    counted = {one.name: _count(whole, _lambda(one, "Invocations", "Sum")) for one in functions}
    unread = {name for name, count in counted.items() if count > MOST_REPORTS}
    seen = {one.name: [] if one.name in unread else read_reports(aws, one, start, end) for one in functions}
    figures = Metrics(
        since=start,
        until=end,
        bucket_s=_width(start, end, step),
        functions=[_figures(one, whole, seen[one.name]) for one in functions],
        routes=[],
        buckets=_buckets(aws, functions, start, end, step, None if unread else seen),
        reloads=0,
        failed_reloads=0,
        dropped_bodies=0,
        dropped_rows=0,
    )
    billed = {one.requests: _BILLED[one.kind] for one in apis if one.kind in _BILLED}
    return LiveMetrics(
        figures,
        tuple(_api_figures(one, whole) for one in apis),
        tuple(sorted(unread)),
        month_so_far(aws, deployed, functions, billed, now),
    )


def _lambda(function: LiveFunction, name: str, stat: str) -> Metric:
    return function_metric(function.full_name, name, stat)


def _function_metrics(function: LiveFunction) -> Iterable[Metric]:
    yield from (_lambda(function, name, "Sum") for name in _COUNTS)
    yield from (_lambda(function, "Duration", share) for share in _SHARES)
    yield _lambda(function, "ConcurrentExecutions", "Maximum")


def _figures(function: LiveFunction, whole: Mapping[Metric, Points], seen: list[Reported]) -> FunctionFigures:
    duration = _durations(whole, {share: _lambda(function, "Duration", share) for share in _SHARES})
    if duration.p50 is None:  # CloudWatch is a minute or more behind the logs
        duration = _percentiles(one.report.duration_ms for one in seen)
    inits = [one.report.init_ms for one in seen if one.report.init_ms is not None]
    return FunctionFigures(
        function=function.name,
        invocations=_count(whole, _lambda(function, "Invocations", "Sum")),
        errors=_count(whole, _lambda(function, "Errors", "Sum")),
        throttles=_count(whole, _lambda(function, "Throttles", "Sum")),
        cold_starts=len(inits),
        duration=duration,
        init=_percentiles(inits),
        billed_ms=sum(one.report.billed_ms for one in seen),
        gb_s=sum(one.gb_s for one in seen),
        max_memory_mb=max((one.report.max_memory_mb for one in seen), default=0),
        max_concurrency=round(most(whole, _lambda(function, "ConcurrentExecutions", "Maximum")) or 0),
    )


def _width(start: float, end: float, step: int) -> int:
    return math.ceil(max(round_width(end - start, BUCKETS), step) / step) * step


def _buckets(
    aws: Aws,
    functions: list[LiveFunction],
    start: float,
    end: float,
    step: int,
    seen: Mapping[str, list[Reported]] | None,
) -> list[Bucket]:
    """Return the stretches of time, of all functions together.

    Durations of several functions are those of the reports: CloudWatch has percentiles of each function alone.
    """
    width = _width(start, end, step)
    first = math.floor(start / width) * width
    count = math.ceil((end - first) / width)
    names = [("Invocations", "Sum"), ("Errors", "Sum"), ("ConcurrentExecutions", "Maximum"),
             ("ConcurrentExecutions", "Average"), *(("Duration", share) for share in _SHARES)]  # fmt: skip
    wanted = [_lambda(one, name, stat) for one in functions for name, stat in names]
    points = metric_values(aws, wanted, since=first, until=first + count * width, period_s=width)
    made = []
    for number in range(count):
        at = first + number * width

        def value(one: LiveFunction, name: str, stat: str, at: float = at) -> float | None:
            within = [each for when, each in points[_lambda(one, name, stat)].items() if at <= when < at + width]
            return max(within, default=None) if stat != "Sum" else sum(within)

        reports = [
            each for one in functions for each in (seen or {}).get(one.name, ()) if at <= each.began < at + width
        ]
        if len(functions) == 1:
            duration = Durations(*(value(functions[0], "Duration", share) for share in _SHARES))
        else:
            duration = Durations()
        if duration.p50 is None:
            duration = _percentiles(each.report.duration_ms for each in reports)
        made.append(
            Bucket(
                at=at,
                invocations=round(sum(value(one, "Invocations", "Sum") or 0 for one in functions)),
                errors=round(sum(value(one, "Errors", "Sum") or 0 for one in functions)),
                cold_starts=sum(each.report.init_ms is not None for each in reports),
                duration=duration,
                max_concurrency=round(max(value(one, "ConcurrentExecutions", "Maximum") or 0 for one in functions)),
                concurrency=sum(value(one, "ConcurrentExecutions", "Average") or 0 for one in functions),
            )
        )
    return made


# APIs


def _apis(deployed: Deployed) -> Iterable[_Api]:
    if found := deployed.api_id(HTTP_API):
        stage = next((one.rpartition("/")[2] for one in [deployed.http_api_base] if one.count("/") > 2), "$default")
        yield _Api(
            "httpApi", found, "AWS/ApiGateway", (("ApiId", found), ("Stage", stage)), ("Count", "4xx", "5xx", "Latency")
        )
    for _, properties in deployed.of_type(REST_API):
        said, stage = properties.get("Name"), deployed.service.provider.stage
        name = said if isinstance(said, str) else f"{stage}-{deployed.service.name}"
        yield _Api(
            "http",
            name,
            "AWS/ApiGateway",
            (("ApiName", name), ("Stage", stage)),
            ("Count", "4XXError", "5XXError", "Latency"),
        )
    for route in deployed.routes:
        if route.api == "url" and route.function:
            full_name = deployed.function(route.function).full_name
            yield _Api(
                "url",
                route.function,
                "AWS/Lambda",
                (("FunctionName", full_name),),
                ("UrlRequestCount", "Url4xxCount", "Url5xxCount", "UrlRequestLatency"),
            )


def _api_figures(api: _Api, whole: Mapping[Metric, Points]) -> ApiFigures:
    requests, client, server, *latency = api.metrics()
    return ApiFigures(
        api=api.kind,
        name=api.name,
        requests=_count(whole, requests),
        client_errors=_count(whole, client),
        server_errors=_count(whole, server),
        latency=_durations(whole, dict(zip(_SHARES, latency, strict=True))),
    )


def _count(found: Mapping[Metric, Points], metric: Metric) -> int:
    return round(total(found, metric))


def _durations(found: Mapping[Metric, Points], by_share: Mapping[str, Metric]) -> Durations:
    """Return percentiles; the greatest where CloudWatch has cut the span into several."""
    return Durations(*(most(found, by_share[share]) for share in _SHARES))


def _percentiles(values: Iterable[float]) -> Durations:
    rising = sorted(values)
    return percentiles(len(rising), rising.__getitem__)
