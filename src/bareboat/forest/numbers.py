"""Numbers -> the narrowest type that holds them exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def narrow_integers(values: NDArray[Any]) -> NDArray[Any]:
    """Return non-negative integers below 2^32 as uint8, uint16 or uint32."""
    largest = int(values.max(initial=0))
    return values.astype(np.uint8 if largest <= 0xFF else np.uint16 if largest <= 0xFFFF else np.uint32)


def narrow_floats(values: NDArray[np.float64]) -> NDArray[Any]:
    """Return numbers as float32 when that rounds none of them, else as they are. No NaN."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    return single if np.array_equal(single, values) else values


def narrow_counts(values: NDArray[np.float64]) -> NDArray[Any]:
    """Return finite numbers that are not negative as integers when all of them are whole and below 2^32."""
    if values.max(initial=0.0) < 1 << 32 and np.array_equal(np.floor(values), values):
        return narrow_integers(values)
    return narrow_floats(values)


def rounded_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 that is not above each number: a float32 `x <= value` exactly when `x <=` it."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
        return np.where(single > values, np.nextafter(single, np.float32(-np.inf)), single)
