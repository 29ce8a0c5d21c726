"""`bareboat metrics`: how much was asked, how long it took, how often it failed; on AWS also what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bareboat.cli.functions import function_option
from bareboat.cli.group import Command
from bareboat.cli.models import check_plot, drawable, plot_option
from bareboat.cli.moments import Moment, check_span, clock_time, utc_time
from bareboat.cli.observed import known_function, local_option, nothing_kept, observed_file
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.aws.metrics import LiveMetrics
    from bareboat.aws.prices import Cost
    from bareboat.local.observe.figures import Bucket, Metrics
    from bareboat.local.observe.percentiles import Durations

_APIS = {"httpApi": "HTTP", "http": "REST", "url": "URL"}
_BAR = 24
AWS_SINCE_S = 3600.0


@click.command(cls=Command)
@local_option
@function_option("Only this function.")
@click.option(
    "--since", type=Moment(), metavar="WHEN", help="From then on: 10m, 2h, 1d, or a date and time.  [default: 1h; all]"
)
@click.option("--until", type=Moment(), metavar="WHEN", help="Up to then.")
@click.option("--chart", is_flag=True, help="Draw invocations, durations and concurrency over time.")
@plot_option
@service_options
@click.pass_obj
def metrics(
    terminal: Terminal,
    source: Source,
    is_local: bool,
    name: str | None,
    since: float | None,
    until: float | None,
    chart: bool,
    plot: Path | None,
) -> None:
    """Count and time what functions and routes did.

    Percentiles of durations, errors, throttles, cold starts, concurrency: on AWS of the last hour unless --since says
    otherwise, and what the month has cost so far. With --local it is what the local cloud did, whether `serve` runs or
    not.
    """
    from bareboat.local.observe import figures

    check_plot(plot)
    check_span(since, until)
    if not is_local:
        _of_aws(terminal, source, name, since, until, chart=chart, plot=plot)
        return
    path = observed_file(terminal, source)
    function = known_function(terminal, source, path, name)
    if until is None and (kept := figures.span(path)) is not None:
        until = kept[1]  # and not now: what is over may be of yesterday
    found = figures.metrics(path, function=function, since=since, until=until)
    if found is None:
        raise nothing_kept(source, path, narrowed=bool(function or since is not None))
    if plot is not None:
        from bareboat.local.observe.pictures import draw_metrics

        draw_metrics(plot, found, function)
    if terminal.as_json:
        terminal.document(_document(found) | {"plot": None if plot is None else str(plot)})
        return
    _tables(terminal, found)
    if chart:
        terminal.write("")
        terminal.write(drawable(_chart(found)))
    if plot is not None:
        terminal.say(f"written: {shown(plot)}")


def _of_aws(
    terminal: Terminal,
    source: Source,
    name: str | None,
    since: float | None,
    until: float | None,
    *,
    chart: bool,
    plot: Path | None,
) -> None:
    from time import time

    from bareboat.aws.deployed import find_deployed
    from bareboat.aws.metrics import live_metrics
    from bareboat.cli.aws import connected

    service, aws = connected(terminal, source, account=False)
    deployed = find_deployed(aws, service)
    if since is None:
        since = (time() if until is None else until) - AWS_SINCE_S
    with terminal.progress("Reading figures and reports"):
        found = live_metrics(aws, deployed, function=name or "", since=since, until=until)
    if plot is not None:
        from bareboat.local.observe.pictures import draw_metrics

        draw_metrics(plot, found.figures, name or "")
    if terminal.as_json:
        terminal.document(_live_document(found) | {"plot": None if plot is None else str(plot)})
        return
    _live_tables(terminal, found)
    if chart:
        terminal.write("")
        terminal.write(drawable(_chart(found.figures)))
    if plot is not None:
        terminal.say(f"written: {shown(plot)}")


def _live_tables(terminal: Terminal, found: LiveMetrics) -> None:
    _say_span(terminal, found.figures)
    _function_table(terminal, found.figures, frozenset(found.unread))
    if found.apis:
        terminal.write("")
        terminal.table(
            ("api", "name", "requests", "4xx", "5xx", "p50_ms", "p90_ms", "p99_ms"),
            [
                (_APIS[one.api], one.name, one.requests, one.client_errors, one.server_errors, *_three(one.latency))
                for one in found.apis
            ],
        )
    for name in found.unread:
        terminal.note(f"{name}: too many invocations to read each report; a shorter --since shows cold starts and GB-s")
    _cost_table(terminal, found.cost)


def _cost_table(terminal: Terminal, cost: Cost) -> None:
    from bareboat.aws.prices import FREE_TIER, REGION

    if not cost.lines:
        terminal.note(f"nothing was used since {utc_time(cost.since)[:10]} (UTC), the begin of the month")
        return
    terminal.write("")
    terminal.table(
        ("cost this month", "quantity", "unit", "price_usd", "cost_usd"),
        [
            (one.item, f"{one.quantity:,.3f}".rstrip("0").rstrip("."), one.unit, f"{one.price_usd:.10f}",
             f"{one.cost_usd:.6f}")
            for one in cost.lines
        ] + [("total", "", "", "", f"{cost.total_usd:.6f}")],
    )  # fmt: skip
    free = f"{FREE_TIER}, is not taken off" + (": it would bear all of Lambda here" if cost.is_within_free_tier else "")
    terminal.note(free)
    if not cost.is_priced_here:
        terminal.note(f"these are the prices of {REGION}; other regions have others")
    if not cost.is_exact:
        terminal.note("GB-s are estimated from CloudWatch's durations; the init of cold starts is billed too")
    terminal.note(f"list prices: {'; '.join(dict.fromkeys(f'{one.source} ({one.date})' for one in cost.lines))}")


def _say_span(terminal: Terminal, found: Metrics) -> None:
    terminal.say(f"{clock_time(found.since)[:19]} to {clock_time(found.until)[:19]}")


def _function_table(terminal: Terminal, found: Metrics, unread: frozenset[str] = frozenset()) -> None:
    """Write the table of functions; what is read of reports is `-` for those of which they were not read."""
    terminal.table(
        ("function", "invocations", "errors", "throttles", "cold", "p50_ms", "p90_ms", "p99_ms", "init_p50_ms",
         "billed_ms", "gb_s", "max_mb", "at_once"),
        [
            (one.function, one.invocations, one.errors, one.throttles,
             "-" if one.function in unread else one.cold_starts, *_three(one.duration),
             *(("-",) * 4 if one.function in unread else
               (_ms(one.init.p50), one.billed_ms, f"{one.gb_s:.3f}", one.max_memory_mb)),
             one.max_concurrency)
            for one in found.functions
        ],
    )  # fmt: skip


def _tables(terminal: Terminal, found: Metrics) -> None:
    _say_span(terminal, found)
    if found.functions:
        _function_table(terminal, found)
    if found.routes:
        if found.functions:
            terminal.write("")
        terminal.table(
            ("api", "route", "requests", "4xx", "5xx", "refused", "throttled", "p50_ms", "p90_ms", "p99_ms"),
            [
                (_APIS.get(one.api, one.api), one.route or "(none)", one.requests, one.client_errors, one.server_errors,
                 one.refused, one.throttled, *_three(one.latency))
                for one in found.routes
            ],
            whole="route",
        )  # fmt: skip
    if found.reloads:
        failed = f", {found.failed_reloads} of them failed" if found.failed_reloads else ""
        terminal.say(f"{found.reloads} reloads{failed}")
    if found.dropped_rows or found.dropped_bodies:
        terminal.warning(
            f"not kept: {found.dropped_rows:,} invocations and requests, and of {found.dropped_bodies:,} the bodies"
        )


def _chart(found: Metrics) -> list[str]:
    buckets = found.buckets
    title = f"each line is {_span(found.bucket_s)}"
    lines = [title]
    for heading, values, texts in (
        ("invocations (errors)", [one.invocations for one in buckets], [_counted(one) for one in buckets]),
        ("duration, p50 and p99 in ms", [one.duration.p99 or 0.0 for one in buckets],
         [f"{_ms(one.duration.p50)} {_ms(one.duration.p99)}" for one in buckets]),
        ("concurrency, average and most", [one.max_concurrency for one in buckets],
         [f"{one.concurrency:.2f} {one.max_concurrency}" for one in buckets]),
    ):  # fmt: skip
        lines += ["", heading, *_bars(buckets, values, texts)]
    return lines


def _bars(buckets: list[Bucket], values: list[int] | list[float], texts: list[str]) -> list[str]:
    from bareboat.cli.chart import bar

    most = max(values) or 1
    width = max(map(len, texts))
    return [
        f"{clock_time(one.at)[11:19]}  {text:>{width}}  {bar(value / most, _BAR)}".rstrip()
        for one, value, text in zip(buckets, values, texts, strict=True)
    ]


def _counted(bucket: Bucket) -> str:
    return f"{bucket.invocations} ({bucket.errors})" if bucket.errors else f"{bucket.invocations}"


def _three(durations: Durations) -> tuple[str, str, str]:
    return _ms(durations.p50), _ms(durations.p90), _ms(durations.p99)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _live_document(found: LiveMetrics) -> dict[str, object]:
    import msgspec

    document = _document(found.figures)
    for key in ("routes", "reloads", "failed_reloads", "dropped_bodies", "dropped_rows"):
        del document[key]  # which the local cloud alone has
    cost = found.cost
    return document | {
        "apis": msgspec.to_builtins(found.apis),
        "unread": list(found.unread),
        "cost": {
            "since": utc_time(cost.since),
            "total_usd": cost.total_usd,
            "exact": cost.is_exact,
            "priced_here": cost.is_priced_here,
            "within_free_tier": cost.is_within_free_tier,
            "lines": msgspec.to_builtins(cost.lines),
        },
    }


def _document(found: Metrics) -> dict[str, object]:
    import msgspec

    document: dict[str, object] = msgspec.to_builtins(found)
    document["since"], document["until"] = utc_time(found.since), utc_time(found.until)
    document["buckets"] = [msgspec.to_builtins(one) | {"at": utc_time(one.at)} for one in found.buckets]
    return document
