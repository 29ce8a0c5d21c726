"""Ensemble -> the training weight at each split."""

from __future__ import annotations

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble, Floats, Trees
from bareboat.forest.rounds import split_levels, tree_range


def split_covers(ensemble: Ensemble) -> Floats:
    """Return the weight of the training rows that came to each split: (n_splits,).

    Raises:
        ModelError: the source does not tell it, or the forest was written without it.
    """
    trees = ensemble.trees
    if trees.split_cover is not None:
        return trees.split_cover
    if trees.leaf_cover is None:
        raise ModelError(
            "the forest does not hold how many training rows came to its leaves",
            expected="a model that tells it, imported with its statistics",
            fix="import the model again without --no-statistics",
        )
    return _summed(trees)


def tree_covers(trees: Trees, number: int) -> Floats:
    """Return the weight at each split of one tree, (n_splits of it,), from that of its leaves."""
    return _summed(tree_range(trees, number, number + 1))


def _summed(trees: Trees) -> Floats:
    assert trees.leaf_cover is not None
    home = trees.split_tree
    first_split = (trees.leaf_start[:-1] - np.arange(len(trees)))[home]
    first_leaf = trees.leaf_start[:-1][home]
    cover = np.zeros(len(home))
    level = split_levels(trees)
    for depth in range(int(level.max(initial=-1)), -1, -1):  # from the deepest up
        at = np.flatnonzero(level == depth)
        for child in (trees.left[at], trees.right[at]):
            is_split = child >= 0
            cover[at] += np.where(
                is_split,
                cover[np.where(is_split, first_split[at] + child, 0)],
                trees.leaf_cover[np.where(is_split, 0, first_leaf[at] + ~child)],
            )
    return cover
