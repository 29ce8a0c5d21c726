"""Metrics -> a PNG or SVG file, by matplotlib (the extra `plots`)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from bareboat.errors import BareboatError
from bareboat.local.observe.figures import Metrics

_BLUE, _ORANGE, _GREY = "#1f5fa8", "#c4581a", "#5b6470"  # told apart by people who confuse red and green, and in print


def draw_metrics(path: Path, found: Metrics, function: str = "") -> None:
    """Draw invocations, durations and concurrency over time, one below the other.

    Args:
        path: to write; its suffix says what: .png or .svg.
        function: the only one that is meant; "" for all.
    Raises:
        BareboatError: it cannot be written.
    """
    from matplotlib import dates
    from matplotlib.figure import Figure

    buckets = found.buckets
    times = [datetime.fromtimestamp(one.at).astimezone().replace(tzinfo=None) for one in buckets]
    width_days = found.bucket_s / 86_400 * 0.9
    figure = Figure(figsize=(8.0, 7.0), layout="constrained")
    counts, durations, running = figure.subplots(3, 1, sharex=True)
    counts.bar(times, [one.invocations for one in buckets], width=width_days, align="edge", color=_BLUE, label="all")
    counts.bar(
        times,
        [one.errors for one in buckets],
        width=width_days,
        align="edge",
        color=_ORANGE,
        hatch="//",
        label="errors",
    )
    counts.set_ylabel("invocations")
    for share, style, colour in (("p50", "-", _BLUE), ("p90", "--", _GREY), ("p99", ":", _ORANGE)):
        values = [getattr(one.duration, share) for one in buckets]
        durations.plot(
            times,
            [float("nan") if each is None else each for each in values],
            style,
            color=colour,
            marker=".",
            label=share,
        )
    durations.set_ylabel("duration (ms)")
    durations.set_ylim(bottom=0)
    running.step(times, [one.max_concurrency for one in buckets], where="post", color=_BLUE, label="most")
    running.step(
        times, [one.concurrency for one in buckets], where="post", color=_GREY, linestyle="--", label="average"
    )
    running.set_ylabel("invocations at once")
    running.set_ylim(bottom=0)
    scale: Any = dates  # which has no types
    locator = scale.AutoDateLocator()
    running.xaxis.set_major_locator(locator)
    running.xaxis.set_major_formatter(scale.ConciseDateFormatter(locator))
    for axes in (counts, durations, running):
        axes.legend(frameon=False, fontsize=8, loc="upper right")
    counts.set_title(function or "all functions", loc="left", fontsize=10)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise BareboatError(f"{path} cannot be written: {error.strerror}") from error
