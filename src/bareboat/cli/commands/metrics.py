"""`bareboat metrics --local`: how much was asked, how long it took, how often it failed."""

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
    from bareboat.local.observe.figures import Bucket, Metrics
    from bareboat.local.observe.percentiles import Durations

_APIS = {"httpApi": "HTTP", "http": "REST", "url": "URL"}
_BAR = 24


@click.command(cls=Command)
@local_option
@function_option("Only this function.")
@click.option(
    "--since", type=Moment(), metavar="WHEN", help="From then on: 10m, 2h, 1d, or a date and time.  [default: all]"
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

    Percentiles of durations, errors, cold starts, concurrency. With --local it is what the local cloud did, whether
    `serve` runs or not.
    """
    from bareboat.local.observe import figures

    check_plot(plot)
    check_span(since, until)
    path = observed_file(terminal, source, "metrics", is_local=is_local)
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


def _tables(terminal: Terminal, found: Metrics) -> None:
    terminal.say(f"{clock_time(found.since)[:19]} to {clock_time(found.until)[:19]}")
    if found.functions:
        terminal.table(
            ("function", "invocations", "errors", "throttles", "cold", "p50_ms", "p90_ms", "p99_ms", "init_p50_ms",
             "billed_ms", "gb_s", "max_mb", "at_once"),
            [
                (one.function, one.invocations, one.errors, one.throttles, one.cold_starts, *_three(one.duration),
                 _ms(one.init.p50), one.billed_ms, f"{one.gb_s:.3f}", one.max_memory_mb, one.max_concurrency)
                for one in found.functions
            ],
        )  # fmt: skip
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


def _document(found: Metrics) -> dict[str, object]:
    import msgspec

    document: dict[str, object] = msgspec.to_builtins(found)
    document["since"], document["until"] = utc_time(found.since), utc_time(found.until)
    document["buckets"] = [msgspec.to_builtins(one) | {"at": utc_time(one.at)} for one in found.buckets]
    return document
