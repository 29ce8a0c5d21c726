"""What a long-running loop changes of its process."""

from __future__ import annotations

import gc

from bareboat.local.loop import COLLECT_EVERY, settle


def test_what_serves_lets_the_collector_come_less_often():
    before = gc.get_threshold()
    try:
        settle()

        assert gc.get_threshold() == COLLECT_EVERY
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
