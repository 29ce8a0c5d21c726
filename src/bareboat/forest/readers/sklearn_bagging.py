"""Trees, random forests, bagged trees and isolation forests of scikit-learn -> Ensemble.

Source: scikit-learn, sklearn/tree/_classes.py, sklearn/ensemble/_forest.py, _bagging.py and _iforest.py. Forests add
the trees' answers in order and divide by their number; with `n_jobs` above 1 scikit-learn adds in no fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble, Floats, Transform, Trees
from bareboat.forest.readers.sklearn_estimator import attribute, class_labels, feature_names, name_of
from bareboat.forest.readers.sklearn_tree import read_tree

CLASSIFIER_TREES = ("DecisionTreeClassifier", "ExtraTreeClassifier")
REGRESSOR_TREES = ("DecisionTreeRegressor", "ExtraTreeRegressor")


def read_single_tree(tree: Any, source: str) -> Ensemble:
    """Read a DecisionTree* or ExtraTree*."""
    return _bagged(tree, [tree], [None], source, average=False)


def read_forest(forest: Any, source: str) -> Ensemble:
    """Read a RandomForest* or ExtraTrees*."""
    trees = list(attribute(forest, "estimators_"))
    return _bagged(forest, trees, [None] * len(trees), source, average=True)


def read_bagging(bagging: Any, source: str) -> Ensemble:
    """Read a Bagging* of decision trees.

    Raises:
        ModelError: what is bagged is no tree.
    """
    trees = list(attribute(bagging, "estimators_"))
    known = CLASSIFIER_TREES if hasattr(bagging, "classes_") else REGRESSOR_TREES
    for tree in trees:
        check_tree(bagging, tree, known)
    return _bagged(bagging, trees, list(attribute(bagging, "estimators_features_")), source, average=True)


def read_isolation_forest(forest: Any, source: str) -> Ensemble:
    """Read an IsolationForest: a leaf holds how far it lies from the root, and how far its rows would.

    Raises:
        ModelError: it was fitted on samples of one row, all of whose scores are alike.
    """
    names = feature_names(forest)
    estimators = attribute(forest, "estimators_")
    if int(attribute(forest, "_max_samples")) < 2:
        raise ModelError(
            "IsolationForest fitted on samples of one row",
            expected="samples of two rows or more",
            fix="fit it with a larger max_samples",
        )
    drawn = attribute(forest, "_max_features") != len(names)
    trees = [
        read_tree(estimator.tree_, (depths + further) - 1.0, features=np.asarray(features) if drawn else None)
        for estimator, features, depths, further in zip(
            estimators,
            attribute(forest, "estimators_features_"),
            attribute(forest, "_decision_path_lengths"),
            attribute(forest, "_average_path_length_per_tree"),
            strict=True,
        )
    ]
    return Ensemble(
        feature_names=names,
        categories=(None,) * len(names),
        objective="isolation",
        source=source,
        transform=Transform.ISOLATION,
        parameters=(len(trees) * _average_path_length(int(forest._max_samples)), float(attribute(forest, "offset_"))),
        n_classes=0,
        n_outputs=1,
        trees=Trees.of(trees),
        trees_per_round=1,
        base=np.zeros(1),
        single_input=True,
    )


def check_tree(outer: Any, inner: Any, known: Sequence[str]) -> None:
    """Refuse what is bagged or boosted when it is no decision tree of scikit-learn's own.

    Raises:
        ModelError: with the class of the inner estimator.
    """
    if name_of(inner) not in known or not type(inner).__module__.startswith("sklearn.tree."):
        raise ModelError(
            f"{name_of(outer)} of {name_of(inner)}",
            expected=" or ".join(known),
            fix=f"fit a {name_of(outer)} of one of these",
        )


def _bagged(estimator: Any, trees: Sequence[Any], features: Sequence[Any], source: str, *, average: bool) -> Ensemble:
    names = feature_names(estimator)
    classes = class_labels(estimator) if hasattr(estimator, "classes_") else ()
    read = [
        read_tree(
            each.tree_,
            _class_shares(each, len(classes)) if classes else each.tree_.value[:, :, 0],
            features=None if chosen is None else np.asarray(chosen),
        )
        for each, chosen in zip(trees, features, strict=True)
    ]
    n_outputs = len(classes) or read[0].leaf_value.shape[1]  # type: ignore[union-attr]
    return Ensemble(
        feature_names=names,
        categories=(None,) * len(names),
        objective=str(trees[0].criterion),
        source=source,
        transform=Transform.IDENTITY,
        n_classes=len(classes),
        classes=classes,
        n_outputs=n_outputs,
        trees=Trees.of(read),
        trees_per_round=1,
        base=np.zeros(n_outputs),
        average=average,
        single_input=True,
    )


def _class_shares(tree: Any, n_classes: int) -> Floats:
    """Return (n_nodes, n_classes) each class's share; a bagged tree may have met only some of them, by number."""
    shares: Floats = tree.tree_.value[:, 0, :]
    if shares.shape[1] == n_classes:
        return shares
    spread = np.zeros((len(shares), n_classes))
    spread[:, np.asarray(tree.classes_, np.intp)] = shares
    return spread


def _average_path_length(n_rows: int) -> float:
    """Return how deep a row lies on average in a tree of two rows or more: _iforest.py, `_average_path_length`."""
    if n_rows == 2:
        return 1.0
    return float(2.0 * (np.log(n_rows - 1.0) + np.euler_gamma) - 2.0 * (n_rows - 1.0) / n_rows)
