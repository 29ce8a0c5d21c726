"""The columns of a HistGradientBoosting*, and what its categorical ones encode.

A category's code inside the model is its place among the encoder's categories. Where the categories are whole numbers
themselves, the IR's sets are made over these numbers, so that rows are scored as they are; else the IR's categories are
the encoder's, and requests name them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import Category, CategorySet
from bareboat.forest.readers.sklearn_estimator import attribute, name_of

LARGEST_PLAIN_CODE = 0xFFFF
"""A set over categories that are numbers has a bit for each number up to the largest; past this one they are named."""


@dataclass(slots=True)
class Coder:
    """One categorical column.

    Args:
        codes: (n_categories,) the IR's code of each of the model's codes.
        known: the bits of all of `codes`.
        seen: the sets made so far, as splits often share one.
    """

    codes: tuple[int, ...]
    known: int
    seen: dict[tuple[int, bool], CategorySet] = field(default_factory=dict)

    def category_set(self, bits: int, *, missing_left: bool) -> CategorySet:
        """Return the set of a split: categories of `bits` go left, unknown ones where NaN goes."""
        key = bits, missing_left
        if key not in self.seen:
            left = _bits(code for place, code in enumerate(self.codes) if bits >> place & 1)
            self.seen[key] = CategorySet(
                codes=left,
                right=self.known & ~left if missing_left else 0,
                others_left=missing_left,
                nan_left=missing_left,
            )
        return self.seen[key]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """All columns.

    Args:
        order: (n_features,) the column of X that each of the model's features is.
        categories: for each column of X what `Ensemble.categories` is to be.
        coders: of the categorical columns of X.
    """

    order: NDArray[np.int32]
    categories: tuple[tuple[Category, ...] | None, ...]
    coders: dict[int, Coder]


def read_columns(boosting: Any, n_features: int) -> Columns:
    """Read the preprocessor that reorders and encodes the columns.

    Raises:
        ModelError: a category is neither text, a number nor a boolean.
    """
    is_categorical = attribute(boosting, "is_categorical_")
    categories: list[tuple[Category, ...] | None] = [None] * n_features
    coders: dict[int, Coder] = {}
    if is_categorical is None:
        return Columns(np.arange(n_features, dtype=np.int32), tuple(categories), coders)
    categorical = np.flatnonzero(is_categorical)
    order = np.concatenate([categorical, np.flatnonzero(~is_categorical)]).astype(np.int32)
    encoder = attribute(boosting, "_preprocessor").named_transformers_["encoder"]
    for feature, values in zip(categorical.tolist(), encoder.categories_, strict=True):
        known = _known(boosting, feature, values)
        if all(_is_plain_code(value) for value in known):
            codes = tuple(int(value) for value in known)
        else:
            codes = tuple(range(len(known)))
            categories[feature] = known
        coders[feature] = Coder(codes, _bits(codes))
    return Columns(order, tuple(categories), coders)


def _known(boosting: Any, feature: int, values: NDArray[Any]) -> tuple[Category, ...]:
    """Return a column's categories without the NaN that the encoder puts last."""
    result: list[Category] = []
    listed = values.tolist()
    for place, value in enumerate(listed):
        if place == len(listed) - 1 and _is_nan(value):
            break
        if not isinstance(value, str | int | float) or _is_nan(value):
            raise ModelError(
                f"the category {str(value)[:40]}, of type {type(value).__name__}, of feature {feature} "
                f"of {name_of(boosting)}",
                expected="text, numbers or booleans, and NaN where there is none",
                fix="fit it on such a column",
            )
        result.append(str(value) if isinstance(value, str) else value)
    return tuple(result)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_plain_code(value: Category) -> bool:
    return not isinstance(value, str | bool) and 0 <= value <= LARGEST_PLAIN_CODE and float(value).is_integer()


def _bits(codes: Any) -> int:
    bits = 0
    for code in codes:
        bits |= 1 << code
    return bits
