"""CloudWatch's metrics -> numbers over time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bareboat.aws.client import Aws

_QUERIES = 500  # of one GetMetricData: CloudWatch's limit
_DAY_S = 86_400


class Metric(NamedTuple):
    """One metric and the statistic of it that is wanted.

    Args:
        dimensions: (name, value), in any order.
        stat: Sum, Average, Maximum, p50, ...
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str


Points = Mapping[float, float]
"""The begin of a period, seconds since 1970 -> the value."""


def aligned(since: float, until: float, now: float) -> tuple[float, float, int]:
    """Return a span widened to what CloudWatch keeps, and the least period that it can be divided by, in seconds.

    Source:
        CloudWatch user guide, "Metrics retention": minutes for 15 days, five minutes for 63 days, hours for 455 days.
    """
    age_d = (now - since) / _DAY_S
    step = 60 if age_d < 15 else 300 if age_d < 63 else 3600
    return math.floor(since / step) * step, math.ceil(until / step) * step, step


def metric_values(
    aws: Aws, metrics: Iterable[Metric], *, since: float, until: float, period_s: int
) -> dict[Metric, Points]:
    """Return the points of metrics; {} for one that has none.

    Args:
        since, until: seconds since 1970, multiples of the period's step (`aligned`).
    Raises:
        AwsError: AWS refuses.
    """
    wanted = list(dict.fromkeys(metrics))
    found: dict[Metric, dict[float, float]] = {metric: {} for metric in wanted}
    for first in range(0, len(wanted), _QUERIES):
        part = wanted[first : first + _QUERIES]
        results = aws.pages(
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            StartTime=datetime.fromtimestamp(since, UTC),
            EndTime=datetime.fromtimestamp(until, UTC),
            ScanBy="TimestampAscending",
            MetricDataQueries=[
                {
                    "Id": f"q{number}",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": metric.namespace,
                            "MetricName": metric.name,
                            "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
                        },
                        "Period": period_s,
                        "Stat": metric.stat,
                    },
                }
                for number, metric in enumerate(part)
            ],
        )
        for result in results:
            points = found[part[int(result["Id"].removeprefix("q"))]]
            for at, value in zip(result.get("Timestamps") or (), result.get("Values") or (), strict=False):
                if value is not None:
                    points[at.timestamp()] = float(value)
    return dict(found)


def function_metric(full_name: str, name: str, stat: str) -> Metric:
    """Return a metric of one function.

    Args:
        full_name: of the function on AWS.
    """
    return Metric("AWS/Lambda", name, (("FunctionName", full_name),), stat)


def total(found: Mapping[Metric, Points], metric: Metric) -> float:
    """Return the sum of a metric's points."""
    return sum(found.get(metric, {}).values())


def most(found: Mapping[Metric, Points], metric: Metric) -> float | None:
    """Return the greatest of a metric's points; None where it has none."""
    return max(found.get(metric, {}).values(), default=None)
