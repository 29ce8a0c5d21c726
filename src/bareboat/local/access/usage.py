"""Usage plans: how often each API key may call, a second and a day, week or month.

What a key has used of its quota outlives the local cloud, in `.bareboat/quotas.json`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bareboat.errors import BareboatError
from bareboat.local.access.secrets import read_private, write_private
from bareboat.local.access.throttle import Bucket, Clock

if TYPE_CHECKING:
    from bareboat.local.access.api_keys import KnownKey
    from bareboat.service.api import Period, Quota, Throttle, UsagePlan

FILE = "quotas.json"
WRITE_S = 1.0  # how much may be forgotten when the process is killed
Outcome = Literal["ok", "throttled", "exceeded"]


class Usage:
    """Counts what each key uses.

    Args:
        path: where quotas are kept; None for nowhere.
        clock: seconds, for rates.
        now: seconds since 1970, for quotas.
    """

    def __init__(self, path: Path | None, *, clock: Clock = time.monotonic, now: Clock = time.time) -> None:
        self._path = path
        self._clock = clock
        self._now = now
        self._buckets: dict[str, tuple[Throttle, Bucket]] = {}
        self._used: dict[str, list[object]] = {} if path is None else _read(path)
        self._written_at = 0.0
        self._changed = False

    def is_throttled(self, key: KnownKey) -> bool:
        """Take a request off the rate of a key's plan; True when there is none left now."""
        if key.plan is None or key.plan.throttle is None:
            return False
        throttle, bucket = self._buckets.get(key.key_id, (None, None))
        if bucket is None or throttle != key.plan.throttle:  # new, or changed in serverless.yml meanwhile
            bucket = Bucket(key.plan.throttle, self._clock)
            self._buckets[key.key_id] = (key.plan.throttle, bucket)
        return not bucket.take()

    def is_used_up(self, key: KnownKey) -> bool:
        """Take a request off the quota of a key's plan; True when there is none left in this period."""
        if key.plan is None or key.plan.quota is None:
            return False
        quota = key.plan.quota
        name = _label(key.plan, key)
        period = period_of(quota.period, self._now())
        kept = self._used.get(name)
        if kept is None:  # the first period of all
            kept = self._used[name] = [quota.period, period, quota.offset]
        elif kept[:2] != [quota.period, period]:
            kept = self._used[name] = [quota.period, period, 0]
        used = kept[2]
        assert isinstance(used, int), "_read has looked"
        if used < quota.limit:
            kept[2] = used + 1
            self._changed = True
        if self._changed and self._now() - self._written_at >= WRITE_S:
            self.write()
        return used >= quota.limit

    def left(self, key: KnownKey) -> int | None:
        """Return how many requests a key has left in this period; None where there is no quota."""
        if key.plan is None or key.plan.quota is None:
            return None
        return _left(key.plan.quota, self._used.get(_label(key.plan, key)), self._now())

    async def close(self) -> None:
        """Keep what has been used."""
        self.write()

    def write(self) -> None:
        """Keep what has been used. What cannot be written is lost with the process, and counts on until then."""
        self._written_at = self._now()
        if self._changed and self._path is not None:
            self._changed = False
            try:
                write_private(self._path, json.dumps(self._used, indent=2).encode() + b"\n")
            except BareboatError:
                self._changed = True


def _label(plan: UsagePlan, key: KnownKey) -> str:
    """Return what a key's use is kept under: `PLAN/KEY`, with slashes of their own escaped."""
    return "/".join(name.replace("%", "%25").replace("/", "%2F") for name in (plan.name, key.name))


def _left(quota: Quota, kept: list[object] | None, now: float) -> int:
    if kept is None:
        return max(0, quota.limit - quota.offset)
    if kept[:2] != [quota.period, period_of(quota.period, now)] or not isinstance(kept[2], int):
        return quota.limit
    return max(0, quota.limit - kept[2])


def period_of(period: Period, now: float) -> str:
    """Return the day on which the period of a moment began, UTC: weeks on Sunday, months on the 1st."""
    moment = time.gmtime(now)
    if period == "MONTH":
        return f"{moment.tm_year}-{moment.tm_mon:02}-01"
    if period == "WEEK":
        moment = time.gmtime(now - (moment.tm_wday + 1) % 7 * 86_400)
    return f"{moment.tm_year}-{moment.tm_mon:02}-{moment.tm_mday:02}"


def _read(path: Path) -> dict[str, list[object]]:
    """Return what is kept; a file that is damaged, or that others may write, counts for nothing used."""
    try:
        found = json.loads(read_private(path) or b"{}")
    except (ValueError, BareboatError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        str(name): kept
        for name, kept in found.items()
        if isinstance(kept, list) and len(kept) == 3 and type(kept[2]) is int and kept[2] >= 0
    }
