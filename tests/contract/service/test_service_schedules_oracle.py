"""cron() against pyawscron, another reading of AWS's rules. It fails on days that a month does not have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyawscron import AWSCron

from bareboat.service.schedules import parse

START = datetime(2026, 2, 26, 22, 58, 0, tzinfo=UTC)
COUNT = 12


@pytest.mark.parametrize(
    "text",
    [
        "0 10 * * ? *",
        "15 12 * * ? *",
        "0 18 ? * MON-FRI *",
        "0 8 1 * ? *",
        "0/15 * * * ? *",
        "0/5 8-17 ? * MON-FRI *",
        "0 9 ? * 2#1 *",
        "0 7 ? * 3#5 *",
        "0 0 L * ? *",
        "10 7,19 ? 2-5 SUN,SAT 2026-2028",
        "0 0 28 * ? *",
        "0 12 15 JAN,JUN ? 2027-2040",
        "5,35 0-6/3 ? FEB FRI *",
        "30 1/6 * 3/4 ? *",
        "0 0 15W * ? *",
        "15 10 ? * 6L *",
    ],
)
def test_cron_fires_when_another_reader_of_it_says(text):
    schedule, moment, found = parse(f"cron({text})"), START, []
    for _ in range(COUNT):
        following = schedule.next_after(moment)
        if following is None:
            break
        found.append(following)
        moment = following

    assert found == AWSCron.get_next_n_schedule(COUNT, START, text)[: len(found)]
    assert len(found) >= 6
