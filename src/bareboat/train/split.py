"""Rows -> those to learn from, those to stop at, and those to be judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.train.task import Task

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which rows are in which part, rising; every row is in one.

    Args:
        train: learned from.
        validation: they end the rounds; may be none.
        test: held out for the score; may be none.
        how: in a few words.
    """

    train: Places
    validation: Places
    test: Places
    how: str

    def learned(self, *, refit: bool) -> Places:
        """Return the rows that the model which is served has learned from.

        Args:
            refit: whether it was fitted again, on the validation rows too.
        """
        return np.sort(np.concatenate([self.train, self.validation])) if refit else self.train

    def to_dict(self) -> dict[str, Any]:
        """Return how many rows there are in each part, as JSON has it."""
        return {"how": self.how, "train": len(self.train), "validation": len(self.validation), "test": len(self.test)}


def split_rows(task: Task, *, validation: float, test: float, seed: int, groups: Sequence[Any] | None = None) -> Split:
    """Divide the rows; the same seed gives the same parts.

    Classes have the same share in each part, to a row; a class of fewer than three rows is only learned from. Values
    are divided tenth by tenth of their range of ranks. Groups stay whole, and then nothing is stratified.

    Args:
        validation, test: shares of all rows.
        groups: (n,) rows of one value stay together; None for no groups.
    Raises:
        InputError: a part that was asked for would be empty, or there is nothing left to learn from.
    """
    random = np.random.default_rng(seed)
    n = len(task.truth)
    if groups is not None:
        number = _numbered(groups)
        parts = _grouped(number, validation, test, random)
        how = f"whole groups, {number.max() + 1} of them, at random"
    elif task.is_classification:
        parts = _stratified(task.truth.astype(np.intp), validation, test, random, least=3)
        how = "stratified by class, at random"
    else:
        ranks = np.argsort(np.argsort(task.truth, kind="stable"), kind="stable")
        strata = (ranks * min(10, max(1, n // 10)) // n).astype(np.intp)
        parts = _stratified(strata, validation, test, random, least=1)
        how = "stratified by tenths of the target, at random"
    train, valid, held = (np.flatnonzero(parts == part) for part in range(3))
    for share, part, flag in ((validation, valid, "validation"), (test, held, "test")):
        if share and not len(part):
            raise InputError(
                f"{n} rows, which are too few for a {flag} part of {share:.0%}",
                expected="some tens of rows at least",
                fix=f"--{flag} 0",
            )
    seen = np.unique(task.truth[train])
    if len(train) < 2 or len(seen) < 2 or (task.is_classification and len(seen) < task.n_classes):
        raise InputError(
            f"the {len(train)} rows to learn from do not have every class"
            if task.is_classification
            else f"{len(train)} rows to learn from, all with the same answer",
            expected="rows of different answers",
            fix="more rows, or smaller --validation and --test",
        )
    return Split(train, valid, held, how)


def _stratified(
    strata: Places, validation: float, test: float, random: np.random.Generator, *, least: int
) -> NDArray[np.int8]:
    """Return the part of each row: 0 to learn, 1 to stop, 2 to judge."""
    parts = np.zeros(len(strata), np.int8)
    owed = np.zeros(3)  # what rounding has kept from a part so far goes to it in a later stratum
    for stratum in range(int(strata.max()) + 1):
        rows = random.permutation(np.flatnonzero(strata == stratum))
        if len(rows) < least:
            continue
        counts: list[int] = []
        for part, share in ((2, test), (1, validation)):
            want = share * len(rows) + owed[part]
            count = round(want)
            if share and least > 1:  # each class in each part
                count = max(1, count)
            count = max(0, min(count, len(rows) - 1 - sum(counts)))
            owed[part] = want - count
            counts.append(count)
        parts[rows[: counts[0]]] = 2
        parts[rows[counts[0] : counts[0] + counts[1]]] = 1
    return parts


def _grouped(number: Places, validation: float, test: float, random: np.random.Generator) -> NDArray[np.int8]:
    sizes = np.bincount(number)
    order = random.permutation(len(sizes))
    before = np.concatenate([[0], np.cumsum(sizes[order])[:-1]]) / len(number)
    part_of = np.zeros(len(sizes), np.int8)
    part_of[order[before < test]] = 2
    part_of[order[(before >= test) & (before < test + validation)]] = 1
    return part_of[number]


def _numbered(groups: Sequence[Any]) -> Places:
    seen: dict[Any, int] = {}
    return np.array([seen.setdefault(group, len(seen)) for group in groups], np.intp)
