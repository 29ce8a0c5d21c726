"""CloudWatch's figures and Lambda's reports -> what a service did, and what it cost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bareboat.aws.cloudwatch import Metric, aligned, metric_values
from bareboat.aws.deployed import Deployed
from bareboat.aws.invocations import MOST_REPORTS
from bareboat.aws.metrics import live_metrics
from bareboat.aws.prices import FREE_GB_S, PRICES, cost_of
from bareboat.aws.stack import Stack
from bareboat.local.observe.percentiles import Durations

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC).timestamp()
MONTH = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
TEMPLATE = {
    "Resources": {
        "GoLambdaFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"FunctionName": "shop-dev-go", "MemorySize": 512, "Architectures": ["arm64"]},
        },
        "OtherLambdaFunction": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024}},
        "HttpApi": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {}},
    }
}
RESOURCES = {"GoLambdaFunction": "shop-dev-go", "OtherLambdaFunction": "shop-dev-other", "HttpApi": "abc"}
REPORT = (
    "REPORT RequestId: 36133c1b-a0b1-42e9-987f-9d6f27152091\tDuration: {d} ms\tBilled Duration: {b} ms\t"
    "Memory Size: 512 MB\tMax Memory Used: {m} MB\t{rest}\n"
)


def report(at, duration, billed, memory=40, rest=""):
    return {"timestamp": int(at * 1000), "message": REPORT.format(d=duration, b=billed, m=memory, rest=rest)}


class CloudWatch:
    """Answers GetMetricData from points: (metric, statistic, value of the first dimension) -> [(at, value)]."""

    def __init__(self, points):
        self.points = points

    def __call__(self, StartTime, EndTime, MetricDataQueries, **_):  # noqa: N803
        results = []
        for query in MetricDataQueries:
            stat = query["MetricStat"]
            key = (stat["Metric"]["MetricName"], stat["Stat"], stat["Metric"]["Dimensions"][0]["Value"])
            within = [
                (at, value)
                for at, value in self.points.get(key, ())
                if StartTime.timestamp() <= at < EndTime.timestamp()
            ]
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in within],
                    "Values": [value for _, value in within],
                }
            )
        return {"MetricDataResults": results}


@pytest.fixture
def live(scripted):
    """Make a deployed service with these points and log events."""

    def make(points, reports=None):
        reports = reports or {}
        aws = scripted(
            {
                "cloudformation:get_template": {"TemplateBody": json.dumps(TEMPLATE)},
                "cloudformation:list_stack_resources": {
                    "StackResourceSummaries": [
                        {"LogicalResourceId": name, "PhysicalResourceId": physical, "ResourceStatus": "CREATE_COMPLETE",
                         "ResourceType": "x"}
                        for name, physical in RESOURCES.items()
                    ]
                },
                "apigatewayv2:get_api": {"ApiEndpoint": "https://abc"},
                "cloudwatch:get_metric_data": CloudWatch(points),
                "logs:filter_log_events": lambda logGroupName, startTime, endTime, **_: {  # noqa: N803
                    "events": [
                        each for each in reports.get(logGroupName.rpartition("-")[2], ())
                        if startTime <= each["timestamp"] < endTime
                    ]
                },
            }
        )  # fmt: skip
        service = SimpleNamespace(
            name="shop",
            functions={name: SimpleNamespace(full_name=f"shop-dev-{name}") for name in ("go", "other")},
            image_functions={},
            provider=SimpleNamespace(stage="dev", stack_name="shop-dev"),
        )
        stack = Stack("shop-dev", "arn", "CREATE_COMPLETE", datetime(2026, 11, 1, tzinfo=UTC))
        return aws, Deployed(aws, service, stack)

    return make


def test_counts_and_percentiles_are_cloudwatchs_and_cold_starts_those_of_the_reports(live):
    at = NOW - 600
    aws, deployed = live(
        {
            ("Invocations", "Sum", "shop-dev-go"): [(at, 3.0)],
            ("Errors", "Sum", "shop-dev-go"): [(at, 1.0)],
            ("Throttles", "Sum", "shop-dev-go"): [(at, 2.0)],
            ("Duration", "p50", "shop-dev-go"): [(at, 5.0)],
            ("Duration", "p90", "shop-dev-go"): [(at, 9.0)],
            ("Duration", "p99", "shop-dev-go"): [(at, 9.9)],
            ("ConcurrentExecutions", "Maximum", "shop-dev-go"): [(at, 2.0)],
        },
        {
            "go": [
                report(at, 5.0, 105, rest="Init Duration: 99.50 ms\t"),
                report(at + 1, 4.0, 4, 60),
                report(at + 2, 9, 9),
            ]
        },
    )

    found = live_metrics(aws, deployed, since=NOW - 3600, clock=lambda: NOW)

    go, other = found.figures.functions
    assert (go.invocations, go.errors, go.throttles, go.cold_starts, go.max_concurrency) == (3, 1, 2, 1, 2)
    assert go.duration == Durations(5.0, 9.0, 9.9)
    assert (go.init.p50, go.billed_ms, go.max_memory_mb) == (99.5, 118, 60)
    assert go.gb_s == pytest.approx(0.118 * 0.5)
    assert (other.function, other.invocations, other.duration) == ("other", 0, Durations())
    assert found.unread == ()


def test_durations_come_from_the_reports_while_cloudwatch_has_none_yet(live):
    aws, deployed = live({}, {"go": [report(NOW - 60, each, 9) for each in (1.0, 2.0, 3.0)]})

    found = live_metrics(aws, deployed, since=NOW - 3600, clock=lambda: NOW)

    assert found.figures.functions[0].duration.p50 == 2.0


def test_buckets_cover_the_span_and_hold_what_happened_in_them(live):
    at = NOW - 1200
    aws, deployed = live(
        {
            ("Invocations", "Sum", "shop-dev-go"): [(at, 3.0)],
            ("Invocations", "Sum", "shop-dev-other"): [(at, 4.0)],
            ("ConcurrentExecutions", "Maximum", "shop-dev-go"): [(at, 2.0)],
        },
        {"go": [report(at + 1, 5.0, 5)], "other": [report(at + 2, 7.0, 7)]},
    )

    found = live_metrics(aws, deployed, since=NOW - 3600, clock=lambda: NOW).figures

    assert (found.since, found.until) == (NOW - 3600, NOW)
    assert found.buckets[0].at <= found.since
    assert found.buckets[-1].at + found.bucket_s >= found.until
    bucket = next(one for one in found.buckets if one.invocations)
    assert (bucket.at, bucket.invocations, bucket.max_concurrency, bucket.duration.p50) == (at, 7, 2, 6.0)
    assert sum(one.invocations for one in found.buckets) == 7


def test_reports_are_not_read_of_a_function_that_has_too_many(live):
    many = MOST_REPORTS + 1
    at = NOW - 60
    aws, deployed = live(
        {
            ("Invocations", "Sum", "shop-dev-go"): [(at, float(many))],
            ("Duration", "Sum", "shop-dev-go"): [(at, many * 1.5)],
        }
    )

    found = live_metrics(aws, deployed, function="go", since=NOW - 3600, clock=lambda: NOW)

    assert found.unread == ("go",)
    assert aws.asked("logs:filter_log_events") == []
    assert not found.cost.is_exact
    gb_s = next(line for line in found.cost.lines if line.unit == "GB-s")
    assert gb_s.quantity == pytest.approx(many * 0.002 * 0.5)


def test_the_month_is_billed_from_its_first_moment_in_utc(live):
    aws, deployed = live(
        {
            ("Invocations", "Sum", "shop-dev-go"): [(MONTH - 60, 9.0), (MONTH, 2.0)],
            ("Count", "Sum", "abc"): [(MONTH, 7.0)],
        },
        {"go": [report(MONTH - 60, 1, 1), report(MONTH, 2, 1000), report(MONTH + 60, 2, 3000)]},
    )

    cost = live_metrics(aws, deployed, since=NOW - 3600, clock=lambda: NOW).cost

    assert cost.since == MONTH
    assert {line.item: line.quantity for line in cost.lines} == {
        "Lambda requests": 2, "Lambda duration, arm64": 2.0, "HTTP API requests": 7,
    }  # fmt: skip
    assert cost.total_usd == pytest.approx(2 * 0.20e-6 + 2 * 0.0000133334 + 7e-6)
    assert cost.is_exact
    assert cost.is_within_free_tier


@pytest.mark.parametrize(("age_d", "step"), [(0.0, 60), (14.9, 60), (15.1, 300), (62.9, 300), (63.1, 3600)])
def test_a_span_is_widened_to_what_cloudwatch_keeps(age_d, step):
    since = NOW - age_d * 86_400 - 7

    start, end, found = aligned(since, NOW - 1, NOW)

    assert found == step
    assert (start % step, end % step) == (0, 0)
    assert since - step < start <= since
    assert NOW - 1 <= end < NOW - 1 + step


def test_more_metrics_than_one_call_takes_are_asked_for_in_several(scripted):
    aws = scripted({"cloudwatch:get_metric_data": CloudWatch({("m", "Sum", "700"): [(60.0, 5.0)]})})
    wanted = [Metric("x", "m", (("d", str(number)),), "Sum") for number in range(701)]

    found = metric_values(aws, wanted, since=0, until=120, period_s=60)

    assert [len(call["MetricDataQueries"]) for call in aws.asked("cloudwatch:get_metric_data")] == [500, 201]
    assert found[wanted[700]] == {60.0: 5.0}
    assert found[wanted[0]] == {}


def test_prices_fall_with_the_quantity():
    price = PRICES["rest_api_requests"]

    assert price.of(1e6) == pytest.approx(3.50)
    assert price.of(1000e6) == pytest.approx(333 * 3.50 + 667 * 2.80)
    assert all(one.source and one.date for one in PRICES.values())


def test_what_is_over_the_free_tier_or_in_another_region_is_told():
    used = {"lambda_gb_s_x86_64": FREE_GB_S + 1.0}

    cost = cost_of(used, since=0.0, region="eu-central-1", is_exact=True)

    assert not cost.is_within_free_tier
    assert not cost.is_priced_here
    assert [line.item for line in cost.lines] == ["Lambda duration, x86_64"]
