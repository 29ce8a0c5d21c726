from __future__ import annotations

import threading

import pytest

from bareboat.container.documents import Descriptor
from bareboat.container.transfer import Meter, Stopped, each_at_once
from bareboat.errors import RemoteError

BLOBS = [Descriptor("x", f"sha256:{number:064d}", 100) for number in range(8)]


def test_every_blob_is_done_and_the_answers_keep_their_order():
    meter = Meter(800, lambda _: None, lambda: None)

    assert each_at_once(BLOBS, lambda blob: int(blob.digest[-3:]), meter) == list(range(8))


def test_the_first_failure_ends_the_others_and_is_the_one_that_is_told():
    stopped = threading.Event()
    meter = Meter(800, lambda _: None, stopped.set)
    begun = []

    def act(blob: Descriptor) -> None:
        begun.append(blob)
        if blob is BLOBS[3]:
            raise RemoteError("the reason")
        stopped.wait(10)
        meter.done(blob, 100)
        raise RemoteError("what came of it")

    with pytest.raises(RemoteError, match="the reason"):
        each_at_once(BLOBS, act, meter)

    assert len(begun) == 4  # the rest never began


def test_progress_is_told_a_twentieth_at_a_time_and_never_backwards():
    said: list[str] = []
    meter = Meter(100_000_000, said.append, lambda: None)

    for done in (1, 4_000_000, 5_000_000, 5_100_000, 3_000_000, 60_000_000, 100_000_000):
        meter.done(BLOBS[0], done)

    assert said == ["5.0 of 100.0 MB", "60.0 of 100.0 MB", "100.0 of 100.0 MB"]


def test_a_meter_that_was_stopped_lets_nothing_go_on():
    meter = Meter(100, lambda _: None, lambda: None)
    meter.stop()

    with pytest.raises(Stopped):
        meter.done(BLOBS[0], 1)
