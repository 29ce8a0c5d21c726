"""`10m`, `2026-11-22T11:00` -> a moment."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any

import click

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)", re.IGNORECASE)
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A moment, in seconds since 1970: a stretch of time before now, or a date and time."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a moment; one without a zone is of this machine's.

        Raises:
            click.BadParameter: it is none.
        """
        text = str(value).strip()
        ago = _AGO.fullmatch(text)
        if ago is not None:
            return time.time() - float(ago[1]) * _UNITS_S[ago[2].lower()]
        try:
            return datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            error = click.BadParameter(f"{text!r} is no moment", ctx=ctx, param=param)
            error.expected = "how long ago, such as 30s, 10m, 2h, 1d; or a time, such as 2026-11-22T11:00"  # type: ignore[attr-defined]
            raise error from None


def check_span(since: float | None, until: float | None) -> None:
    """Refuse a time that holds nothing.

    Raises:
        click.UsageError: it ends before it begins, or begins in the future.
    """
    if since is not None and until is not None and until <= since:
        raise click.UsageError(f"--until ({clock_time(until)}) is not after --since ({clock_time(since)})")
    if since is not None and since > time.time() + 60:  # another clock may be a little ahead
        raise click.UsageError(f"--since ({clock_time(since)}) is in the future")


def clock_time(moment: float) -> str:
    """Return a moment as this machine's clock has it, to the millisecond: `2026-11-22 11:00:00.123`."""
    return datetime.fromtimestamp(moment).astimezone().isoformat(" ", "milliseconds")[:23]


def utc_time(moment: float) -> str:
    """Return a moment as JSON has it: `2026-11-22T11:00:00.123Z`."""
    from datetime import UTC

    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
