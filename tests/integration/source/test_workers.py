"""Several processes that strip and count."""

from __future__ import annotations

import os

import pytest

from bareboat.source.batch import strip_all
from bareboat.source.tasks import Wanted
from bareboat.source.workers import answers


def test_several_processes_answer_as_one_does_and_in_order() -> None:
    sources = [f"x = {number}  # {number}\n".encode() for number in range(20)]

    alone = list(strip_all(sources, Wanted(), size_bytes=0))
    together = list(strip_all(sources, Wanted(), size_bytes=10**9))

    assert together == alone
    assert alone[7].data == b"x = 7\n"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="counts processors as Linux does")
def test_a_worker_that_dies_costs_one_answer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bareboat.source.workers._PROGRAM", _MORTAL)

    got = list(answers([("strip", (source, Wanted())) for source in (b"a\n", b"die\n", b"b\n")], 10**9))

    assert [one is None for one in got] == [False, True, False]


_MORTAL = """
import os, sys
sys.path.insert(0, sys.argv[1])
from bareboat.source import tasks, workers
strip = tasks.strip
tasks.strip = lambda source, wanted: os._exit(9) if source == b"die\\n" else strip(source, wanted)
workers.serve()
"""
