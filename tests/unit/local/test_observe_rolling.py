"""Figures that are carried on against those that are made of everything."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest

from bareboat.local.access_record import AccessRecord
from bareboat.local.invocation import Invocation
from bareboat.local.observe import figures
from bareboat.local.observe.percentiles import Histogram
from bareboat.local.observe.rolling import Rolling, Slot
from bareboat.local.observe.store import Store


def invocation(chance: random.Random, at: float) -> Invocation:
    return Invocation(
        f"i{chance.random()}", chance.choice("fg"), b"", chance.choice(["", "", "Unhandled"]),
        chance.lognormvariate(3, 2), 1, 128, 20, chance.choice([None, 50.0]), "", at=at,
        source=chance.choice(["url", "invoke"]),
    )  # fmt: skip


def record(chance: random.Random, at: float) -> AccessRecord:
    return AccessRecord(
        "GET", "/a", chance.choice([200, 404, 500]), chance.lognormvariate(1, 1), "f", "r", cold=False, at=at,
        route=chance.choice(["GET /a", "GET /b", ""]), refused=chance.choice(["", "THROTTLED"]),
    )  # fmt: skip


def fill(store: Store, chance: random.Random, number: int) -> None:
    now = time.time()
    for _ in range(number):
        at = now - chance.random() * 200
        store.invocation(invocation(chance, at))
        store.request(record(chance, at))
    assert store.flush(30)


def joined(slot: Slot) -> tuple[int, int, int, int]:
    rows = slot.requests.values()
    return (
        sum(each.requests for each in rows),
        sum(each.client_errors for each in rows),
        sum(each.server_errors for each in rows),
        sum(each.refused for each in rows),
    )


def test_what_is_carried_on_is_what_all_of_it_makes(tmp_path: Path):
    path = tmp_path / "observed.sqlite"
    store, chance, rolling = Store(path), random.Random(1), Rolling(path)
    assert rolling.total(0) == Slot()
    for number in (50, 1, 300, 0, 20):
        fill(store, chance, number)

        total = rolling.total(0)
        width, buckets = rolling.buckets(3600, 100)

        found = figures.metrics(path, buckets=0)
        assert found is not None
        routes = found.routes
        assert joined(total) == (
            sum(one.requests for one in routes), sum(one.client_errors for one in routes),
            sum(one.server_errors for one in routes), sum(one.refused for one in routes),
        )  # fmt: skip
        for one in routes:
            assert total.requests[one.api, one.route, "f"].latency.percentiles().p50 == pytest.approx(
                one.latency.p50, rel=0.03
            )
        for name in found.functions:
            mine = [each for (function, _), each in total.invocations.items() if function == name.function]
            assert sum(each.invocations for each in mine) == name.invocations
            assert sum(each.errors for each in mine) == name.errors
            assert sum(each.cold_starts for each in mine) == name.cold_starts
        exact = figures.metrics(path, since=time.time() - 3600, buckets=100)
        assert exact is not None
        assert width == exact.bucket_s
        most = {round(at): slot.most for at, slot in buckets if slot.most}
        assert most == {round(one.at): one.max_concurrency for one in exact.buckets if one.max_concurrency}
        once = Rolling(path).buckets(3600, 100, "g")[1]
        assert sum(len(slot.requests) for _, slot in once) == 0
        assert {function for _, slot in once for function, _ in slot.invocations} == {"g"}
    store.close()


def test_a_window_loses_what_is_old(tmp_path: Path):
    path = tmp_path / "observed.sqlite"
    store, chance, rolling = Store(path), random.Random(2), Rolling(path)
    store.request(record(chance, time.time() - 59))
    store.request(record(chance, time.time() - 90))
    store.request(record(chance, time.time()))
    store.flush()

    assert joined(rolling.total(60))[0] == 2
    time.sleep(0.1)
    assert joined(rolling.total(30))[0] == 1
    store.close()


def test_a_store_that_was_removed_is_begun_anew(tmp_path: Path):
    path = tmp_path / "observed.sqlite"
    store, chance, rolling = Store(path), random.Random(3), Rolling(path)
    fill(store, chance, 5)
    assert joined(rolling.total(0))[0] == 5
    store.close()
    for each in tmp_path.iterdir():
        each.unlink()
    assert rolling.total(0) == Slot()
    store = Store(path)
    fill(store, chance, 2)

    assert joined(rolling.total(0))[0] == 2
    store.close()


@pytest.mark.parametrize("values", [[3.5], [0.001, 4e6], [1, 2, 3, 4, 100], [7.0] * 9])
def test_few_values_have_exact_percentiles(values: list[float]):
    found = Histogram()
    for place, value in enumerate(values):
        found.add(int(value * 1000) if len(set(values)) > 1 else place, 1, value)

    percentiles = found.percentiles()

    wanted = np.percentile(values, [50, 90, 99])
    assert (percentiles.p50, percentiles.p90, percentiles.p99) == pytest.approx(tuple(wanted))
