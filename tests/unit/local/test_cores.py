from __future__ import annotations

import pytest

from bareboat.local.cores import Cores


@pytest.mark.parametrize(("memory_mb", "each"), [(128, 1), (1024, 1), (1769, 1), (3538, 2), (10240, 5)])
def test_memory_buys_a_core_for_each_1769_mb(memory_mb: int, each: int) -> None:
    assert Cores(memory_mb, available=range(64)).each == each


def test_processes_are_dealt_cores_in_turn() -> None:
    cores = Cores(1024, available=(2, 5, 7))

    assert [cores.deal() for _ in range(4)] == [{2}, {5}, {7}, {2}]


def test_a_process_that_may_use_every_core_is_dealt_none() -> None:
    assert Cores(10240, available=range(4)).deal() == frozenset()


def test_a_system_that_cannot_tell_its_cores_deals_none() -> None:
    assert Cores(128, available=()).deal() == frozenset()
