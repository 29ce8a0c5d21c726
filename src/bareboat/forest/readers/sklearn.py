"""A fitted scikit-learn estimator -> Ensemble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bareboat.forest.ir import Ensemble
from bareboat.forest.readers.reader import Opener
from bareboat.forest.readers.sklearn_bagging import (
    read_bagging,
    read_forest,
    read_isolation_forest,
    read_single_tree,
)
from bareboat.forest.readers.sklearn_boosting import (
    read_ada_boost,
    read_gradient_boosting,
    refuse_ada_boost_regressor,
)
from bareboat.forest.readers.sklearn_estimator import check_version, name_of
from bareboat.forest.readers.sklearn_histogram import read_hist_gradient_boosting

EXTRACTORS: dict[str, Callable[[Any, str], Ensemble]] = {
    "AdaBoostClassifier": read_ada_boost,
    "AdaBoostRegressor": refuse_ada_boost_regressor,
    "BaggingClassifier": read_bagging,
    "BaggingRegressor": read_bagging,
    "DecisionTreeClassifier": read_single_tree,
    "DecisionTreeRegressor": read_single_tree,
    "ExtraTreeClassifier": read_single_tree,
    "ExtraTreeRegressor": read_single_tree,
    "ExtraTreesClassifier": read_forest,
    "ExtraTreesRegressor": read_forest,
    "GradientBoostingClassifier": read_gradient_boosting,
    "GradientBoostingRegressor": read_gradient_boosting,
    "HistGradientBoostingClassifier": read_hist_gradient_boosting,
    "HistGradientBoostingRegressor": read_hist_gradient_boosting,
    "IsolationForest": read_isolation_forest,
    "RandomForestClassifier": read_forest,
    "RandomForestRegressor": read_forest,
}
"""By the name of scikit-learn's class."""


def read_estimator(estimator: Any) -> Ensemble:
    """Turn a fitted estimator of one of the classes in EXTRACTORS into an Ensemble.

    Raises:
        ModelError: it is not fitted, scikit-learn's version is not known, or it predicts in a way that trees which are
            added up cannot; names what was found.
    """
    source = f"sklearn {check_version()} {name_of(estimator)}"
    return EXTRACTORS[name_of(estimator)](estimator, source)


SKLEARN_ESTIMATOR = Opener(package="sklearn", classes=tuple(EXTRACTORS), open=read_estimator)
