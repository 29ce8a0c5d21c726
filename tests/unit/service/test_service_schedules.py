"""rate(), cron() and at(): when they fire. Examples: EventBridge user guide and EventBridge Scheduler user guide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.errors import ConfigurationError
from bareboat.service.schedules import parse

START = datetime(2026, 11, 22, 11, 0, 30, tzinfo=UTC)  # a Sunday


def times(text: str, count: int, start: datetime = START, zone: str = "") -> list[str]:
    schedule, found, moment = parse(text, zone), [], start
    for _ in range(count):
        following = schedule.next_after(moment, start)
        if following is None:
            break
        found.append(following.strftime("%Y-%m-%d %H:%M:%S"))
        moment = following
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # EventBridge user guide, "Cron expressions", the table of examples and their words
        ("cron(0 10 * * ? *)", ["2026-11-23 10:00:00", "2026-11-24 10:00:00"]),  # 10:00 each day
        ("cron(15 12 * * ? *)", ["2026-11-22 12:15:00", "2026-11-23 12:15:00"]),  # 12:15 each day
        ("cron(0 18 ? * MON-FRI *)", ["2026-11-23 18:00:00", "2026-11-24 18:00:00"]),  # each weekday
        ("cron(0 8 1 * ? *)", ["2026-12-01 08:00:00", "2027-01-01 08:00:00"]),  # the first of each month
        ("cron(0/15 * * * ? *)", ["2026-11-22 11:15:00", "2026-11-22 11:30:00"]),  # every 15 minutes
        ("cron(0/10 * ? * MON-FRI *)", ["2026-11-23 00:00:00", "2026-11-23 00:10:00"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-11-23 08:00:00", "2026-11-23 08:05:00"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-12-07 09:00:00", "2027-01-04 09:00:00"]),  # the first Monday
        ("cron(15 10 ? * 6L 2026-2027)", ["2026-11-27 10:15:00", "2026-12-25 10:15:00"]),  # the last Friday
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00:00", "2026-12-31 00:00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-11-30 00:00:00", "2026-12-31 00:00:00", "2027-01-29 00:00:00"]),
        ("cron(0 0 3W * ? *)", ["2026-12-03 00:00:00", "2027-01-04 00:00:00"]),  # the 3rd is a Sunday in January
        ("cron(0 0 1W * ? *)", ["2026-12-01 00:00:00", "2027-01-01 00:00:00", "2027-02-01 00:00:00"]),
        ("cron(0 0 31 * ? *)", ["2026-12-31 00:00:00", "2027-01-31 00:00:00", "2027-03-31 00:00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("cron(0 0 ? * L *)", ["2026-11-28 00:00:00"]),  # Saturday
        ("cron(0 0 ? * FRI-SUN *)", ["2026-11-27 00:00:00", "2026-11-28 00:00:00", "2026-11-29 00:00:00"]),
        ("cron(0 0 1,15 JAN,JUL ? *)", ["2027-01-01 00:00:00", "2027-01-15 00:00:00", "2027-07-01 00:00:00"]),
        ("cron(0 0 1 1 ? 2025)", []),
        ("rate(5 minutes)", ["2026-11-22 11:05:30", "2026-11-22 11:10:30"]),
        ("rate(1 hour)", ["2026-11-22 12:00:30"]),
        ("rate(7 days)", ["2026-11-29 11:00:30"]),
        ("at(2026-12-01T00:00:00)", ["2026-12-01 00:00:00"]),
        ("at(2020-12-01T00:00:00)", []),
    ],
)
def test_schedules_fire_when_the_guide_says(text, expected):
    assert times(text, max(len(expected), 1)) == expected


# EventBridge Scheduler user guide, "Daylight saving time"
@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        ("cron(30 2 * * ? *)", datetime(2027, 3, 27, tzinfo=UTC), ["2027-03-27 01:30:00", "2027-03-29 00:30:00"]),
        ("cron(30 2 * * ? *)", datetime(2026, 10, 24, 12, tzinfo=UTC), ["2026-10-25 00:30:00", "2026-10-26 01:30:00"]),
        ("cron(0 9 * * ? *)", datetime(2026, 10, 24, tzinfo=UTC), ["2026-10-24 07:00:00", "2026-10-25 08:00:00"]),
        ("at(2026-07-01T12:00:00)", datetime(2026, 1, 1, tzinfo=UTC), ["2026-07-01 10:00:00"]),
    ],
)
def test_a_zone_skips_and_repeats_hours(text, start, expected):
    assert times(text, len(expected), start, "Europe/Amsterdam") == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cron(0 10 * * * *)", "has a day of month and a day of week"),
        ("cron(0 10 ? * ? *)", "has a day of month and a day of week"),
        ("cron(0 10 * * ?)", "has 5 fields"),
        ("cron(60 10 * * ? *)", "has the minutes '60'"),
        ("cron(0 24 * * ? *)", "has the hours '24'"),
        ("cron(0 0 0 * ? *)", "has the day of month '0'"),
        ("cron(0 0 ? * 8 *)", "has the day of week '8'"),
        ("cron(0 0 ? * MOON *)", "has the day of week 'MOON'"),
        ("cron(0 0 ? * 2#6 *)", "has the day of week '2#6'"),
        ("cron(0 0 1 13 ? *)", "has the month '13'"),
        ("cron(0 0 1 1 ? 1969)", "has the year '1969'"),
        ("cron(5-1 0 1 1 ? *)", "has the minutes '5-1'"),
        ("cron(0/0 0 1 1 ? *)", "has the minutes '0/0'"),
        ("rate(0 minutes)", "is no rate"),
        ("rate(1 minutes)", "is no rate"),
        ("rate(2 minute)", "is no rate"),
        ("rate(5 seconds)", "is no schedule"),
        ("at(2026-13-01T00:00:00)", "month must be in 1..12"),
        ("every day", "is no schedule"),
    ],
)
def test_what_eventbridge_refuses_is_refused(text, found):
    with pytest.raises(ConfigurationError) as caught:
        parse(text)

    assert found in caught.value.problems[0].found


def test_a_zone_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="no time zone 'Mars/Olympus'"):
        parse("cron(0 10 * * ? *)", "Mars/Olympus")


@given(
    st.sampled_from(["*", "0/7", "5", "1,59"]),
    st.sampled_from(["*", "3", "8-17/2"]),
    st.sampled_from(["* * ?", "L * ?", "15W 2,8 ?", "? * MON-FRI", "? * 3L", "? 6 SUN#5"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - given a zone
)
def test_times_come_in_order_and_none_before_its_start(minutes, hours, days, start):
    schedule = parse(f"cron({minutes} {hours} {days} *)")
    found, moment = [], start
    for _ in range(4):
        moment = schedule.next_after(moment)
        found.append(moment)

    assert found[0] > start
    assert all(later - earlier >= timedelta(minutes=1) for earlier, later in pairwise(found))
