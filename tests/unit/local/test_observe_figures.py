"""The figures of the store against numpy and against counting one by one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bareboat.local.access_record import AccessRecord
from bareboat.local.invocation import Invocation
from bareboat.local.observe import figures
from bareboat.local.observe.percentiles import Durations
from bareboat.local.observe.store import Store

START = 1_700_000_000.0


@pytest.fixture(scope="module", params=[1, 2, 7, 400])
def kept(request, tmp_path_factory):
    """A store, and the rows that were put into it."""
    chance = random.Random(request.param)
    path = tmp_path_factory.mktemp("observed") / "observed.sqlite"
    store = Store(path)
    invocations = [
        Invocation(
            f"i{number}", chance.choice("fg"), b"", chance.choice(["", "", "Unhandled"]), chance.expovariate(0.01),
            chance.randrange(1, 900), chance.choice([128, 1024]), chance.randrange(20, 90),
            chance.choice([None, None, 50 + chance.random()]), "", at=START + chance.random() * 100,
        )
        for number in range(request.param)
    ]  # fmt: skip
    records = [
        AccessRecord(
            "GET", "/a", chance.choice([200, 200, 404, 500]), chance.random() * 50, "", f"r{number}", cold=False,
            at=START + chance.random() * 100, route=chance.choice(["GET /a", "GET /b", ""]),
            refused=chance.choice(["", "", "THROTTLED", "UNAUTHORIZED"]),
        )
        for number in range(request.param)
    ]  # fmt: skip
    for invocation, record in zip(invocations, records, strict=True):
        store.invocation(invocation)
        store.request(record)
    assert store.flush(30)
    store.close()
    return path, invocations, records


def three(values):
    return Durations(*np.percentile(list(values), [50, 90, 99])) if values else Durations()


def assert_close(found, expected):
    for name in ("p50", "p90", "p99"):
        one, other = getattr(found, name), getattr(expected, name)
        assert one == (None if other is None else pytest.approx(other, rel=1e-12))


def test_functions_are_counted_and_measured_as_numpy_does(kept):
    path, invocations, _ = kept

    found = figures.metrics(path, buckets=0)

    assert [one.function for one in found.functions] == sorted({each.function for each in invocations})
    for one in found.functions:
        mine = [each for each in invocations if each.function == one.function]
        assert one.invocations == len(mine)
        assert one.errors == sum(each.error != "" for each in mine)
        assert one.cold_starts == sum(each.init_ms is not None for each in mine)
        assert one.billed_ms == sum(each.billed_ms for each in mine)
        assert one.gb_s == pytest.approx(sum(each.billed_ms / 1000 * each.memory_mb / 1024 for each in mine))
        assert one.max_memory_mb == max(each.max_memory_mb for each in mine)
        assert_close(one.duration, three([each.duration_ms for each in mine]))
        assert_close(one.init, three([each.init_ms for each in mine if each.init_ms is not None]))
        assert one.max_concurrency == most_at_once(mine)


def test_routes_are_counted_and_measured_as_numpy_does(kept):
    path, _, records = kept

    for one in figures.counts(path):
        mine = [each for each in records if each.route == one.route]
        assert one.requests == len(mine)
        assert one.client_errors == sum(400 <= each.status < 500 for each in mine)
        assert one.server_errors == sum(each.status >= 500 for each in mine)
        assert one.refused == sum(each.refused != "" for each in mine)
        assert one.throttled == sum(each.refused == "THROTTLED" for each in mine)
        assert_close(one.latency, three([each.latency_ms for each in mine]))


@pytest.mark.parametrize("buckets", [3, 30])
@pytest.mark.parametrize("window", [None, (START + 20, START + 60.5)])
@pytest.mark.parametrize("function", ["", "f"])
def test_buckets_have_what_happened_in_them(kept, buckets, window, function):
    path, invocations, records = kept
    since, until = window or (None, START + 101)

    found = figures.metrics(path, function=function, since=since, until=until, buckets=buckets)

    if found is None:
        assert window is not None or function
        return
    assert len(found.buckets) <= buckets
    ends = [(each.at, each.at + (each.duration_ms + (each.init_ms or 0)) / 1000) for each in invocations
            if function in ("", each.function) and each.at < found.until]  # fmt: skip
    for bucket in found.buckets:
        begin, end = bucket.at, bucket.at + found.bucket_s
        low, high = max(begin, found.since), min(end, found.until)
        mine = [each for each in invocations if low <= each.at < high and function in ("", each.function)]
        asked = [each for each in records if low <= each.at < high and not function]
        assert bucket.invocations == len(mine)
        assert bucket.errors == sum(each.error != "" for each in mine)
        assert bucket.requests == len(asked)
        assert_close(bucket.duration, three([each.duration_ms for each in mine]))
        assert_close(bucket.latency, three([each.latency_ms for each in asked]))
        busy = sum(max(0.0, min(last, end) - max(first, begin)) for first, last in ends if last >= found.since)
        assert bucket.concurrency == pytest.approx(busy / found.bucket_s, abs=1e-4)
        during = [pair for pair in ends if pair[0] < end and pair[1] > begin and pair[1] >= found.since]
        assert bucket.max_concurrency == most(during, begin)
    if not function and window is None:
        assert sum(bucket.invocations for bucket in found.buckets) == len(invocations)


def most_at_once(invocations):
    return most([(each.at, each.at + (each.duration_ms + (each.init_ms or 0)) / 1000) for each in invocations], 0.0)


def most(pairs, begin):
    """Count at the begin of each one how many are under way."""
    moments = {max(first, begin) for first, _ in pairs}
    return max((sum(first <= moment < last for first, last in pairs) for moment in moments), default=0)


def test_the_span_is_that_of_what_was_kept(kept):
    path, invocations, records = kept
    moments = [each.at for each in (*invocations, *records)]

    assert figures.span(path) == (min(moments), max(moments) + 0.001)
    assert figures.metrics(path, until=START - 5) is None


def test_requests_at_the_limit_of_a_function_are_its_throttles(tmp_path):
    store = Store(tmp_path / "observed.sqlite")
    error = "TooManyRequestsException: Rate Exceeded. f already runs 1 times"
    store.request(AccessRecord("GET", "/", 503, 0.1, "f", "r", cold=False, at=START, route="GET /", error=error))
    store.close()

    (one,) = figures.metrics(tmp_path / "observed.sqlite").functions
    assert (one.function, one.invocations, one.throttles) == ("f", 0, 1)
