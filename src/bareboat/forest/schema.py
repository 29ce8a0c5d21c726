"""What a model says of its features -> how a column of a person's data becomes numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.forest.ir import Category, Ensemble

_MADE_UP = ("Column_{}", "f{}", "x{}", "{}", "feature_{}", "Feature_{}", "column_{}")
"""The names that LightGBM, XGBoost, scikit-learn, CatBoost and bareboat give to columns that have none."""
_SHOWN = 6
FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
"""The numbers that the kernel reads."""


class RowsError(InputError, ValueError):
    """Rows that do not fit the model. A ValueError too, as scikit-learn raises it."""


class Schema:
    """The features of a model.

    Attributes:
        names, known: (n_features,) the model's own names.
        is_named: whether the names come from the training data, not from the framework's counting.
        codes: (n_features,) {category: code} or None for a number.
        has_categories: whether a feature has named categories.
        refuses_unknown: whether a category that the model has not seen is an error, as XGBoost has it; else it is
            missing, as LightGBM and scikit-learn have it.
        joins_words: whether a column `mean radius` is the model's `mean_radius`, as LightGBM renames it in training.
        estimator: what the messages call the model.
    """

    def __init__(
        self,
        names: Sequence[str],
        categories: Sequence[Sequence[Category] | None],
        *,
        refuses_unknown: bool = False,
        joins_words: bool = False,
        estimator: str = "Forest",
    ) -> None:
        self.names = tuple(names)
        self.estimator = estimator
        self.known = frozenset(self.names)
        self.is_named = not any(
            all(name == form.format(place) for place, name in enumerate(self.names)) for form in _MADE_UP
        )
        self.codes: tuple[dict[Any, float] | None, ...] = tuple(
            None if each is None else {_key(category): float(code) for code, category in enumerate(each)}
            for each in categories
        )
        self.has_categories = any(self.codes)
        self.refuses_unknown = refuses_unknown
        self.joins_words = joins_words

    @classmethod
    def of(cls, ensemble: Ensemble) -> Schema:
        """Return the schema of an ensemble."""
        return cls(
            ensemble.feature_names,
            ensemble.categories,
            refuses_unknown=ensemble.source.startswith("xgboost"),
            joins_words=ensemble.source.startswith("lightgbm"),
        )

    @property
    def n_features(self) -> int:
        """How many values a row has."""
        return len(self.names)

    @property
    def shown_names(self) -> str:
        """The first names, for messages."""
        return ", ".join(self.names[:_SHOWN]) + (", ..." if len(self.names) > _SHOWN else "")

    def width_text(self, n_columns: int) -> str:
        """Say that X has another number of columns, in scikit-learn's words, which programs look for."""
        wanted = self.n_features
        return f"X has {n_columns} features, but {self.estimator} is expecting {wanted} features as input"

    def own(self, name: str) -> str:
        """Return the model's name for a person's: the same, or as LightGBM spells it."""
        if self.joins_words and name not in self.known:
            return name.replace(" ", "_")
        return name

    def match(self, columns: Sequence[str]) -> list[str]:
        """Return the columns to take, in the order of the features.

        A model that was trained without names takes columns by their place.

        Raises:
            RowsError: a column is unknown, missing or there twice; all such columns are named.
        """
        own = {self.own(name): name for name in columns}
        if not self.is_named and not own.keys() & self.known:
            if len(columns) != self.n_features:
                raise RowsError(
                    self.width_text(len(columns)),
                    expected=f"{self.n_features} columns in the order of training; the model has no names for them",
                )
            return list(columns)
        unknown = [name for name in columns if self.own(name) not in self.known]
        missing = [name for name in self.names if name not in own]
        if unknown or missing:
            raise self._mismatch(unknown, missing)
        if len(own) < len(columns):
            twice = [name for name in columns if own[self.own(name)] != name]
            raise RowsError(f"two columns are {self.own(twice[0])!r} to the model", expected="one", fix="drop one")
        return [own[name] for name in self.names]

    def _mismatch(self, unknown: list[str], missing: list[str]) -> RowsError:
        # The first lines are scikit-learn's, which programs look for.
        found = ["The feature names should match those that were passed during fit."]
        if unknown:
            found.append(f"Feature names unseen at fit time: {listed(unknown)}")
        if missing:
            found.append(f"Feature names seen at fit time, yet now missing: {listed(missing)}")
        fix = f"leave out {listed(unknown)}"
        if missing:
            fix = (
                nearest(unknown[0], missing) if unknown else f"add {listed(missing)}, with NaN where a value is missing"
            )
        return RowsError(" ".join(found), expected=f"the columns {self.shown_names}", fix=fix)

    def read(self, place: int, values: Sequence[Any], out: NDArray[Any], *, by_name: bool) -> None:
        """Write a column's values as numbers.

        Args:
            place: which feature it is.
            values: (n,) None and NaN are missing.
            out: (n,) to write to.
            by_name: whether a number in a categorical column is a category's name; else it is its code.
        Raises:
            RowsError: a value is no number, or an unknown category where the model refuses these; names its row.
        """
        codes = self.codes[place]
        for number, value in enumerate(values):
            if value is None:
                out[number] = math.nan
            elif codes is not None and (by_name or isinstance(value, str)):
                out[number] = self._code(place, number, value, codes)
            elif isinstance(value, str | bytes):
                raise self._no_number(place, number, value)
            else:
                try:
                    out[number] = value
                except (TypeError, ValueError, OverflowError):
                    if is_missing(value):
                        out[number] = math.nan
                    else:
                        raise self._no_number(place, number, value) from None

    def _code(self, place: int, number: int, value: Any, codes: dict[Any, float]) -> float:
        try:
            code = codes.get(_key(value))
        except TypeError:
            code = None
        if code is not None:
            return code
        if self.refuses_unknown and not is_missing(value):
            raise RowsError(
                f"{self.names[place]} is {value!r} in row {number}, a category that the model has not seen",
                expected=f"one of {listed([category for _, category in codes])}",
                fix="replace it by a known category, or by None for a missing value",
            )
        return math.nan

    def _no_number(self, place: int, number: int, value: Any) -> RowsError:
        return RowsError(
            f"could not convert {str(value)[:40]!r} of {self.names[place]} in row {number} to a float: "
            f"argument must be a string or a number, not {type(value).__name__!r}"
            if not isinstance(value, str | bytes)
            else f"{self.names[place]} is the text {str(value)[:40]!r} in row {number}",
            expected="a number, or None or NaN where it is missing",
            fix="convert the column to numbers",
        )


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the cure for a mistyped name."""
    close = get_close_matches(str(name), list(names), n=1)
    return f"rename {name!r} to {close[0]!r}" if close else f"leave out {name!r}"


def listed(names: Sequence[Any]) -> str:
    """Return the first of some names, and how many there are."""
    return ", ".join(map(str, names[:_SHOWN])) + (f", ... ({len(names)})" if len(names) > _SHOWN else "")


def _key(category: Any) -> tuple[bool, Any]:
    """Tell True from 1, which are the same key of a dict."""
    if isinstance(category, np.generic):
        category = category.item()
    return isinstance(category, bool), category


def is_missing(value: Any) -> bool:
    """Whether a value is pandas' or a float's word for a missing one: what differs from itself, or will not say."""
    try:
        return bool(value != value)  # noqa: PLR0124
    except TypeError:
        return True  # pandas.NA has no truth value
