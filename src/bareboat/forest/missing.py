"""Ensemble -> the features that it has seen missing in training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Ensemble, Rule


def seen_missing(forest: Ensemble) -> frozenset[int]:
    """Return the places of the features whose handling of missing values was learned, as far as a model tells.

    LightGBM and CatBoost write a side for NaN only where training had one. XGBoost and scikit-learn write one at every
    split: without missing values that is the same side everywhere (XGBoost), or the side of more rows (scikit-learn).
    What differs was learned. Rows may have weights of which only the sum is known (bootstrap samples), so there a
    feature must differ clearly more often than others. In doubt the answer is no.
    """
    trees = forest.trees
    goes_left = trees.rule == Rule.NAN_LEFT
    has_side = goes_left | (trees.rule == Rule.NAN_RIGHT)
    candidates = np.unique(trees.feature[has_side]).tolist()
    source = forest.source.lower()
    if source.startswith("xgboost"):
        mixed = [goes_left[has_side & (trees.feature == each)] for each in candidates]
        return frozenset(each for each, sides in zip(candidates, mixed, strict=True) if sides.any() != sides.all())
    if not source.startswith("sklearn"):
        return frozenset(candidates)
    balance = _balance(forest)
    if balance is None or not candidates:
        return frozenset()
    differs = ((balance > 0) & ~goes_left) | ((balance < 0) & goes_left)
    shares = np.array([differs[has_side & (trees.feature == each)].mean() for each in candidates])
    usual = 0.0 if "hist" in source else 2 * float(np.median(shares)) + 0.05
    return frozenset(each for each, share in zip(candidates, shares, strict=True) if share > usual)


def _balance(forest: Ensemble) -> NDArray[np.float64] | None:
    """Return for each split whether more rows go left (1) or right (-1), 0 for equally many; None if unknown."""
    trees = forest.trees
    if trees.leaf_cover is None or trees.split_cover is None:
        return None
    balance = np.zeros(len(trees.feature))
    for number in range(len(trees)):
        tree = trees[number]
        first = int(trees.leaf_start[number]) - number
        covers = np.concatenate([np.asarray(tree.split_cover), np.asarray(tree.leaf_cover)])
        left, right = (
            covers[np.where(child >= 0, child, tree.n_splits + ~child)]
            for child in (np.asarray(tree.left, np.intp), np.asarray(tree.right, np.intp))
        )
        balance[first : first + tree.n_splits] = np.sign(left - right)
    return balance
