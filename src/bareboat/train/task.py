"""The target column -> what is learned: classes or values, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.train.columns import Category, Column
from bareboat.train.notes import Notes, listed

MOST_CLASSES = 1000
_FEW = 20
"""Whole numbers with at most so many different values are taken for classes, when each has rows enough."""
_ROWS_A_CLASS = 5
UNEVEN = 0.1
"""A class with less than this share of the largest is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is learned.

    Args:
        kind: classification or regression.
        why: in a few words, when it was found out.
        classes: the labels in order; () of a regression.
        truth: (n,) places of classes, or values.
    """

    kind: str
    why: str
    classes: tuple[Category, ...]
    truth: NDArray[np.float64]

    @property
    def is_classification(self) -> bool:
        """Whether classes are told apart."""
        return self.kind == "classification"

    @property
    def n_classes(self) -> int:
        """0 of a regression."""
        return len(self.classes)


def find_task(target: Column, asked: str, notes: Notes, *, allow_rare: bool = False) -> Task:
    """Decide between classification and regression, and read the answers.

    Args:
        target: without missing values.
        asked: auto, classification or regression.
        allow_rare: whether classes of one or two rows are taken; they are only learned from.
    Raises:
        InputError: the target is constant, is none of the task that was asked for, or has a class with too few rows.
    """
    distinct = np.unique(target.values.astype(str) if target.kind == "category" else target.values)
    if len(distinct) < 2:
        raise InputError(
            f"{target.name} is {_shown(target)} in every row: there is nothing to learn",
            expected="two different answers or more",
            fix="--target with another column",
        )
    kind, why = _kind(target, len(distinct)) if asked == "auto" else (asked, "as asked for")
    if kind == "regression":
        if target.kind == "category":
            first = target.values[0]
            raise InputError(
                f"{target.name} holds texts, such as {first!r}, and the task is regression",
                expected="a target of numbers",
                fix="--task classification, or --target with another column",
            )
        return Task(kind, why, (), target.values.astype(np.float64))
    return _classification(target, why, notes, allow_rare=allow_rare)


def _kind(target: Column, n_distinct: int) -> tuple[str, str]:
    name, n = target.name, len(target.values)
    if target.kind == "category":
        return "classification", f"{name} holds texts"
    if target.kind == "bool":
        return "classification", f"{name} is true or false"
    if target.kind == "datetime":
        return "regression", f"{name} holds times, which are numbers of seconds"
    whole = bool((target.values == np.floor(target.values)).all())
    if n_distinct == 2:
        return "classification", f"{name} has two different values"
    if whole and n_distinct <= _FEW and n >= _ROWS_A_CLASS * n_distinct:
        return "classification", f"{name} has {n_distinct} different whole numbers in {n} rows"
    return "regression", f"{name} has {n_distinct} different numbers in {n} rows"


def _classification(target: Column, why: str, notes: Notes, *, allow_rare: bool) -> Task:
    labels = [_label(target.kind, value) for value in target.values.tolist()]
    classes = sorted(set(labels), key=lambda label: (isinstance(label, str), label))
    if len(classes) > MOST_CLASSES or (len(classes) > _FEW and len(classes) > len(labels) / 2):
        raise InputError(
            f"{target.name} has {len(classes)} classes in {len(labels)} rows",
            expected=f"at most {MOST_CLASSES}, and more than one row of most of them",
            fix="--task regression" if target.kind != "category" else "--target with another column",
        )
    place = {label: number for number, label in enumerate(classes)}
    truth = np.array([place[label] for label in labels], np.float64)
    counts = np.bincount(truth.astype(np.intp), minlength=len(classes))
    rare = [(classes[number], int(counts[number])) for number in np.flatnonzero(counts < 3).tolist()]
    if rare:
        words = listed([f"{label!r} ({count})" for label, count in rare])
        if not allow_rare:
            raise InputError(
                f"{target.name} has classes of one or two rows: {words}",
                expected="three rows of each at least: to learn from, to stop at and to be judged by",
                fix="correct them if they are misspelt, leave their rows out, or --allow rare to only learn from them",
            )
        notes.warn(f"classes of one or two rows are only learned from, and never judged: {words}", target.name)
    _tell_uneven(target.name, classes, counts, notes)
    return Task("classification", why, tuple(classes), truth)


def _tell_uneven(name: str, classes: list[Category], counts: NDArray[Any], notes: Notes) -> None:
    small, large = int(counts.argmin()), int(counts.argmax())
    if counts[small] < UNEVEN * counts[large]:
        share = counts / counts.sum()
        notes.warn(
            f"the classes are uneven: {classes[small]!r} is {share[small]:.2%} of the rows; always answering "
            f"{classes[large]!r} is right in {share[large]:.1%} of them, so look at balanced accuracy and log loss",
            name,
        )


def _label(kind: str, value: Any) -> Category:
    if kind == "bool":
        return bool(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value  # type: ignore[no-any-return]


def _shown(target: Column) -> str:
    return repr(_label(target.kind, target.values[0]))
