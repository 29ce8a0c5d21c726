"""A live service -> how much was asked, how long it took, how often it failed, and what it cost.

Counts, durations and concurrency are CloudWatch's metrics. Cold starts, inits, what was billed and memory come from the
REPORT lines of the logs, which have them alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bareboat.aws.client import AwsError
from bareboat.aws.cloudwatch import Metric, Points, aligned, metric_values
from bareboat.aws.deployed import HTTP_API, REST_API, Deployed, LiveFunction
from bareboat.aws.prices import Cost, Item, cost_of
from bareboat.aws.reports import Report, parse_report
from bareboat.errors import RemoteError
from bareboat.local.observe.figures import Bucket, FunctionFigures, Metrics, round_width
from bareboat.local.observe.percentiles import Durations, percentiles

if TYPE_CHECKING:
    from bareboat.aws.client import Aws

MOST_REPORTS = 20_000
"""REPORT lines that are read of a function: some ten seconds of asking. Where there are more, none are."""
BUCKETS = 30
REPORTS = '?"REPORT RequestId" ?"platform.report"'
"""The filter pattern of the lines that report an invocation, in both log formats."""
_SHARES = ("p50", "p90", "p99")
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
class _Seen:
    """One invocation: when it ended, seconds since 1970, and its report."""

    ended: float
    report: Report

    @property
    def began(self) -> float:
        return self.ended - (self.report.duration_ms + (self.report.init_ms or 0.0)) / 1000


@dataclass(frozen=True, slots=True)
class _Api:
    kind: str
    name: str
    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    names: tuple[str, str, str, str]  # of requests, client errors, server errors, latency

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
    counted = {one.name: _total(whole, _lambda(one, "Invocations", "Sum")) for one in functions}
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
    return LiveMetrics(
        figures,
        tuple(_api_figures(one, whole) for one in apis),
        tuple(sorted(unread)),
        _month(aws, deployed, functions, apis, now),
    )


def read_reports(aws: Aws, function: LiveFunction, since: float, until: float) -> list[_Seen]:
    """Return what Lambda reported of each invocation; nothing where there is no log group.

    Raises:
        AwsError: AWS refuses.
    """
    try:
        events = list(
            aws.pages(
                "logs",
                "filter_log_events",
                "events",
                logGroupName=function.log_group,
                startTime=int(since * 1000),
                endTime=int(until * 1000),
                filterPattern=REPORTS,
                interleaved=True,
            )
        )
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return []
    found = ((each["timestamp"] / 1000, parse_report(str(each.get("message", "")))) for each in events)
    return [_Seen(at, report) for at, report in found if report is not None]


# One stretch of time


def _lambda(function: LiveFunction, name: str, stat: str) -> Metric:
    return Metric("AWS/Lambda", name, (("FunctionName", function.full_name),), stat)


def _function_metrics(function: LiveFunction) -> Iterable[Metric]:
    yield from (_lambda(function, name, "Sum") for name in _COUNTS)
    yield from (_lambda(function, "Duration", share) for share in _SHARES)
    yield _lambda(function, "ConcurrentExecutions", "Maximum")


def _figures(function: LiveFunction, whole: Mapping[Metric, Points], seen: list[_Seen]) -> FunctionFigures:
    duration = _durations(whole, {share: _lambda(function, "Duration", share) for share in _SHARES})
    if duration.p50 is None:  # CloudWatch is a minute or more behind the logs
        duration = _percentiles(one.report.duration_ms for one in seen)
    inits = [one.report.init_ms for one in seen if one.report.init_ms is not None]
    return FunctionFigures(
        function=function.name,
        invocations=_total(whole, _lambda(function, "Invocations", "Sum")),
        errors=_total(whole, _lambda(function, "Errors", "Sum")),
        throttles=_total(whole, _lambda(function, "Throttles", "Sum")),
        cold_starts=len(inits),
        duration=duration,
        init=_percentiles(inits),
        billed_ms=sum(one.report.billed_ms for one in seen),
        gb_s=sum(_gb_s(one.report) for one in seen),
        max_memory_mb=max((one.report.max_memory_mb for one in seen), default=0),
        max_concurrency=_most(whole, _lambda(function, "ConcurrentExecutions", "Maximum")),
    )


def _gb_s(report: Report) -> float:
    return report.billed_ms / 1000 * report.memory_mb / 1024


def _width(start: float, end: float, step: int) -> int:
    return math.ceil(max(round_width(end - start, BUCKETS), step) / step) * step


def _buckets(
    aws: Aws,
    functions: list[LiveFunction],
    start: float,
    end: float,
    step: int,
    seen: Mapping[str, list[_Seen]] | None,
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
        name = str(properties.get("Name", ""))
        yield _Api(
            "http",
            name,
            "AWS/ApiGateway",
            (("ApiName", name), ("Stage", deployed.service.provider.stage)),
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
        requests=_total(whole, requests),
        client_errors=_total(whole, client),
        server_errors=_total(whole, server),
        latency=_durations(whole, dict(zip(_SHARES, latency, strict=True))),
    )


# The month


def _month(aws: Aws, deployed: Deployed, functions: list[LiveFunction], apis: list[_Api], now: float) -> Cost:
    """Return what the month has cost, from its first moment in UTC, as AWS bills."""
    today = datetime.fromtimestamp(now, UTC)
    since = datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()
    start, end, step = aligned(since, now, now)
    end = max(end, start + step)
    wanted = [_lambda(one, name, "Sum") for one in functions for name in ("Invocations", "Duration")]
    wanted += [metric for one in apis for metric in one.metrics()[:1]]
    whole = metric_values(aws, wanted, since=start, until=end, period_s=round(end - start))
    used: dict[Item, float] = {}
    is_exact = True
    for one in functions:
        invocations = _total(whole, _lambda(one, "Invocations", "Sum"))
        properties: Mapping[str, Any] = deployed.template["Resources"][one.logical_id].get("Properties") or {}
        item: Item = "lambda_gb_s_arm64" if "arm64" in properties.get("Architectures", ()) else "lambda_gb_s_x86_64"
        if invocations <= MOST_REPORTS:
            seen = read_reports(aws, one, start, end)
            invocations = max(invocations, len(seen))
            gb_s = sum(_gb_s(each.report) for each in seen)
        if invocations > MOST_REPORTS or (invocations and not seen):
            is_exact = False
            # what is billed is rounded up to a millisecond: by half of one on average
            duration_ms = _sum(whole, _lambda(one, "Duration", "Sum")) + 0.5 * invocations
            gb_s = duration_ms / 1000 * int(properties.get("MemorySize", 128)) / 1024
        used["lambda_requests"] = used.get("lambda_requests", 0.0) + invocations
        used[item] = used.get(item, 0.0) + gb_s
    for api in apis:
        if api.kind != "url":  # function URLs cost nothing themselves
            kind: Item = "http_api_requests" if api.kind == "httpApi" else "rest_api_requests"
            used[kind] = used.get(kind, 0.0) + _total(whole, api.metrics()[0])
    return cost_of(used, since=since, region=aws.region, is_exact=is_exact)


# Numbers


def _sum(found: Mapping[Metric, Points], metric: Metric) -> float:
    return sum(found.get(metric, {}).values())


def _total(found: Mapping[Metric, Points], metric: Metric) -> int:
    return round(_sum(found, metric))


def _most(found: Mapping[Metric, Points], metric: Metric) -> int:
    return round(max(found.get(metric, {}).values(), default=0))


def _durations(found: Mapping[Metric, Points], by_share: Mapping[str, Metric]) -> Durations:
    """Return percentiles; the greatest where CloudWatch has cut the span into several."""
    return Durations(*(max(found.get(by_share[share], {}).values(), default=None) for share in _SHARES))


def _percentiles(values: Iterable[float]) -> Durations:
    rising = sorted(values)
    return percentiles(len(rising), rising.__getitem__)
