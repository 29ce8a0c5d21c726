"""Categorical features of HistGradientBoosting, which reorders and encodes its columns, against scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.forest import reference, write_forest
from bareboat.forest.ir import Ensemble, Rule
from bareboat.forest.readers import ensemble_from_model
from bareboat.runtime.forest import load_forest

ensembles = pytest.importorskip("sklearn.ensemble")
pandas = pytest.importorskip("pandas")
threadpoolctl = pytest.importorskip("threadpoolctl")
N = 400


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Keep OpenMP's threads from spinning while they wait for one another."""
    with threadpoolctl.threadpool_limits(1):
        yield


def target(codes: np.ndarray, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.nan_to_num(codes % 3) * 2 + x + rng.normal(size=len(x)) * 0.2


def kernel_outputs(ensemble: Ensemble, rows: list[list[float]], folder: Path) -> np.ndarray:
    write_forest(ensemble, folder / "model.forest")
    return np.array(load_forest(str(folder / "model.forest")).raw_scores(rows))


@pytest.mark.parametrize("n_categories", [2, 5, 40, 200])
def test_whole_numbers_are_scored_as_they_are(n_categories: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(n_categories)
    x = rng.normal(size=(N, 4))
    x[:, 2] = rng.integers(0, n_categories, N) * 7
    x[rng.random(N) < 0.1, 2] = np.nan
    x[:, 1] = rng.integers(1, 4, N)
    model = ensembles.HistGradientBoostingRegressor(categorical_features=[1, 2], max_iter=15, min_samples_leaf=2)
    model.fit(x, target(x[:, 2], x[:, 0], rng))
    rows = x.copy()
    hard = [math.nan, -0.0, -1.0, 3.0, 7.0, 7.5, 14.0, 1e300, -1e300, 2.0**31, 2.0**32 + 7, 256 + 7.0, 5e-324, 1400.0]
    rows[:, 2] = rng.choice([*hard, *x[:20, 2]], N)
    rows[:, 1] = rng.choice([0.0, 1.0, 2.0, 3.0, 4.0, math.nan, 1.5], N)

    ensemble = ensemble_from_model(model)

    assert (ensemble.trees.rule == Rule.CATEGORY_WHOLE).any()
    assert ensemble.categories == (None,) * 4
    assert np.array_equal(kernel_outputs(ensemble, rows.tolist(), tmp_path)[:, 0], model.predict(rows))


def coded(ensemble: Ensemble, frame: Any) -> list[list[float]]:
    """Turn named categories into codes, as requests are: unknown ones and missing ones become NaN."""
    columns = []
    for values, names in zip((frame[name].tolist() for name in frame), ensemble.categories, strict=True):
        codes = {name: float(code) for code, name in enumerate(names or ())}
        columns.append([codes.get(each, math.nan) if names else float(each) for each in values])
    return [list(row) for row in zip(*columns, strict=True)]


def test_named_categories_are_coded_and_columns_keep_their_order(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(N, 4))
    codes = rng.integers(0, 30, N).astype(float)
    frame = pandas.DataFrame(x, columns=list("abcd"))
    frame["b"] = pandas.Categorical([None if rng.random() < 0.1 else f"c{code:g}" for code in codes])
    frame["d"] = pandas.Categorical(rng.choice(["x", "y"], N))
    model = ensembles.HistGradientBoostingClassifier(
        categorical_features="from_dtype", max_iter=10, min_samples_leaf=2
    ).fit(frame, np.digitize(target(codes, x[:, 0], rng), [1, 3]))
    asked = frame.copy()
    asked["b"] = pandas.Categorical(rng.choice(["c0", "c1", "c7", "c29", "unheard-of", None], N))
    asked["d"] = pandas.Categorical(rng.choice(["x", "y", "z"], N))

    ensemble = ensemble_from_model(model)

    assert ensemble.feature_names == ("a", "b", "c", "d")
    assert ensemble.categories[0] is None
    assert ensemble.categories[1] == tuple(sorted(f"c{code}" for code in range(30)))
    assert ensemble.categories[3] == ("x", "y")
    assert set(ensemble.trees.feature[ensemble.trees.rule == Rule.CATEGORY_WHOLE].tolist()) == {1, 3}
    scores = kernel_outputs(ensemble, coded(ensemble, asked), tmp_path)
    assert np.array_equal(scores, model.decision_function(asked))


def test_negative_and_broken_numbers_are_named_categories(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(N, 2))
    x[:, 0] = rng.integers(-3, 5, N) / 2
    model = ensembles.HistGradientBoostingRegressor(categorical_features=[0], max_iter=10, min_samples_leaf=2)
    model.fit(x, target(x[:, 0] * 2, x[:, 1], rng))
    frame = pandas.DataFrame({"x0": rng.choice([-1.5, -1.0, 0.0, 2.0, 0.25, 9.0, math.nan], N), "x1": x[:, 1]})

    ensemble = ensemble_from_model(model)

    assert ensemble.categories[0] == (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
    scores = kernel_outputs(ensemble, coded(ensemble, frame), tmp_path)[:, 0]
    assert np.array_equal(scores, model.predict(frame.to_numpy()))


def test_large_numbers_are_named_categories() -> None:
    rng = np.random.default_rng(7)
    x = np.stack([rng.choice([94103.0, 10115.0, 70000.0], N), rng.normal(size=N)], axis=1)
    model = ensembles.HistGradientBoostingRegressor(categorical_features=[0], max_iter=3, min_samples_leaf=2)

    ensemble = ensemble_from_model(model.fit(x, x[:, 0] / 1e4 + x[:, 1]))

    assert ensemble.categories[0] == (10115.0, 70000.0, 94103.0)
    codes = [[0.0, 0.5], [1.0, 0.5], [2.0, 0.5]]
    asked = np.array([[10115.0, 0.5], [70000.0, 0.5], [94103.0, 0.5]])
    assert np.array_equal(np.ravel(reference.raw_scores(ensemble, codes)), model.predict(asked))


def test_booleans_stay_booleans() -> None:
    rng = np.random.default_rng(8)
    frame = pandas.DataFrame({"flag": rng.random(N) < 0.5, "x": rng.normal(size=N)})
    model = ensembles.HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=2, categorical_features=["flag"])

    ensemble = ensemble_from_model(model.fit(frame, frame["flag"].astype(float) + frame["x"]))

    assert ensemble.categories == ((False, True), None)
    assert type(ensemble.categories[0][0]) is bool
