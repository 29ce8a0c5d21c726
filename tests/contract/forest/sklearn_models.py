"""scikit-learn's trees and ensembles of trees, fitted in the test, and the rows that each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import ensemble, tree
from sklearn.dummy import DummyClassifier, DummyRegressor

N = 300
FLOAT32_MAX = float(np.finfo(np.float32).max)


def columns(rng: np.random.Generator, *, missing: bool) -> np.ndarray:
    """Six columns: plain, of few values, tiny, huge; NaN in all of them or in none."""
    x = rng.normal(size=(N, 6))
    x[:, 3] = rng.integers(-2, 3, N)
    x[:, 4] *= 1e-3
    x[:, 5] *= 1e20
    if missing:
        x[rng.random(x.shape) < 0.1] = np.nan
    return x


def number(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.nan_to_num(x[:, 0] + x[:, 1] * x[:, 3] + 2 * np.isnan(x[:, 2])) + rng.normal(size=len(x)) * 0.3


def positive(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.exp(number(x, rng) / 4)


def pair(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.stack([number(x, rng), positive(x, rng)], axis=1)


def yes_no(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where(number(x, rng) > 0, "yes", "no")


def three(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.digitize(number(x, rng), [-0.5, 0.5]) * 10


def nothing(x: np.ndarray, rng: np.random.Generator) -> None:
    return None


Case = tuple[Callable[[], Any], Callable[[np.ndarray, np.random.Generator], Any], bool]


def _tree(depth: int) -> tree.DecisionTreeClassifier:
    return tree.DecisionTreeClassifier(max_depth=depth, random_state=0)


# name: (estimator, target, whether it takes NaN)
CASES: dict[str, Case] = {
    "decision tree": (lambda: tree.DecisionTreeRegressor(random_state=0), number, True),
    "decision tree of two targets": (lambda: tree.DecisionTreeRegressor(max_depth=4), pair, True),
    "tree of one leaf": (lambda: tree.DecisionTreeRegressor(min_samples_leaf=200), number, True),
    "extra tree": (lambda: tree.ExtraTreeRegressor(random_state=0), number, True),
    "tree that classifies": (lambda: _tree(5), three, True),
    "pruned tree": (lambda: tree.DecisionTreeClassifier(ccp_alpha=0.005), yes_no, True),
    "tree of at most 20 leaves": (lambda: tree.DecisionTreeClassifier(max_leaf_nodes=20), yes_no, True),
    "monotone tree": (lambda: tree.DecisionTreeClassifier(monotonic_cst=[1, 0, 0, 0, 0, 0]), yes_no, False),
    "random forest": (lambda: ensemble.RandomForestRegressor(15, n_jobs=1), number, True),
    "random forest of two targets": (lambda: ensemble.RandomForestRegressor(9, n_jobs=1), pair, True),
    "random forest by absolute error": (
        lambda: ensemble.RandomForestRegressor(5, criterion="absolute_error", max_depth=4),
        number,
        True,
    ),
    "random forest that classifies": (lambda: ensemble.RandomForestClassifier(15, n_jobs=1), three, True),
    "balanced random forest": (
        lambda: ensemble.RandomForestClassifier(7, class_weight="balanced", criterion="entropy", max_depth=5),
        yes_no,
        True,
    ),
    "extra trees": (lambda: ensemble.ExtraTreesRegressor(9, n_jobs=1), number, True),
    "extra trees that classify": (lambda: ensemble.ExtraTreesClassifier(9, n_jobs=1), yes_no, True),
    "bagged trees": (lambda: ensemble.BaggingRegressor(n_estimators=7, max_features=0.5), number, True),
    "bagged trees that classify": (
        lambda: ensemble.BaggingClassifier(_tree(4), n_estimators=7, max_features=0.5, bootstrap_features=True),
        three,
        True,
    ),
    "bagged trees that met few classes": (
        lambda: ensemble.BaggingClassifier(_tree(4), n_estimators=25, max_samples=3, random_state=0),
        three,
        True,
    ),
    "gradient boosting": (lambda: ensemble.GradientBoostingRegressor(n_estimators=12), number, False),
    "gradient boosting, huber": (
        lambda: ensemble.GradientBoostingRegressor(loss="huber", n_estimators=12, subsample=0.6, max_depth=5),
        number,
        False,
    ),
    "gradient boosting, absolute error": (
        lambda: ensemble.GradientBoostingRegressor(loss="absolute_error", n_estimators=12),
        number,
        False,
    ),
    "gradient boosting, quantile": (
        lambda: ensemble.GradientBoostingRegressor(loss="quantile", alpha=0.2, n_estimators=12, learning_rate=0.37),
        number,
        False,
    ),
    "gradient boosting from zero": (
        lambda: ensemble.GradientBoostingRegressor(init="zero", n_estimators=12),
        number,
        False,
    ),
    "gradient boosting from a median": (
        lambda: ensemble.GradientBoostingRegressor(init=DummyRegressor(strategy="median"), n_estimators=5),
        number,
        False,
    ),
    "gradient boosting of a probability": (
        lambda: ensemble.GradientBoostingClassifier(n_estimators=12),
        yes_no,
        False,
    ),
    "gradient boosting, exponential": (
        lambda: ensemble.GradientBoostingClassifier(loss="exponential", n_estimators=12),
        yes_no,
        False,
    ),
    "gradient boosting of three classes": (
        lambda: ensemble.GradientBoostingClassifier(n_estimators=8),
        three,
        False,
    ),
    "gradient boosting from the likeliest class": (
        lambda: ensemble.GradientBoostingClassifier(init=DummyClassifier(strategy="most_frequent"), n_estimators=8),
        three,
        False,
    ),
    "histogram": (lambda: ensemble.HistGradientBoostingRegressor(max_iter=12), number, True),
    "histogram, few leaves": (
        lambda: ensemble.HistGradientBoostingRegressor(max_iter=12, max_leaf_nodes=4, min_samples_leaf=3),
        number,
        False,
    ),
    "histogram without a split": (
        lambda: ensemble.HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=200),
        number,
        True,
    ),
    "histogram, absolute error": (
        lambda: ensemble.HistGradientBoostingRegressor(loss="absolute_error", max_iter=12),
        number,
        True,
    ),
    "histogram, quantile": (
        lambda: ensemble.HistGradientBoostingRegressor(loss="quantile", quantile=0.3, max_iter=12),
        number,
        True,
    ),
    "histogram, poisson": (
        lambda: ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=12),
        positive,
        True,
    ),
    "histogram, gamma": (lambda: ensemble.HistGradientBoostingRegressor(loss="gamma", max_iter=12), positive, True),
    "histogram of a probability": (
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=12, min_samples_leaf=3),
        yes_no,
        True,
    ),
    "histogram of three classes": (
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=3),
        three,
        True,
    ),
    "stopped early": (
        lambda: ensemble.HistGradientBoostingClassifier(early_stopping=True, n_iter_no_change=2, max_iter=60),
        yes_no,
        True,
    ),
    "AdaBoost": (lambda: ensemble.AdaBoostClassifier(n_estimators=15), yes_no, False),
    "AdaBoost of three classes": (
        lambda: ensemble.AdaBoostClassifier(_tree(3), n_estimators=15, learning_rate=0.7),
        three,
        False,
    ),
    "AdaBoost that stopped at a perfect tree": (
        lambda: ensemble.AdaBoostClassifier(_tree(30), n_estimators=15),
        yes_no,
        False,
    ),
    "isolation forest": (lambda: ensemble.IsolationForest(n_estimators=15), nothing, True),
    "isolation forest of some columns": (
        lambda: ensemble.IsolationForest(n_estimators=15, max_features=3, contamination=0.1),
        nothing,
        True,
    ),
    "isolation forest of two rows": (
        lambda: ensemble.IsolationForest(n_estimators=15, max_samples=2),
        nothing,
        True,
    ),
}


def fitted(name: str, *, seed: int = 0) -> Any:
    """Fit one case; with NaN in its rows where it takes it."""
    make, target, missing = CASES[name]
    rng = np.random.default_rng(seed)
    x = columns(rng, missing=missing)
    y = target(x, rng)
    estimator = make()
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=seed)
    return estimator.fit(x) if y is None else estimator.fit(x, y)


def taken(name: str, rows: np.ndarray) -> np.ndarray:
    """Return the rows without what this case's `predict` refuses: all but the histogram ones refuse infinities."""
    if "histogram" in name or "stopped early" in name:
        return rows
    with np.errstate(invalid="ignore"):
        rows = np.clip(rows, -FLOAT32_MAX, FLOAT32_MAX)
    return rows if CASES[name][2] else np.where(np.isnan(rows), 0.25, rows)
