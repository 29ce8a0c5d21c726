"""The reader of scikit-learn's estimators and the kernel against scikit-learn itself, at hard values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bareboat.forest import reference, write_forest
from bareboat.forest.ir import Ensemble, Transform
from bareboat.forest.readers import ensemble_from_model
from bareboat.runtime.forest import OpenForest, load_forest

ensembles = pytest.importorskip("sklearn.ensemble")
threadpoolctl = pytest.importorskip("threadpoolctl")
HERE = Path(__file__).parent

_CASES = """\
decision tree
decision tree of two targets
tree of one leaf
extra tree
tree that classifies
pruned tree
tree of at most 20 leaves
monotone tree
random forest
random forest of two targets
random forest by absolute error
random forest that classifies
balanced random forest
extra trees
extra trees that classify
bagged trees
bagged trees that classify
bagged trees that met few classes
gradient boosting
gradient boosting, huber
gradient boosting, absolute error
gradient boosting, quantile
gradient boosting from zero
gradient boosting from a median
gradient boosting of a probability
gradient boosting, exponential
gradient boosting of three classes
gradient boosting from the likeliest class
histogram
histogram, few leaves
histogram without a split
histogram, absolute error
histogram, quantile
histogram, poisson
histogram, gamma
histogram of a probability
histogram of three classes
stopped early
AdaBoost
AdaBoost of three classes
AdaBoost that stopped at a perfect tree
isolation forest
isolation forest of some columns
isolation forest of two rows
"""
CASES = _CASES.splitlines()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Let scikit-learn warn of huge values that it casts and of estimators that stop early, and keep to one thread.

    OpenMP's threads spin while they wait for one another, for minutes where the cores are shared.
    """
    with warnings.catch_warnings(), threadpoolctl.threadpool_limits(1):
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def models(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "sklearn_models.py")


def opened(ensemble: Ensemble, folder: Path) -> OpenForest:
    write_forest(ensemble, folder / "model.forest")
    return load_forest(str(folder / "model.forest"))


def raw_oracle(estimator: Any, ensemble: Ensemble, rows: np.ndarray) -> np.ndarray | None:
    """Return scikit-learn's own sums before the transform, (n, n_outputs), or None when it does not give them."""
    if hasattr(estimator, "_raw_predict"):
        return np.asarray(estimator._raw_predict(rows.astype(np.float32) if ensemble.single_input else rows))
    return None


def output_oracle(estimator: Any, ensemble: Ensemble, rows: np.ndarray) -> np.ndarray:
    if ensemble.transform is Transform.ISOLATION:
        return np.asarray(estimator.score_samples(rows)).reshape(-1, 1)
    scores = estimator.predict_proba(rows) if ensemble.is_classifier else estimator.predict(rows)
    return np.asarray(scores).reshape(len(rows), -1)


def outputs_of(ensemble: Ensemble, outputs: np.ndarray) -> np.ndarray:
    """Undo the last step of an isolation forest: where it ends near 0, an ulp of the power before it is many."""
    return outputs + ensemble.parameters[1] if ensemble.transform is Transform.ISOLATION else outputs


def ulps_apart(mine: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.max(np.abs(mine - theirs) / np.spacing(np.maximum(np.abs(theirs), 1e-300))))


@pytest.mark.parametrize("name", CASES)
def test_scores_are_those_of_sklearn(name: str, models: ModuleType, samples: ModuleType, tmp_path: Path) -> None:
    estimator = models.fitted(name)
    ensemble = ensemble_from_model(estimator)
    rows = models.taken(name, np.array(samples.hard_rows(ensemble, 7, 400)))

    forest = opened(ensemble, tmp_path)
    raw = np.array(forest.raw_scores(rows.tolist()))
    outputs = outputs_of(ensemble, np.array(forest.predict_many(rows.tolist())))

    oracle = raw_oracle(estimator, ensemble, rows)
    assert oracle is None or np.array_equal(raw, oracle)
    assert ulps_apart(outputs, output_oracle(estimator, ensemble, rows)) <= 1.0
    if ensemble.transform is Transform.IDENTITY:
        assert np.array_equal(outputs, output_oracle(estimator, ensemble, rows))


@pytest.mark.parametrize("name", CASES)
def test_the_reference_agrees_with_sklearn(name: str, models: ModuleType, samples: ModuleType) -> None:
    estimator = models.fitted(name, seed=1)
    ensemble = ensemble_from_model(estimator)
    rows = models.taken(name, np.array(samples.hard_rows(ensemble, 8, 60)))

    outputs = outputs_of(ensemble, np.array(reference.predict(ensemble, rows.tolist())))

    if ensemble.n_classes > ensemble.n_outputs:
        outputs = np.hstack([1.0 - outputs, outputs])
    assert ulps_apart(outputs, output_oracle(estimator, ensemble, rows)) <= 1.0


@pytest.mark.parametrize("name", [name for name in CASES if "AdaBoost" in name])
def test_votes_give_the_decision_function_of_ada_boost(name: str, models: ModuleType, samples: ModuleType) -> None:
    estimator = models.fitted(name)
    ensemble = ensemble_from_model(estimator)
    rows = models.taken(name, np.array(samples.hard_rows(ensemble, 9, 60)))

    votes = np.array(reference.raw_scores(ensemble, rows.tolist())) / ensemble.parameters[0]

    decision = votes[:, 1] - votes[:, 0] if votes.shape[1] == 2 else votes
    assert np.array_equal(decision, estimator.decision_function(rows))


def test_cases_are_all_tested(models: ModuleType) -> None:
    assert sorted(models.CASES) == sorted(CASES)


APPLIED = [name for name in CASES if not any(word in name for word in ("histogram", "stopped", "Ada", "bag", "isol"))]


@pytest.mark.parametrize("name", APPLIED)
def test_leaf_ids_are_what_apply_returns(name: str, models: ModuleType, samples: ModuleType) -> None:
    estimator = models.fitted(name)
    ensemble = ensemble_from_model(estimator)
    rows = models.taken(name, np.array(samples.hard_rows(ensemble, 10, 40)))

    trees = [ensemble.trees[number] for number in range(ensemble.n_trees)]
    ids = [
        [tree.leaf_id[leaf] for tree, leaf in zip(trees, reference.leaves(ensemble, row), strict=True)]
        for row in rows.tolist()
    ]

    assert np.array_equal(ids, estimator.apply(rows).reshape(len(rows), -1))


@pytest.mark.parametrize("name", [name for name in APPLIED if "tree of one leaf" not in name])
def test_gains_add_up_to_the_importances_of_sklearn(name: str, models: ModuleType) -> None:
    estimator = models.fitted(name)

    ensemble = ensemble_from_model(estimator)

    importances = []
    for number in range(ensemble.n_trees):
        tree = ensemble.trees[number]
        if tree.n_splits:
            gains = np.bincount(tree.feature, tree.split_gain, ensemble.n_features) / tree.split_cover[0]
            is_boosted = name.startswith("gradient boosting")
            importances.append(gains if is_boosted else gains / gains.sum())
    mean = np.mean(importances, axis=0)
    assert np.allclose(mean / mean.sum(), estimator.feature_importances_, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["balanced random forest", "gradient boosting", "histogram of a probability"])
def test_covers_of_branches_add_up(name: str, models: ModuleType) -> None:
    ensemble = ensemble_from_model(models.fitted(name))

    for number in range(ensemble.n_trees):
        tree = ensemble.trees[number]
        cover = np.concatenate([tree.split_cover, tree.leaf_cover[::-1]])  # so that ~leaf counts from the end
        assert np.allclose(cover[tree.left] + cover[tree.right], tree.split_cover, rtol=1e-9)
