"""rate(), cron() and at() -> the times at which a schedule fires."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from bareboat.errors import ConfigurationError
from bareboat.service import cron

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule expression.

    Args:
        text: as written.
        every: of rate().
        cron: of cron().
        once: of at(), naive.
        zone: in which cron() and at() are meant.
    """

    text: str
    every: timedelta | None = None
    cron: cron.Cron | None = None
    once: datetime | None = None
    zone: tzinfo = UTC

    def next_after(self, moment: datetime, since: datetime | None = None) -> datetime | None:
        """Return the first time after a moment, None where there is none.

        A time that the zone's clock skips is skipped; one that it has twice fires the first time alone.

        Args:
            moment: with its zone.
            since: when the schedule began, from which rate() counts; None is the moment itself.
        Returns:
            In UTC.
        """
        if self.every is not None:
            since = since or moment
            passed = max((moment - since) // self.every, 0)
            return (since + (passed + 1) * self.every).astimezone(UTC)
        local = moment.astimezone(self.zone).replace(tzinfo=None)
        if self.once is not None:
            found = self._in_utc(self.once)
            return found if found is not None and found > moment else None
        assert self.cron is not None
        start = local.replace(second=0, microsecond=0)
        for each in self.cron.times(start):
            found = self._in_utc(each)
            if found is not None and found > moment:
                return found
        return None

    def _in_utc(self, local: datetime) -> datetime | None:
        """Return a time of the zone in UTC, None where the zone's clock does not have it."""
        found = local.replace(tzinfo=self.zone).astimezone(UTC)
        return found if found.astimezone(self.zone).replace(tzinfo=None) == local else None


def parse(text: str, timezone: str = "") -> Schedule:
    """Return a schedule.

    Args:
        text: rate(...), cron(...) or at(...).
        timezone: such as Europe/Amsterdam, of EventBridge Scheduler; "" is UTC.
    Raises:
        ConfigurationError: it is none that EventBridge takes, or there is no such zone.
    """
    zone = zone_of(timezone)
    text = text.strip()
    match = _RATE.fullmatch(text)
    if match:
        count = int(match[1])
        if count < 1 or (count == 1) != (match[3] == ""):
            raise ConfigurationError(
                f"{text} is no rate", expected="1 minute, or 2 minutes and more; hour, day likewise"
            )
        return Schedule(text, every=timedelta(seconds=count * _UNITS[match[2]]))
    if text.startswith("cron(") and text.endswith(")"):
        return Schedule(text, cron=cron.parse(text[5:-1]), zone=zone)
    match = _AT.fullmatch(text)
    if match:
        try:
            return Schedule(text, once=datetime.fromisoformat(match[1]), zone=zone)
        except ValueError as error:
            raise ConfigurationError(f"{text}: {error}", expected="at(2030-01-31T12:00:00)") from error
    raise ConfigurationError(f"'{text}' is no schedule", expected="rate(5 minutes), cron(0 12 * * ? *), or at(...)")


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name, UTC for "".

    Raises:
        ConfigurationError: there is no such zone.
    """
    if not name or name.upper() == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"there is no time zone '{name}'", expected="a name such as Europe/Amsterdam or UTC"
        ) from error
