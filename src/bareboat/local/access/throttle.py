"""Token buckets: how many requests a second a route, a method, a key or the whole account may get."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bareboat.service.api import Throttle

Clock = Callable[[], float]  # seconds; any start, never backwards
ACCOUNT = Throttle(rate=10_000, burst=5_000)  # AWS's default for all APIs of an account in a region


class Bucket:
    """A bucket of `burst` tokens that gets `rate` of them a second; a request takes one.

    Source:
        AWS's developer guide, "Throttle requests to your REST APIs for better throughput".
    """

    __slots__ = ("_at", "_burst", "_clock", "_rate", "_tokens")

    def __init__(self, throttle: Throttle, clock: Clock = time.monotonic) -> None:
        self._rate = throttle.rate
        self._burst = float(throttle.burst)
        self._clock = clock
        self._tokens = self._burst
        self._at = clock()

    def take(self) -> bool:
        """Take a token; False when there is none."""
        now = self._clock()
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Throttles:
    """The limits of one API: those of its stage, of single routes, and of the account.

    Args:
        stage: what each route without a limit of its own has, all of them together; None for the account's alone.
        routes: by route key.
    """

    def __init__(self, stage: Throttle | None, routes: Mapping[str, Throttle], clock: Clock) -> None:
        self._account = Bucket(ACCOUNT, clock)
        self._stage = None if stage is None else Bucket(stage, clock)
        self._routes = {key: Bucket(throttle, clock) for key, throttle in routes.items()}

    def take(self, key: str) -> bool:
        """Take a request to a route; False when there have been too many."""
        bucket = self._routes.get(key, self._stage)
        return (bucket is None or bucket.take()) and self._account.take()
