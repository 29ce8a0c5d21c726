"""Rows -> the scores after each round, by one walk of the kernel through the trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Ensemble, Floats, LinearLeaves
from bareboat.forest.rounds import tree_range
from bareboat.forest.rows import Matrix

Leaves = Callable[[Ensemble, Matrix], NDArray[np.uint32]]
"""The leaf of each row in each tree of an ensemble, in the order of `Trees.leaf_value`: (n, n_trees)."""

_MEMORY = 1 << 28
"""Bytes of leaf numbers that are held at a time; more trees than that are walked in several goes."""


def staged_raw(ensemble: Ensemble, rows: Matrix, leaves: Leaves) -> Iterator[Floats]:
    """Yield the raw scores after each round, added in the order in which the kernel adds.

    Args:
        ensemble: its leaves stand in the order that `leaves` counts in.
        rows: (n, n_features).
        leaves: the walk.
    Yields:
        (n, n_outputs), each time the same array: copy what is to be kept.
    """
    scores = np.repeat(ensemble.base[np.newaxis, :], len(rows), axis=0)
    step = ensemble.trees_per_round * max(1, _MEMORY // max(1, 4 * len(rows) * ensemble.trees_per_round))
    adder = _Adder(ensemble, rows, scores)
    for first in range(0, ensemble.n_trees, step):
        end = min(first + step, ensemble.n_trees)
        found = leaves(_part(ensemble, first, end), rows)
        for tree in range(first, end):
            adder.add(tree, found[:, tree - first])
            if (tree + 1) % ensemble.trees_per_round == 0:
                yield scores


def _part(ensemble: Ensemble, first: int, end: int) -> Ensemble:
    if (first, end) == (0, ensemble.n_trees):
        return ensemble
    from dataclasses import replace

    return replace(ensemble, trees=tree_range(ensemble.trees, first, end), trees_per_round=1)


class _Adder:
    """Adds leaf values to scores as the kernel does: in float64, or rounding each sum to float32."""

    def __init__(self, ensemble: Ensemble, rows: Matrix, scores: Floats) -> None:
        self._trees = ensemble.trees
        self._rows = _read(ensemble, rows) if ensemble.trees.linear is not None else rows
        self._scores = scores
        self._single = ensemble.single_sum

    def add(self, tree: int, leaf: NDArray[np.uint32]) -> None:
        """Add one tree: leaf (n,) within the tree."""
        trees, scores = self._trees, self._scores
        at = trees.leaf_start[tree] + leaf
        width = trees.leaf_value.shape[1]
        to = slice(None) if width > 1 else slice(int(trees.output[tree]), int(trees.output[tree]) + 1)
        value = trees.leaf_value[at]
        if trees.linear is not None:
            value[:, 0] = _linear_values(trees.linear, at, value[:, 0], self._rows)
        if self._single:
            scores[:, to] = scores[:, to].astype(np.float32) + value.astype(np.float32)
        else:
            scores[:, to] += value


def _read(ensemble: Ensemble, rows: Matrix) -> Floats:
    """Return the values as linear leaves see them."""
    values = rows.astype(np.float32 if ensemble.single_input else np.float64).astype(np.float64)
    if ensemble.tiny_is_zero:
        values[np.abs(values) <= np.float64(np.float32(1e-35))] = 0.0
    return values


def _linear_values(linear: LinearLeaves, at: NDArray[np.int64], plain: Floats, rows: Matrix) -> Floats:
    """Return constant + coefficient * value + ... in this order, or the plain value where a value is NaN: (n,)."""
    score = linear.constant[at]
    start, n_terms = linear.start[at], linear.start[at + 1] - linear.start[at]
    is_missing = np.zeros(len(at), bool)
    with np.errstate(all="ignore"):
        for term in range(int(n_terms.max(initial=0))):
            row = np.flatnonzero(n_terms > term)
            which = start[row] + term
            value = rows[row, linear.feature[which]]
            is_missing[row] |= np.isnan(value)
            score[row] += linear.coefficient[which] * value
    return np.where(is_missing, plain, score)
