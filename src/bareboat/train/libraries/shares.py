"""Importances of a library -> shares that add up to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bareboat.forest.ir import Floats


def shares(values: Any) -> Floats:
    """Return values divided by their sum; zeros stay zeros."""
    array = np.maximum(np.asarray(values, np.float64), 0.0)
    total = float(array.sum())
    divided: Floats = array / total if total else array
    return divided


def shares_by_name(values: Mapping[str, float], names: Sequence[str]) -> Floats:
    """Return the shares of named features, 0 for one that is not named."""
    return shares([values.get(name, 0.0) for name in names])
