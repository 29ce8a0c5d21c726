"""Ensemble -> how much each feature matters to its trees, as the frameworks count it."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError, ModelError
from bareboat.forest.covers import split_covers
from bareboat.forest.ir import Ensemble, Floats, Transform
from bareboat.forest.rounds import round_weights

Kind = Literal["split", "gain", "average_gain", "cover", "average_cover", "impurity", "shap"]
KINDS: tuple[str, ...] = get_args(Kind)


def importances(ensemble: Ensemble, kind: str) -> Floats:
    """Return the importance of each feature: (n_features,), 0.0 for one that no split uses.

    | kind | what | the same as |
    |---|---|---|
    | split | number of splits; of LightGBM, those that gained something | LightGBM "split", XGBoost "weight" |
    | gain | sum of gains | LightGBM "gain", XGBoost "total_gain" |
    | average_gain | gain of a split | XGBoost "gain" |
    | cover | sum of the training weight at the splits | XGBoost "total_cover" |
    | average_cover | training weight at a split | XGBoost "cover" |
    | impurity | mean decrease of impurity, with the sum 1 | scikit-learn `feature_importances_` |

    Raises:
        InputError: there is no such kind.
        ModelError: the forest lacks the statistics that the kind is worked out from.
    """
    if kind in KINDS and not len(ensemble.trees.feature):
        return np.zeros(ensemble.n_features)  # of trees of one leaf, which hold no statistics of splits
    if kind == "split":
        return _counts(ensemble)
    if kind in {"gain", "average_gain"}:
        total = _sums(ensemble, _gains(ensemble))
        return total if kind == "gain" else _averaged(total, ensemble)
    if kind in {"cover", "average_cover"}:
        total = _sums(ensemble, split_covers(ensemble))
        return total if kind == "cover" else _averaged(total, ensemble)
    if kind == "impurity":
        return _impurity(ensemble)
    raise InputError(f"no importances of the kind {kind!r}", expected=f"one of {', '.join(KINDS)}")


def default_kind(ensemble: Ensemble) -> str:
    """Return the kind that the source's own `feature_importances_` has."""
    if ensemble.source.startswith("sklearn"):
        return "gain" if _estimator(ensemble).startswith("HistGradientBoosting") else "impurity"
    return "average_gain" if ensemble.source.startswith("xgboost") else "split"


def own_importances(ensemble: Ensemble) -> Floats:
    """Return what the source's own `feature_importances_` holds: counts of LightGBM, shares of the others.

    HistGradientBoosting has none; it gets the shares of the gain.
    """
    kind = default_kind(ensemble)
    found = importances(ensemble, kind)
    return found if kind == "split" else _shares(found)


def _gains(ensemble: Ensemble) -> Floats:
    if ensemble.trees.split_gain is None:
        raise ModelError(
            "the forest does not hold what its splits gained",
            expected="a model that tells it, imported with its statistics",
            fix="kind 'split' or 'shap', or import the model again without --no-statistics",
        )
    return ensemble.trees.split_gain


def _counts(ensemble: Ensemble) -> Floats:
    gain = ensemble.trees.split_gain
    if gain is None or not ensemble.source.startswith("lightgbm"):
        return _sums(ensemble, np.ones(len(ensemble.trees.feature)))
    return _sums(ensemble, (gain > 0).astype(np.float64))  # GBDT::FeatureImportance, src/boosting/gbdt.h


def _sums(ensemble: Ensemble, of_split: Floats) -> Floats:
    """Add a number of each split to its feature's: (n_features,)."""
    if ensemble.source.startswith("lightgbm") and ensemble.trees.split_gain is not None:
        of_split = np.where(ensemble.trees.split_gain > 0, of_split, 0.0)
    return np.bincount(ensemble.trees.feature, weights=of_split, minlength=ensemble.n_features).astype(np.float64)


def _averaged(total: Floats, ensemble: Ensemble) -> Floats:
    counts = _counts(ensemble)
    return np.divide(total, counts, out=np.zeros_like(total), where=counts > 0)


def _impurity(ensemble: Ensemble) -> Floats:
    """Average the trees' importances as scikit-learn does.

    Source: sklearn/tree/_tree.pyx (compute_feature_importances: decrease over the weight of the root), _forest.py (each
    tree's have the sum 1 before they are averaged), _gb.py (only the average's have), _weight_boosting.py (weighted by
    the trees' votes).
    """
    if not ensemble.source.startswith("sklearn") or _estimator(ensemble).startswith("HistGradientBoosting"):
        raise InputError(
            f"importances by impurity of a model of {ensemble.source}, whose trees were not grown by it",
            expected="trees, forests, GradientBoosting* or AdaBoost of scikit-learn",
            fix="kind 'gain'",
        )
    trees = ensemble.trees
    home = trees.split_tree
    cover = split_covers(ensemble)
    first = (trees.leaf_start[:-1] - np.arange(len(trees)))[home]  # each split's root
    of_tree = np.zeros((len(trees), ensemble.n_features))
    np.add.at(of_tree, (home, trees.feature), _gains(ensemble) / cover[first])
    if not _estimator(ensemble).startswith("GradientBoosting"):
        sums = of_tree.sum(axis=1, keepdims=True)
        of_tree = np.divide(of_tree, sums, out=of_tree, where=sums > 0)
    if ensemble.transform is Transform.SAMME:
        weights = round_weights(ensemble)
        weighted: Floats = (of_tree * weights[:, np.newaxis]).sum(axis=0) / weights.sum()
        return weighted
    has_splits = np.diff(trees.leaf_start) > 1
    if not has_splits.any():
        return np.zeros(ensemble.n_features)
    mean: Floats = of_tree[has_splits].mean(axis=0)
    return _shares(mean)


def _estimator(ensemble: Ensemble) -> str:
    """Return the class of scikit-learn's estimator: the last word of the source."""
    return ensemble.source.rpartition(" ")[2]


def _shares(values: Floats) -> Floats:
    total = values.sum()
    return values / total if total > 0 else values


def ranking(values: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the features from the most important on; equal ones keep the model's order."""
    return np.argsort(-values, kind="stable")
