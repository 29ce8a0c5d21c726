"""Features and the rows that were learned from -> what requests may hold, and real rows with their answers."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bareboat.train.columns import Kind
from bareboat.train.features import Feature

MOST_LISTED = 50
"""Categories that serverless.yml lists; of more, the model's own list is what requests are held against."""


Stranger = Literal["error", "missing", "own"]
"""What a category that was not learned is: an error, a missing value, or what the model itself has an answer for."""


def inputs_of(
    features: Sequence[Feature], coded: Sequence[bool], strangers: Sequence[Stranger]
) -> list[dict[str, Any]]:
    """Return the entries of `signature.inputs`, in the model's order.

    Args:
        coded: for each feature whether the model knows its categories by name; else it takes their numbers.
        strangers: for each feature what a category is that was not learned.
    """
    return [_input(*each) for each in zip(features, coded, strangers, strict=True)]


def _input(feature: Feature, is_coded: bool, stranger: Stranger) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": feature.name}
    values = feature.column.values
    if feature.categories is not None:
        entry["dtype"] = "category" if is_coded else "int"
        if len(feature.categories) <= MOST_LISTED:
            entry["enum"] = list(feature.categories)
    else:
        entry["dtype"] = feature.column.kind
        if feature.column.kind != "bool":
            entry["minimum"] = json_value(feature.column.kind, float(np.nanmin(values)))
            entry["maximum"] = json_value(feature.column.kind, float(np.nanmax(values)))
    if feature.column.missing.any() or (feature.rare and stranger == "error"):
        entry["nullable"] = True
    if stranger == "missing":
        entry["unknown"] = "missing"
    if feature.safe != feature.name:
        entry["column"] = feature.safe
    return entry


def row_of(features: Sequence[Feature], row: int, strangers: Sequence[Stranger]) -> dict[str, Any]:
    """Return a row as a request has it: `null` where a value is missing, or is one that requests may not hold."""
    return {feature.name: _value(feature, row, stranger) for feature, stranger in zip(features, strangers, strict=True)}


def _value(feature: Feature, row: int, stranger: Stranger) -> Any:
    value = feature.column.values[row]
    if feature.categories is not None:
        if stranger != "error":
            return None if feature.column.missing[row] else value
        known = {(type(label).__name__, label) for label in feature.categories}
        return value if (type(value).__name__, value) in known else None
    return json_value(feature.column.kind, float(value))


def json_value(kind: Kind, value: float) -> Any:
    """Return a number of a column as JSON has it: times in ISO 8601, UTC."""
    if np.isnan(value):
        return None
    if kind == "bool":
        return bool(value)
    if kind == "int":
        return int(value)
    if kind == "datetime":
        moment = datetime.datetime.fromtimestamp(value, datetime.UTC)
        return moment.isoformat().replace("+00:00", "Z")
    return value


def sample_rows(truth: NDArray[Any], rows: NDArray[np.intp], *, n: int, n_classes: int) -> list[int]:
    """Choose rows to show: of each class in turn, or along the range of values; the first `n` of them.

    Args:
        truth: (n_rows,) of all rows.
        rows: to choose from.
    """
    if not n_classes:
        order = rows[np.argsort(truth[rows], kind="stable")]
        places = np.unique(np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int))
        return [int(row) for row in order[places]]
    by_class = [rows[truth[rows] == number].tolist() for number in range(n_classes)]
    chosen: list[int] = []
    for turn in range(max(map(len, by_class), default=0)):
        chosen += [int(members[turn]) for members in by_class if turn < len(members)]
        if len(chosen) >= n:
            break
    return chosen[:n]


def as_json(value: Any) -> str:
    """Return JSON text of two spaces' indent with a line break at its end."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
