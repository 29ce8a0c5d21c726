"""The columns of a table -> the features that a model learns from, with names that every library takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.train.columns import Category, Column, categories_of, is_id_name
from bareboat.train.installed import need
from bareboat.train.notes import Notes, listed

MOST_CATEGORIES = 254
"""Of a feature; scikit-learn's histograms hold no more. Rarer ones are learned as missing, as unknown ones are."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_]+")
_ID_SHARE, _ID_COUNT = 0.5, 50
"""A column of texts with more different values than rows * share (and than count) names rows, and no kinds of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One feature.

    Args:
        name: as the file has it, and as requests will.
        safe: as the library is told.
        column: its values.
        categories: of a category those that are learned, in order; None of a number.
        rare: how many further categories are learned as missing.
    """

    name: str
    safe: str
    column: Column
    categories: tuple[Category, ...] | None = None
    rare: int = 0

    @property
    def is_category(self) -> bool:
        """Whether it has categories."""
        return self.categories is not None

    @property
    def is_nullable(self) -> bool:
        """Whether a value is missing in the data, or learned as missing."""
        return bool(self.rare) or bool(self.column.missing.any())

    def encoded(self) -> Any:
        """Return the values as a data frame's column: float64, or pandas' categories."""
        if self.categories is None:
            return self.column.values
        pandas = need("pandas", "holds tables")
        codes = {(_type(label), label): code for code, label in enumerate(self.categories)}
        places = np.array([codes.get((_type(value), value), -1) for value in self.column.values], np.int32)
        return pandas.Categorical.from_codes(places, categories=self._index())

    def _index(self) -> Any:
        pandas = need("pandas", "holds tables")
        assert self.categories is not None
        if all(isinstance(label, int) and not isinstance(label, bool) for label in self.categories):
            return pandas.Index(self.categories, dtype="int64")
        return pandas.Index(list(self.categories), dtype=object)


def find_columns(names: Sequence[str], asked: Iterable[str], flag: str, where: str) -> None:
    """See that columns that were named are there.

    Raises:
        InputError: one is not; names the nearest.
    """
    for name in asked:
        if name not in names:
            near = get_close_matches(name, names, 1) or [each for each in names if each.lower() == name.lower()][:1]
            raise InputError(
                f"no column {name!r}",
                expected=f"one of {listed(names, 12)}",
                fix=f"{flag} {_quoted(near[0])}" if near else f"{flag} with one of these",
                where=where,
            )


def choose_features(
    columns: Sequence[Column], keep: Sequence[str], category: Sequence[str], notes: Notes
) -> list[Feature]:
    """Leave out what nothing can be learned from, and say so.

    Args:
        columns: all but the target.
        keep: those that look like an id and stay all the same.
        category: those that were declared categories.
    Raises:
        InputError: nothing is left.
    """
    left: list[Column] = []
    for column in columns:
        why = _useless(column, kept=column.name in keep or column.name in category)
        if why:
            notes.warn(f"{column.name} is left out: {why}", column.name)
        else:
            left.append(column)
    if not left:
        raise InputError("no column is left to learn from", expected="one at least", fix="--keep NAME")
    return [
        _feature(column, safe, notes) for column, safe in zip(left, safe_names([c.name for c in left]), strict=True)
    ]


def _useless(column: Column, *, kept: bool) -> str:
    """Return why a column is left out, or ""."""
    present = column.values[~column.missing]
    if not len(present):
        return "it is empty"
    if column.kind == "category":
        distinct = len({(_type(value), value) for value in present.tolist()})
    else:
        distinct = len(np.unique(present))
    if distinct == 1 and len(present) == len(column.values):
        return f"it is {present[0]!s} in every row"
    if kept:
        return ""
    if column.kind == "category" and distinct > max(_ID_COUNT, _ID_SHARE * len(present)):
        return (
            f"it has {distinct} different values in {len(present)} rows, as an id or a free text has (--keep to use it)"
        )
    if column.kind == "int" and distinct == len(present) and len(present) > _ID_COUNT:
        span = present.max() - present.min() + 1
        if span == len(present) or is_id_name(column.name):
            return "it numbers the rows, as an id does (--keep to use it)"
    return ""


def _feature(column: Column, safe: str, notes: Notes) -> Feature:
    if column.kind != "category":
        return Feature(column.name, safe, column)
    counted = categories_of(column.values.tolist())
    chosen = [label for label, _ in counted[:MOST_CATEGORIES]]
    rare = len(counted) - len(chosen)
    if rare:
        rows = sum(count for _, count in counted[MOST_CATEGORIES:])
        notes.note(
            f"{column.name} has {len(counted)} categories: the {MOST_CATEGORIES} most frequent are learned, the others "
            f"({rows} rows) as missing",
            column.name,
        )
    ordered = sorted(chosen, key=lambda label: (isinstance(label, str), label))
    return Feature(column.name, safe, column, tuple(ordered), rare)


def safe_names(names: Sequence[str]) -> list[str]:
    """Return names of letters, digits and _, each once: LightGBM takes no JSON characters, XGBoost no brackets."""
    safe = [_UNSAFE.sub("_", name) for name in names]
    plain = [name.strip("_").lower() for name in safe]
    return [
        name if plain[place] and plain.count(plain[place]) == 1 else f"column_{place}"
        for place, name in enumerate(safe)
    ]


def frame_of(features: Sequence[Feature]) -> Any:
    """Return the features as a pandas data frame under their safe names."""
    pandas = need("pandas", "holds tables")
    return pandas.DataFrame({feature.safe: feature.encoded() for feature in features})


def matrix_of(features: Sequence[Feature]) -> NDArray[np.float64]:
    """Return the features as numbers: (n, n_features), a category as its place in `categories`, NaN for missing."""
    columns = []
    for feature in features:
        values = feature.encoded()
        if feature.is_category:
            codes = values.codes.astype(np.float64)
            values = np.where(codes < 0, np.nan, codes)
        columns.append(values)
    return np.column_stack(columns)


def _type(value: object) -> str:
    """Keep 1, 1.0 and true apart."""
    return type(value).__name__


def _quoted(name: str) -> str:
    from shlex import quote

    return quote(name)
