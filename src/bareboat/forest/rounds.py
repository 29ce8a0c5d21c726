"""An ensemble cut after some rounds: its trees, and what its transform has to know of them."""

from __future__ import annotations

from dataclasses import replace
from operator import index

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.forest.ir import Ensemble, Floats, LinearLeaves, Transform, Trees


def first_rounds(ensemble: Ensemble, n: int) -> Ensemble:
    """Return the ensemble as it was after its first n rounds: LightGBM's num_iteration, XGBoost's iteration_range.

    Args:
        ensemble: the trees.
        n: 1 <= n <= ensemble.n_rounds.
    Raises:
        InputError: n is out of its range.
    """
    n = checked_rounds(n, ensemble.n_rounds)
    return replace(
        ensemble,
        trees=tree_range(ensemble.trees, 0, n * ensemble.trees_per_round),
        parameters=(parameter_after(ensemble, n), *ensemble.parameters[1:]),
    )


def checked_rounds(n: int, n_rounds: int) -> int:
    """Return n as an int; raises InputError when it is not in 1..n_rounds."""
    try:
        rounds = index(n)
    except TypeError:
        rounds = 0
    if not 1 <= rounds <= n_rounds:
        raise InputError(f"{n!r} rounds", expected=f"a whole number from 1 to {n_rounds}, the rounds of the model")
    return rounds


def tree_range(trees: Trees, first: int, end: int) -> Trees:
    """Return the trees from `first` to before `end`; arrays are views of the old ones where they can be."""
    leaves = slice(int(trees.leaf_start[first]), int(trees.leaf_start[end]))
    splits = slice(leaves.start - first, leaves.stop - end)
    number = trees.set_number[splits]
    used = np.unique(number[number >= 0])
    place = np.full(len(trees.sets) + 1, -1, np.int32)  # the last is for the -1 of a numeric split
    place[used] = np.arange(len(used))
    return Trees(
        leaf_start=trees.leaf_start[first : end + 1] - leaves.start,
        output=trees.output[first:end],
        feature=trees.feature[splits],
        rule=trees.rule[splits],
        threshold=trees.threshold[splits],
        left=trees.left[splits],
        right=trees.right[splits],
        set_number=place[number],
        sets=tuple(trees.sets[which] for which in used.tolist()),
        leaf_value=trees.leaf_value[leaves],
        linear=_linear_range(trees.linear, leaves),
        leaf_id=None if trees.leaf_id is None else trees.leaf_id[leaves],
        leaf_cover=None if trees.leaf_cover is None else trees.leaf_cover[leaves],
        split_cover=None if trees.split_cover is None else trees.split_cover[splits],
        split_gain=None if trees.split_gain is None else trees.split_gain[splits],
    )


def _linear_range(linear: LinearLeaves | None, leaves: slice) -> LinearLeaves | None:
    if linear is None:
        return None
    start = linear.start[leaves.start : leaves.stop + 1]
    terms = slice(int(start[0]), int(start[-1]))
    return LinearLeaves(linear.constant[leaves], start - start[0], linear.feature[terms], linear.coefficient[terms])


def parameter_after(ensemble: Ensemble, rounds: int) -> float:
    """Return the first parameter that the transform has after some rounds.

    It grows with the trees where it is a sum over them: of AdaBoost's weights, which are added in order here as
    `staged_predict_proba` does, and of an isolation forest's expected path lengths. Elsewhere it stays.
    """
    parameter = ensemble.parameters[0]
    if rounds == ensemble.n_rounds:
        return parameter
    if ensemble.transform is Transform.ISOLATION:
        return parameter / ensemble.n_rounds * rounds
    if ensemble.transform is Transform.SAMME:
        return float(np.cumsum(round_weights(ensemble))[rounds - 1])
    return parameter


def round_weights(ensemble: Ensemble) -> Floats:
    """Return AdaBoost's weight of each round: what a leaf adds to the class that it votes for."""
    starts = ensemble.trees.leaf_start[: -1 : ensemble.trees_per_round]
    weights: Floats = np.maximum.reduceat(ensemble.trees.leaf_value.max(axis=1), starts)
    return weights


def tree_depths(trees: Trees) -> NDArray[np.int64]:
    """Return how many splits lie on the longest way through each tree: (n_trees,)."""
    level = split_levels(trees)
    depths = np.zeros(len(trees), np.int64)
    np.maximum.at(depths, trees.split_tree, level + 1)
    return depths


def split_levels(trees: Trees) -> NDArray[np.int64]:
    """Return how many splits lie above each split: (n_splits,)."""
    first = trees.leaf_start[:-1] - np.arange(len(trees))  # the first split of each tree
    has_splits = np.diff(trees.leaf_start) > 1
    level = np.zeros(len(trees.feature), np.int64)
    front, depth = first[has_splits], 0
    home = trees.split_tree
    while len(front):
        level[front] = depth
        children = np.stack([trees.left[front], trees.right[front]])
        below = (first[home[front]] + children)[children >= 0]
        front, depth = below, depth + 1
    return level
