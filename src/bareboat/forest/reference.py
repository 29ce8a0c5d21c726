"""Forest and rows -> scores, slowly, in plain Python: what the kernel must equal bit for bit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from bareboat.forest.ir import Forest, Rule, Transform, Tree

TINY = 1.0000000180025095e-35
"""float32(1e-35): LightGBM's kZeroThreshold (include/LightGBM/meta.h)."""

Row = Sequence[float]


def raw_scores(forest: Forest, rows: Iterable[Row]) -> list[list[float]]:
    """Return the sums of leaf values before any averaging or transform.

    Args:
        forest: the ensemble.
        rows: (n, n_features) float64, NaN for a missing value.
    Returns:
        (n, n_outputs) float64.
    """
    return [_raw_score(forest, row) for row in rows]


def predict(forest: Forest, rows: Iterable[Row]) -> list[list[float]]:
    """Return the outputs: raw scores, averaged where the forest says so, then transformed.

    Returns:
        (n, n_outputs) float64; a binary classifier has one output, the probability of its second class.
    """
    return [_transformed(forest, scores) for scores in raw_scores(forest, rows)]


def leaves(forest: Forest, row: Row) -> list[int]:
    """Return the leaf that each tree sends a row to, in the source's own numbering: (n_trees,)."""
    values = _read(forest, row)
    return [_leaf(tree, values) for tree in forest.trees]


def _read(forest: Forest, row: Row) -> list[float]:
    if len(row) != forest.n_features:
        raise ValueError(f"a row of {len(row)} values for {forest.n_features} features")
    if forest.tiny_is_zero:
        return [0.0 if -TINY <= value <= TINY else float(value) for value in row]
    return [float(value) for value in row]


def _raw_score(forest: Forest, row: Row) -> list[float]:
    values = _read(forest, row)
    scores = [0.0] * forest.n_outputs
    for number, tree in enumerate(forest.trees):
        scores[number % forest.n_outputs] += _tree_value(tree, values)
    return scores


def _tree_value(tree: Tree, values: Row) -> float:
    leaf = _leaf(tree, values)
    if tree.linear is None:
        return tree.leaf_value[leaf]
    model = tree.linear[leaf]
    score = model.constant
    for feature, coefficient in zip(model.features, model.coefficients, strict=True):
        if math.isnan(values[feature]):
            return tree.leaf_value[leaf]
        score += coefficient * values[feature]
    return score


def _leaf(tree: Tree, values: Row) -> int:
    if not tree.feature:
        return 0
    node = 0
    while node >= 0:
        node = tree.left[node] if _goes_left(tree, node, values[tree.feature[node]]) else tree.right[node]
    return ~node


def _goes_left(tree: Tree, node: int, value: float) -> bool:
    rule = tree.rule[node]
    if rule is Rule.CATEGORY:
        # (int)value < 0 exactly when value <= -1; past the range of an int nothing is in a set.
        if math.isnan(value) or value <= -1.0 or value >= 2.0**31:
            return False
        return bool(tree.categories[node] >> int(value) & 1)
    if rule is Rule.NAN_LEFT or rule is Rule.NAN_RIGHT:
        if math.isnan(value):
            return rule is Rule.NAN_LEFT
    else:
        if math.isnan(value):
            value = 0.0
        if rule is not Rule.MISSING_IS_ZERO and -TINY <= value <= TINY:
            return rule is Rule.ZERO_LEFT
    return value <= tree.threshold[node]


def _transformed(forest: Forest, scores: list[float]) -> list[float]:
    if forest.average:
        scores = [score / forest.n_rounds for score in scores]
    match forest.transform:
        case Transform.IDENTITY:
            return scores
        case Transform.SIGMOID:
            return [1.0 / (1.0 + _exp(-forest.parameter * score)) for score in scores]
        case Transform.SOFTMAX:
            powers = [_exp(score - max(scores)) for score in scores]
            total = 0.0
            for power in powers:
                total += power
            return [power / total for power in powers]
        case Transform.EXP:
            return [_exp(score) for score in scores]
        case Transform.LOG1P_EXP:
            return [math.log1p(_exp(score)) for score in scores]
        case Transform.SIGNED_SQUARE:
            return [float((score > 0) - (score < 0)) * score * score for score in scores]


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
