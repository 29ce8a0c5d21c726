"""`minutes hours day-of-month month day-of-week year` as EventBridge has it -> the times at which it fires.

Source:
    EventBridge user guide, "Cron expressions": six fields, `,` `-` `*` `/` everywhere, `?` `L` `W` `#` for days; one of
    the two day fields is `?`; Sunday is 1.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bareboat.errors import ConfigurationError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIRST_YEAR, LAST_YEAR = 1970, 2199
_FIELDS = ("minutes", "hours", "day of month", "month", "day of week", "year")

Days = Callable[[int, int], list[int]]  # year and month -> days of it, in order


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression, parsed. Times are naive: of the zone in which the schedule is meant."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    days: Days

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, None where there is none."""
        start = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        return next(self.times(start), None)

    def times(self, start: datetime) -> Iterator[datetime]:
        """Yield the times from a whole minute on, in order."""
        for year in self.years:
            if year < start.year:
                continue
            for month in self.months:
                if (year, month) < (start.year, start.month):
                    continue
                for day in self.days(year, month):
                    yield from self._times_of_day(datetime(year, month, day), start)  # noqa: DTZ001 - see the class

    def _times_of_day(self, day: datetime, start: datetime) -> Iterator[datetime]:
        if day.date() < start.date():
            return
        for hour in self.hours:
            for minute in self.minutes:
                moment = day.replace(hour=hour, minute=minute)
                if moment >= start:
                    yield moment


def parse(text: str) -> Cron:
    """Return a cron expression.

    Args:
        text: the six fields, without `cron(` and `)`.
    Raises:
        ConfigurationError: it is none that EventBridge takes.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _fault(text, f"has {len(fields)} fields", "six: " + ", ".join(_FIELDS))
    minutes, hours, of_month, month, of_week, year = (field.upper() for field in fields)
    if (of_month == "?") == (of_week == "?"):
        raise _fault(text, "has a day of month and a day of week", "'?' for just one of them")
    days = _days_of_week(text, of_week) if of_month == "?" else _days_of_month(text, of_month)
    return Cron(
        text,
        _numbers(text, minutes, 0, 59, "minutes"),
        _numbers(text, hours, 0, 23, "hours"),
        _numbers(text, month, 1, 12, "month", MONTHS),
        _numbers(text, year, FIRST_YEAR, LAST_YEAR, "year"),
        days,
    )


def _fault(text: str, found: str, expected: str) -> ConfigurationError:
    return ConfigurationError(
        f"cron({text}) {found}",
        expected=expected,
        fix="cron(minutes hours day month weekday year), such as cron(0 12 * * ? *)",
    )


def _numbers(text: str, field: str, low: int, high: int, name: str, names: tuple[str, ...] = ()) -> tuple[int, ...]:
    """Return the numbers of a field in order: `*`, `5`, `1-5`, `0/15`, `1-9/2`, `MON-FRI`, and lists of them."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = int(step_text) if step_text.isdigit() else 0
        if slash and step < 1:
            raise _fault(text, f"has the {name} '{part}'", "a step of 1 or more after '/'")
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = _number(text, first, low, high, name, names)
            end = _number(text, last, low, high, name, names) if dash else high if slash else start
        if start <= end:
            found.update(range(start, end + 1, step or 1))
        elif names:  # FRI-MON goes over the end of the week
            around = [*range(start, high + 1), *range(low, end + 1)]
            found.update(around[:: step or 1])
        else:
            raise _fault(text, f"has the {name} '{part}'", "the lesser number first")
    return tuple(sorted(found))


def _number(text: str, said: str, low: int, high: int, name: str, names: tuple[str, ...]) -> int:
    if said in names:
        return names.index(said) + low
    if said.isascii() and said.isdigit() and low <= int(said) <= high:
        return int(said)
    words = f", or {names[0]} to {names[-1]}" if names else ""
    raise _fault(text, f"has the {name} '{said}'", f"{low} to {high}{words}")


def _days_of_month(text: str, field: str) -> Days:
    if field == "L":
        return lambda year, month: [_last(year, month)]
    if field == "LW":
        return lambda year, month: [_nearest_weekday(year, month, _last(year, month))]
    if field.startswith("L-") and field[2:].isdigit() and 1 <= int(field[2:]) <= 30:
        back = int(field[2:])
        return lambda year, month: [day] if (day := _last(year, month) - back) >= 1 else []
    if field.endswith("W"):
        wanted = _number(text, field[:-1], 1, 31, "day of month", ())
        return lambda year, month: [_nearest_weekday(year, month, wanted)] if wanted <= _last(year, month) else []
    numbers = _numbers(text, field, 1, 31, "day of month")
    return lambda year, month: [day for day in numbers if day <= _last(year, month)]


def _days_of_week(text: str, field: str) -> Days:
    if field == "L":
        field = "SAT"
    if field.endswith("L"):
        wanted = _weekday(text, field[:-1])
        return lambda year, month: _of_weekday(year, month, {wanted})[-1:]
    if "#" in field:
        said, _, which_text = field.partition("#")
        wanted = _weekday(text, said)
        which = int(which_text) if which_text.isdigit() else 0
        if not 1 <= which <= 5:
            raise _fault(text, f"has the day of week '{field}'", "#1 to #5: which one of the month")
        return lambda year, month: _of_weekday(year, month, {wanted})[which - 1 : which]
    numbers = set(_numbers(text, field, 1, 7, "day of week", WEEKDAYS))
    return lambda year, month: _of_weekday(year, month, numbers)


def _weekday(text: str, said: str) -> int:
    return _number(text, said, 1, 7, "day of week", WEEKDAYS)


def _last(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _of_weekday(year: int, month: int, wanted: set[int]) -> list[int]:
    """Return the days of a month that fall on weekdays, Sunday being 1."""
    first, count = calendar.monthrange(year, month)  # Monday is 0
    return [day for day in range(1, count + 1) if (first + day) % 7 + 1 in wanted]


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Return the weekday nearest to a day, within its month."""
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < _last(year, month) else day - 2
    return day
