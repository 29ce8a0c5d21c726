"""A date or time of ISO 8601 -> seconds since 1970, without the module datetime, which would cost a cold start."""

from __future__ import annotations

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def epoch_s(text: object) -> float | None:
    """Return the seconds since 1970-01-01T00:00:00Z, or None for what is no date or time.

    Taken is `2026-03-31`, and with `T` (or a space) and a time `12:00`, `12:00:00` or `12:00:00.123456`, then nothing,
    `Z` or an offset `+02:00`. A time without an offset is UTC.

    Source:
        RFC 3339, section 5.6; days from the civil calendar as in H. Hinnant, "chrono-Compatible Low-Level Date
        Algorithms".
    """
    if not isinstance(text, str) or not 10 <= len(text) <= 35 or not text.isascii():
        return None
    days = _days(text[:10])
    if days is None:
        return None
    if len(text) == 10:
        return days * 86400.0
    if text[10] not in "Tt ":
        return None
    time, offset_s = _parted(text[11:])
    seconds = _seconds(time)
    if seconds is None or offset_s is None:
        return None
    return days * 86400 + seconds - offset_s


def _days(text: str) -> int | None:
    if text[4] != "-" or text[7] != "-":
        return None
    year, month, day = _digits(text[:4]), _digits(text[5:7]), _digits(text[8:])
    if year < 1 or not 1 <= month <= 12:
        return None
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= _DAYS[month - 1] + (is_leap and month == 2):
        return None
    year -= month <= 2
    era, month_from_march = year // 400, (month + 9) % 12
    year_of_era = year - era * 400
    day_of_year = (153 * month_from_march + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


def _parted(text: str) -> tuple[str, int | None]:
    """Part the time of day from its offset in seconds; None for an offset that is none."""
    if text[-1:] in {"Z", "z"}:
        return text[:-1], 0
    sign = max(text.rfind("+"), text.rfind("-"))
    if sign < 0:
        return text, 0
    offset = text[sign + 1 :]
    hours, minutes = _digits(offset[:2]), _digits(offset[3:])
    if len(offset) != 5 or offset[2] != ":" or not 0 <= hours <= 23 or not 0 <= minutes <= 59:
        return text, None
    seconds = hours * 3600 + minutes * 60
    return text[:sign], -seconds if text[sign] == "-" else seconds


def _seconds(text: str) -> float | None:
    hours, minutes = _digits(text[:2]), _digits(text[3:5])
    if len(text) < 5 or text[2] != ":" or not 0 <= hours <= 23 or not 0 <= minutes <= 59:
        return None
    if len(text) == 5:
        return hours * 3600.0 + minutes * 60
    seconds, fraction = _digits(text[6:8]), 0.0
    if text[5] != ":" or not 0 <= seconds <= 59 or len(text) < 8:
        return None
    if len(text) > 8:
        digits = text[9:]
        if text[8] != "." or not 1 <= len(digits) <= 9 or _digits(digits) < 0:
            return None
        fraction = int(digits) / 10 ** len(digits)
    return hours * 3600 + minutes * 60 + seconds + fraction


def _digits(text: str) -> int:
    """Return a number of decimal digits alone, -1 for anything else."""
    return int(text) if text.isdigit() else -1
