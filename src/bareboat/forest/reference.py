"""Ensemble and rows -> scores, slowly and plainly: what the kernel must equal bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bareboat.forest.ir import CategorySet, Ensemble, Rule, Transform, Tree

TINY = 1.0000000180025095e-35
"""float32(1e-35): LightGBM's kZeroThreshold (include/LightGBM/meta.h)."""

XGBOOST_LIMIT = 88.69999694824219
"""float32(88.7): where XGBoost's sigmoid bounds what it exponentiates (src/common/math.h)."""

Row = Sequence[float]


def raw_scores(ensemble: Ensemble, rows: Iterable[Row]) -> list[list[float]]:
    """Return base plus the sums of leaf values, before any averaging or transform.

    Args:
        ensemble: the trees.
        rows: (n, n_features) float64, NaN for a missing value.
    Returns:
        (n, n_outputs) float64.
    """
    trees = [ensemble.trees[number] for number in range(ensemble.n_trees)]
    return [_raw_score(ensemble, trees, row) for row in rows]


def predict(ensemble: Ensemble, rows: Iterable[Row]) -> list[list[float]]:
    """Return the outputs: raw scores, averaged where the ensemble says so, then transformed.

    Returns:
        (n, n_outputs) float64; a binary classifier of one output has the probability of its second class.
    """
    return [transformed(ensemble, scores) for scores in raw_scores(ensemble, rows)]


def leaves(ensemble: Ensemble, row: Row) -> list[int]:
    """Return the leaf that each tree sends a row to, in the order of `Trees.leaf_value`: (n_trees,)."""
    values = _read(ensemble, row)
    return [_leaf(ensemble.trees[number], values) for number in range(ensemble.n_trees)]


def transformed(ensemble: Ensemble, scores: Sequence[float]) -> list[float]:
    """Return the outputs of one row's raw scores: (n_outputs,)."""
    number = _rounding(ensemble.single_sum)
    if ensemble.average:
        scores = [number(score / ensemble.n_rounds) for score in scores]
    parameter = ensemble.parameters[0]
    match ensemble.transform:
        case Transform.IDENTITY:
            return list(scores)
        case Transform.SIGMOID:
            scores = [number(parameter * score) for score in scores]
            if ensemble.single_sum:
                scores = [max(score, -XGBOOST_LIMIT) for score in scores]
            return [_logistic(score, number) for score in scores]
        case Transform.SOFTMAX:
            return _softmax(scores, number)
        case Transform.EXP:
            return [number(_exp(score)) for score in scores]
        case Transform.LOG1P_EXP:
            return [number(math.log1p(_exp(score))) for score in scores]
        case Transform.SIGNED_SQUARE:
            return [number(float((score > 0) - (score < 0)) * score * score) for score in scores]
        case Transform.STEP:
            return [float(score > 0) for score in scores]
        case Transform.ISOLATION:
            return [number(-_power_of_two(-score / parameter) - ensemble.parameters[1]) for score in scores]
        case Transform.SAMME:
            return _samme([score / parameter for score in scores], number)
        case Transform.LOGISTIC:
            sides = [_logistic(abs(score), number) for score in scores]
            return [number(1.0 - side) if score < 0 else side for score, side in zip(scores, sides, strict=True)]


def _samme(votes: Sequence[float], number: Callable[[float], float]) -> list[float]:
    if len(votes) == 2:
        difference = votes[1] - votes[0]
        return _softmax([-difference / 2, difference / 2], number)
    return _softmax([vote / (len(votes) - 1) for vote in votes], number)


def _rounding(single: bool) -> Callable[[float], float]:
    return _single if single else float


def _single(value: float) -> float:
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(value))


def _read(ensemble: Ensemble, row: Row) -> list[float]:
    if len(row) != ensemble.n_features:
        raise ValueError(f"a row of {len(row)} values for {ensemble.n_features} features")
    values = [_rounding(ensemble.single_input)(value) for value in row]
    if ensemble.tiny_is_zero:
        return [0.0 if -TINY <= value <= TINY else value for value in values]
    return values


def _raw_score(ensemble: Ensemble, trees: Sequence[Tree], row: Row) -> list[float]:
    values = _read(ensemble, row)
    number = _rounding(ensemble.single_sum)
    scores: list[float] = ensemble.base.tolist()
    for tree in trees:
        leaf = _leaf(tree, values)
        if ensemble.has_vector_leaves:
            for output, value in enumerate(np.asarray(tree.leaf_value)[leaf].tolist()):
                scores[output] = number(scores[output] + value)
        else:
            scores[tree.output] = number(scores[tree.output] + _leaf_value(tree, leaf, values))
    return scores


def _leaf_value(tree: Tree, leaf: int, values: Row) -> float:
    plain = float(np.ravel(tree.leaf_value)[leaf])
    if tree.linear is None:
        return plain
    model = tree.linear[leaf]
    score = model.constant
    for feature, coefficient in zip(model.features, model.coefficients, strict=True):
        if math.isnan(values[feature]):
            return plain
        score += coefficient * values[feature]
    return score


def _leaf(tree: Tree, values: Row) -> int:
    if not tree.n_splits:
        return 0
    node = 0
    while node >= 0:
        node = int((tree.left if _goes_left(tree, node, values[tree.feature[node]]) else tree.right)[node])
    return ~node


def _goes_left(tree: Tree, node: int, value: float) -> bool:
    rule = Rule(tree.rule[node])
    if rule.is_categorical:
        assert tree.categories is not None
        return _in_set(tree.categories[node], rule, value)
    if rule is Rule.NAN_LEFT or rule is Rule.NAN_RIGHT:
        if math.isnan(value):
            return rule is Rule.NAN_LEFT
    else:
        if math.isnan(value):
            value = 0.0
        if rule is not Rule.MISSING_IS_ZERO and -TINY <= value <= TINY:
            return rule is Rule.ZERO_LEFT
    return bool(value <= tree.threshold[node])


def _in_set(categories: CategorySet, rule: Rule, value: float) -> bool:
    if math.isnan(value):
        return categories.nan_left
    # (int)value < 0 exactly when value <= -1; past the range of an int there is no code.
    is_code = (value > -1.0 if rule is Rule.CATEGORY else value >= 0.0) and value < 2.0**31
    if not is_code or (rule is Rule.CATEGORY_WHOLE and value != math.floor(value)):
        return categories.others_left
    if categories.others_left:
        return not categories.right >> int(value) & 1
    return bool(categories.codes >> int(value) & 1)


def _logistic(x: float, number: Callable[[float], float]) -> float:
    return number(1.0 / number(1.0 + number(_exp(number(-x)))))


def _softmax(scores: Sequence[float], number: Callable[[float], float]) -> list[float]:
    top = max(scores)
    powers = [number(_exp(number(score - top))) for score in scores]
    total = 0.0
    for power in powers:
        total += power
    return [number(power / number(total)) for power in powers]


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _power_of_two(x: float) -> float:
    try:
        return math.pow(2.0, x)
    except OverflowError:
        return math.inf
