"""An Ensemble whose arrays come from elsewhere -> the same, or what is wrong with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble, LinearLeaves, Rule, Trees
from bareboat.forest.soundness import tree_fault


def checked(ensemble: Ensemble) -> Ensemble:
    """Return the Ensemble when every type, shape, index and number in it is as ir.py says.

    Raises:
        ModelError: it is not; says what; `where` is "".
    """
    _check_plain(ensemble)
    _check_trees(ensemble.trees, ensemble.n_features, ensemble.n_outputs)
    _need(ensemble.n_trees % ensemble.trees_per_round == 0, f"{ensemble.n_trees} trees in rounds of another size")
    return ensemble


def _check_plain(ensemble: Ensemble) -> None:
    names = ensemble.feature_names
    _need(bool(names) and all(isinstance(name, str) for name in names), "no feature names")
    _need(len(ensemble.categories) == len(names), "categories of another number of features")
    for number in (ensemble.n_classes, ensemble.n_outputs, ensemble.trees_per_round):
        _need(type(number) is int and 0 <= number < 1 << 32, "a count that is none")
    _need(ensemble.n_outputs >= 1 and ensemble.trees_per_round >= 1, "no outputs")
    _need(len(ensemble.classes) in (0, ensemble.n_classes), f"{len(ensemble.classes)} labels of classes")
    for text in (ensemble.objective, ensemble.source, *ensemble.notes):
        _need(isinstance(text, str), "a text that is none")
    for flag in (ensemble.average, ensemble.single_input, ensemble.single_sum, ensemble.tiny_is_zero):
        _need(type(flag) is bool, "a flag that is none")
    _need(len(ensemble.parameters) >= 1, "no parameters of the transform")
    _need(bool(np.isfinite(np.array(ensemble.parameters, np.float64)).all()), "a parameter that is not finite")
    _array(ensemble.base, "base", np.float64, (ensemble.n_outputs,))
    _finite(ensemble.base, "base")


def _check_trees(trees: Trees, n_features: int, n_outputs: int) -> None:
    starts = trees.leaf_start
    _array(starts, "leaf_start", np.int64, (None,))
    _need(len(starts) > 1 and starts[0] == 0 and bool((np.diff(starts) > 0).all()), "trees without leaves")
    n_trees, n_leaves = len(starts) - 1, int(starts[-1])
    splits = (n_leaves - n_trees,)
    _array(trees.output, "output", np.int32, (n_trees,))
    _within(trees.output, "output", 0, n_outputs)
    _array(trees.feature, "feature", np.int32, splits)
    _within(trees.feature, "feature", 0, n_features)
    _array(trees.rule, "rule", np.uint8, splits)
    _within(trees.rule, "rule", 0, len(Rule))
    _array(trees.threshold, "threshold", np.float64, splits)
    _need(not np.isnan(trees.threshold).any(), "NaN in threshold")
    _array(trees.left, "left", np.int32, splits)
    _array(trees.right, "right", np.int32, splits)
    _array(trees.set_number, "set_number", np.int32, splits)
    is_categorical = trees.rule >= Rule.CATEGORY
    _within(trees.set_number[is_categorical], "set_number", 0, len(trees.sets))
    _within(trees.set_number[~is_categorical], "set_number", -1, 0)
    for each in trees.sets:
        _need(each.codes >= 0 and each.right >= 0, "a set of negative codes")
    width = trees.leaf_value.shape[-1] if trees.leaf_value.ndim == 2 else 0
    _need(width in (1, n_outputs), f"{width} values a leaf")
    _array(trees.leaf_value, "leaf_value", np.float64, (n_leaves, width))
    _finite(trees.leaf_value, "leaf_value")
    fault = tree_fault(starts, trees.left, trees.right)
    _need(fault is None, f"tree {fault[0]}: {fault[1]}" if fault else "")
    for name, dtype, count in (
        ("leaf_id", np.int32, n_leaves),
        ("leaf_cover", np.float64, n_leaves),
        ("split_cover", np.float64, splits[0]),
        ("split_gain", np.float64, splits[0]),
    ):
        values = getattr(trees, name)
        if values is not None:
            _array(values, name, dtype, (count,))
            _need(dtype is np.float64 or bool((values >= 0).all()), f"a negative number in {name}")
    if trees.linear is not None:
        _check_linear(trees.linear, n_leaves, n_features)


def _check_linear(linear: LinearLeaves, n_leaves: int, n_features: int) -> None:
    _array(linear.constant, "constant", np.float64, (n_leaves,))
    _array(linear.start, "start", np.int64, (n_leaves + 1,))
    _need(linear.start[0] == 0 and bool((np.diff(linear.start) >= 0).all()), "starts that do not rise")
    count = int(linear.start[-1])
    _array(linear.feature, "linear feature", np.int32, (count,))
    _within(linear.feature, "linear feature", 0, n_features)
    _array(linear.coefficient, "coefficient", np.float64, (count,))
    _finite(linear.constant, "constant")
    _finite(linear.coefficient, "coefficient")


def _array(values: NDArray[Any], name: str, dtype: type[np.generic], shape: tuple[int | None, ...]) -> None:
    right = values.dtype == dtype and values.ndim == len(shape)
    right = right and all(want in (None, have) for want, have in zip(shape, values.shape, strict=True))
    _need(right, f"{name} of {values.dtype} {values.shape} instead of {np.dtype(dtype)} {shape}")


def _within(values: NDArray[Any], name: str, low: int, end: int) -> None:
    wrong = (values < low) | (values >= end)
    _need(not wrong.any(), f"{name} outside {low} to {end - 1}")


def _finite(values: NDArray[Any], name: str) -> None:
    _need(bool(np.isfinite(values).all()), f"a number in {name} that is not finite")


def _need(fact: bool, found: str) -> None:
    if not fact:
        raise ModelError(found, expected="the arrays of a sound ensemble")
