"""Durations -> their percentiles: the one way in which all figures are made."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

SHARES = (0.5, 0.9, 0.99)
_STEPS = 32  # of a histogram between a value and its double
_LEAST, _MOST = -6, 21  # powers of two, in milliseconds: 16 microseconds, 35 minutes


class Durations(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds, between the two nearest values as numpy has them; None where there is nothing."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


def percentiles(size: int, value_at: Callable[[int], float]) -> Durations:
    """Return the percentiles of sorted values.

    Args:
        size: how many there are.
        value_at: the value at a place, from 0; asked for the two places around each percentile.
    """
    if not size:
        return Durations()
    points = []
    for share in SHARES:
        position = (size - 1) * share
        low = int(position)
        first = value_at(low)
        points.append(first + (value_at(min(low + 1, size - 1)) - first) * (position - low))
    return Durations(*points)


class Histogram:
    """Durations by size, 32 bins to each doubling; a bin knows the mean of what it holds.

    So a percentile is exact where bins hold one value each, and at most 3 % off otherwise.
    """

    __slots__ = ("_bins", "size")

    def __init__(self) -> None:
        self.size = 0
        self._bins: dict[int, list[float]] = {}

    def add(self, place: int, number: int, total: float) -> None:
        """Add so many durations, which are `total` together, to the bin that `bin_sql` names."""
        self.size += number
        found = self._bins.get(place)
        if found is None:
            self._bins[place] = [number, total]
        else:
            found[0] += number
            found[1] += total

    def merge(self, other: Histogram) -> None:
        """Add all that another one holds."""
        for place, (number, total) in other._bins.items():
            self.add(place, int(number), total)

    def percentiles(self) -> Durations:
        """Return the percentiles."""
        rising = sorted(self._bins.items())

        def value_at(place: int) -> float:
            passed = 0.0
            for _, (number, total) in rising:
                passed += number
                if place < passed:
                    return total / number
            raise IndexError(place)

        return percentiles(self.size, value_at)


def bin_sql(value: str) -> str:
    """Return the SQL expression of the bin of a value: SQLite need not be built with logarithms."""
    arms = " ".join(
        f"when {value} < {2.0 ** (power + 1)!r}"
        f" then {(power - _LEAST) * _STEPS} + cast(({value} / {2.0**power!r} - 1) * {_STEPS} as integer)"
        for power in range(_LEAST, _MOST)
    )
    return f"case when {value} < {2.0**_LEAST!r} then -1 {arms} else {(_MOST - _LEAST) * _STEPS} end"
