"""Values of columns and categories, as plain Python has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.pipeline.build import Value

MOST = 2**53
"""Whole numbers up to here are the same as float64."""


def plain(value: Any) -> Value:
    """Return text, a number, a boolean or None; NaN, NaT and pandas.NA as NaN.

    Raises:
        ModelError: it is something else, or a whole number that float64 does not have.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and abs(value) <= MOST:
        return int(value)
    if isinstance(value, float):
        return float(value)
    if type(value).__name__ in ("NAType", "NaTType"):
        return math.nan
    raise ModelError(
        f"a value is {str(value)[:40]}, of type {type(value).__name__}",
        expected="text, a number that float64 has, a boolean or None",
        fix="turn it into text before",
    )


def is_nan(value: Value) -> bool:
    """Whether a value is a missing number."""
    return isinstance(value, float) and math.isnan(value)


def is_text(value: Value) -> bool:
    """Whether a value can only stand in a column of text."""
    return value is None or isinstance(value, str)
