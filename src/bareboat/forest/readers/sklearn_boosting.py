"""GradientBoosting* and AdaBoostClassifier of scikit-learn -> Ensemble.

Source: scikit-learn, sklearn/ensemble/_gb.py, _gradient_boosting.pyx (`out += learning_rate * value`, in order) and
_weight_boosting.py (SAMME: each tree votes for one class with its weight, against all others with a share of it).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble, Floats, Transform, Trees
from bareboat.forest.readers.sklearn_bagging import CLASSIFIER_TREES, check_tree
from bareboat.forest.readers.sklearn_estimator import (
    attribute,
    class_labels,
    feature_names,
    name_of,
    refuse_option,
)
from bareboat.forest.readers.sklearn_tree import read_tree

# Loss -> (transform of one output, its parameter). Source: the links in sklearn/_loss/loss.py.
_LOSSES: dict[str, tuple[Transform, float]] = {
    "squared_error": (Transform.IDENTITY, 1.0),
    "absolute_error": (Transform.IDENTITY, 1.0),
    "huber": (Transform.IDENTITY, 1.0),
    "quantile": (Transform.IDENTITY, 1.0),
    "log_loss": (Transform.SIGMOID, 1.0),
    "exponential": (Transform.SIGMOID, 2.0),
}
_CONSTANT = ("mean", "median", "quantile", "constant", "prior", "most_frequent", "uniform")
"""The strategies of a DummyRegressor or DummyClassifier that answer every row alike."""


def read_gradient_boosting(boosting: Any, source: str) -> Ensemble:
    """Read a GradientBoosting*.

    Raises:
        ModelError: its loss is not known, or its `init` is a model that does not answer every row alike.
    """
    names = feature_names(boosting)
    if boosting.loss not in _LOSSES:
        raise refuse_option(boosting, "loss", boosting.loss, "one of " + ", ".join(_LOSSES))
    transform, parameter = _LOSSES[boosting.loss]
    classes = class_labels(boosting) if hasattr(boosting, "classes_") else ()
    estimators = attribute(boosting, "estimators_")
    n_outputs = int(estimators.shape[1])
    if n_outputs > 1:
        transform = Transform.SOFTMAX
    trees = [
        read_tree(tree.tree_, float(boosting.learning_rate) * tree.tree_.value[:, 0, 0], missing=False, output=output)
        for stage in estimators
        for output, tree in enumerate(stage)
    ]
    return Ensemble(
        feature_names=names,
        categories=(None,) * len(names),
        objective=str(boosting.loss),
        source=source,
        transform=transform,
        parameters=(parameter,),
        n_classes=len(classes),
        classes=classes,
        n_outputs=n_outputs,
        trees=Trees.of(trees),
        trees_per_round=n_outputs,
        base=_start(boosting, len(names), n_outputs),
        single_input=True,
    )


def read_ada_boost(boosting: Any, source: str) -> Ensemble:
    """Read an AdaBoostClassifier of decision trees.

    Raises:
        ModelError: what is boosted is no tree, or its trees were boosted by SAMME.R, which old releases had.
    """
    names = feature_names(boosting)
    if getattr(boosting, "algorithm", "SAMME") == "SAMME.R":
        raise refuse_option(boosting, "algorithm", "SAMME.R", "SAMME", "fit it with algorithm='SAMME'")
    classes = class_labels(boosting)
    estimators = attribute(boosting, "estimators_")
    weights: Floats = attribute(boosting, "estimator_weights_")
    trees = []
    for estimator, weight in zip(estimators, weights.tolist(), strict=False):  # weights has room for every round
        check_tree(boosting, estimator, CLASSIFIER_TREES)
        chosen = estimator.classes_.take(estimator.tree_.value[:, 0, :].argmax(axis=1))
        is_chosen = chosen[:, np.newaxis] == boosting.classes_
        trees.append(read_tree(estimator.tree_, np.where(is_chosen, weight, -1 / (len(classes) - 1) * weight)))
    return Ensemble(
        feature_names=names,
        categories=(None,) * len(names),
        objective="SAMME",
        source=source,
        transform=Transform.SAMME,
        parameters=(float(weights.sum()),),
        n_classes=len(classes),
        classes=classes,
        n_outputs=len(classes),
        trees=Trees.of(trees),
        trees_per_round=1,
        base=np.zeros(len(classes)),
        single_input=True,
    )


def refuse_ada_boost_regressor(boosting: Any, _source: str) -> Ensemble:
    """Refuse an AdaBoostRegressor.

    Raises:
        ModelError: always.
    """
    raise ModelError(
        f"{name_of(boosting)}, which answers with the weighted median of its trees",
        expected="trees whose answers are added up",
        fix="fit a GradientBoostingRegressor or a HistGradientBoostingRegressor",
    )


def _start(boosting: Any, n_features: int, n_outputs: int) -> Floats:
    """Return (n_outputs,) what `init` answers to every row, as scikit-learn itself works it out."""
    init = attribute(boosting, "init_")
    if isinstance(init, str) and init == "zero":
        return np.zeros(n_outputs)
    is_dummy = name_of(init) in ("DummyRegressor", "DummyClassifier") and type(init).__module__ == "sklearn.dummy"
    if not is_dummy or init.strategy not in _CONSTANT:
        shown = f"{name_of(init)}(strategy={init.strategy!r})" if is_dummy else name_of(init)
        raise refuse_option(
            boosting,
            "init",
            shown,
            "an init that answers every row alike: None, 'zero', or a DummyRegressor or DummyClassifier",
            "fit it without init",
        )
    start: Floats = boosting._raw_predict_init(np.zeros((1, n_features), np.float32))[0]
    return start.astype(np.float64)
