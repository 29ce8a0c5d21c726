"""Features and answers -> the features that give the answer away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.train.features import Feature, matrix_of
from bareboat.train.notes import Notes
from bareboat.train.task import Task

_ALMOST = 0.99
"""A feature of few values whose value tells this share of the answers is told of."""
_SURE = 0.9999
"""Rank correlation with a target of numbers from which a feature is the target in another dress."""
_FEW = 50


def refuse_leaks(features: Sequence[Feature], task: Task, notes: Notes, *, allow: bool) -> None:
    """Find features that are the target under another name, or nearly so.

    A feature that is a 1:1 function of the target is refused: it is known when the answer is known, and not before, so
    a model that learns it has a perfect score and fails at its first request. One that almost is, is told of.

    Args:
        allow: whether to train all the same.
    Raises:
        InputError: a feature is the target's other name.
    """
    leaking: list[tuple[str, str]] = []
    for feature in features:
        values = matrix_of([feature])[:, 0]
        found = _of_classes(values, task) if task.is_classification else _of_values(values, task.truth)
        if found is None:
            continue
        text, is_sure = found
        if is_sure:
            leaking.append((feature.name, text))
        else:
            notes.warn(f"{feature.name} {text}: is it known before the answer is?", feature.name)
    if not leaking:
        return
    if allow:
        for name, text in leaking:
            notes.warn(f"{name} {text}; --allow leaks takes it all the same", name)
        return
    raise InputError(
        "; ".join(f"{name} {text}" for name, text in leaking),
        expected="features that are known before the answer is",
        fix=" ".join(f"--drop '{name}'" for name, _ in leaking[:4]) + ", or --allow leaks",
    )


def _of_classes(values: NDArray[np.float64], task: Task) -> tuple[str, bool] | None:
    truth = task.truth.astype(np.intp)
    distinct, place = np.unique(values, return_inverse=True)  # NaN is one value
    most_frequent = np.bincount(truth).max() / len(truth)
    if len(distinct) > max(_FEW, 2 * task.n_classes):
        return _of_order(values, truth, task.n_classes)
    counts = np.zeros((len(distinct), task.n_classes), np.int64)
    np.add.at(counts, (place, truth), 1)
    told = counts.max(axis=1).sum() / len(truth)
    if told == 1.0 and len(distinct) == task.n_classes:
        return "is the target by another name: each of its values stands for one class", True
    if told == 1.0 and len(distinct) < len(truth) / 2:
        return "tells every class by itself", False
    if told >= _ALMOST and told - most_frequent > (1 - most_frequent) * 0.9:
        return f"tells {told:.1%} of the classes by itself", False
    return None


def _of_order(values: NDArray[np.float64], truth: NDArray[np.intp], n_classes: int) -> tuple[str, bool] | None:
    """Find numbers whose ranges do not overlap between classes."""
    present = ~np.isnan(values)
    if not present.all():
        return None
    order = np.argsort(values, kind="stable")
    changes = int((np.diff(truth[order]) != 0).sum())
    if changes == n_classes - 1 and len(values) >= 20:
        return "tells every class by itself: its ranges do not overlap", False
    return None


def _of_values(values: NDArray[np.float64], truth: NDArray[np.float64]) -> tuple[str, bool] | None:
    present = ~np.isnan(values)
    if present.sum() < 3:
        return None
    feature, true = values[present], truth[present]
    if np.array_equal(feature, true):
        return "is the target by another name: it equals it in every row", True
    if len(np.unique(feature)) < 3 or len(np.unique(true)) < 3:
        return None
    correlation = abs(float(np.corrcoef(_ranks(feature), _ranks(true))[0, 1]))
    if correlation >= _SURE:
        straight = abs(float(np.corrcoef(feature, true)[0, 1]))
        how = (
            "a straight line gives one from the other"
            if straight >= _SURE
            else "it rises or falls with it in every row"
        )
        return f"is the target by another name: {how}", True
    return None


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean ranks: equal values have equal ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: NDArray[np.float64] = ends - (counts - 1) / 2
    return middle[place]
