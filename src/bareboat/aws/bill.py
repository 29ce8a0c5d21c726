"""A live service -> what its month has cost so far, at list prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bareboat.aws.cloudwatch import Metric, aligned, function_metric, metric_values, total
from bareboat.aws.invocations import MOST_REPORTS, read_reports
from bareboat.aws.prices import Cost, Item, cost_of

if TYPE_CHECKING:
    from bareboat.aws.client import Aws
    from bareboat.aws.deployed import Deployed, LiveFunction


def month_so_far(
    aws: Aws,
    deployed: Deployed,
    functions: Sequence[LiveFunction],
    requests: Mapping[Metric, Item],
    now: float,
) -> Cost:
    """Return what the month has cost, from its first moment in UTC, as AWS bills.

    Args:
        requests: the metric of the requests of each API -> as what they are billed.
        now: seconds since 1970.
    Raises:
        AwsError: AWS refuses.
    """
    today = datetime.fromtimestamp(now, UTC)
    since = datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()
    start, end, step = aligned(since, now, now)
    end = max(end, start + step)
    wanted = [function_metric(one.full_name, name, "Sum") for one in functions for name in ("Invocations", "Duration")]
    whole = metric_values(aws, [*wanted, *requests], since=start, until=end, period_s=round(end - start))
    used: dict[Item, float] = {}
    is_exact = True
    for one in functions:
        invocations = total(whole, function_metric(one.full_name, "Invocations", "Sum"))
        properties: Mapping[str, Any] = deployed.template["Resources"][one.logical_id].get("Properties") or {}
        item: Item = "lambda_gb_s_arm64" if "arm64" in properties.get("Architectures", ()) else "lambda_gb_s_x86_64"
        seen = read_reports(aws, one, start, end) if invocations <= MOST_REPORTS else []
        invocations = max(invocations, len(seen))  # CloudWatch counts some minutes later
        gb_s = sum(each.gb_s for each in seen)
        if invocations and not seen:
            is_exact = False
            # what is billed is rounded up to a millisecond: by half of one on average
            duration_ms = total(whole, function_metric(one.full_name, "Duration", "Sum")) + 0.5 * invocations
            gb_s = duration_ms / 1000 * int(properties.get("MemorySize", 128)) / 1024
        used["lambda_requests"] = used.get("lambda_requests", 0.0) + invocations
        used[item] = used.get(item, 0.0) + gb_s
    for metric, item in requests.items():
        used[item] = used.get(item, 0.0) + total(whole, metric)
    return cost_of(used, since=since, region=aws.region, is_exact=is_exact)
