"""Margins and leaves of XGBoost models, equal to XGBoost's own to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bareboat.forest import forest_bytes, reference, write_forest
from bareboat.forest.ir import Ensemble
from bareboat.forest.readers import read_ensemble
from bareboat.runtime.forest import load_forest

pytest.importorskip("xgboost")
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def models(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "xgboost_models.py")


def saved(booster: Any, folder: Path, ending: str) -> Ensemble:
    path = folder / f"model.{ending}"
    booster.save_model(path)
    return read_ensemble(path)


def our_margins(ensemble: Ensemble, rows: np.ndarray) -> np.ndarray:
    return np.array(reference.raw_scores(ensemble, rows.tolist()))


def kernel_margins(ensemble: Ensemble, rows: np.ndarray, folder: Path) -> np.ndarray:
    write_forest(ensemble, folder / "m.forest")
    return np.array(load_forest(str(folder / "m.forest")).raw_scores(rows.tolist()))


def our_leaves(ensemble: Ensemble, rows: np.ndarray) -> np.ndarray:
    ids = [ensemble.trees[number].leaf_id for number in range(ensemble.n_trees)]
    return np.array(
        [[each[leaf] for each, leaf in zip(ids, reference.leaves(ensemble, row), strict=True)] for row in rows.tolist()]
    )


def two_targets(target: np.ndarray) -> np.ndarray:
    return np.stack([target, 1.0 - target**2], axis=1)


def three_classes(target: np.ndarray) -> np.ndarray:
    return np.digitize(target, [0.35, 0.65])


GRID: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("hist", {"max_depth": 5}, {}),
    ("exact and pruned", {"tree_method": "exact", "max_depth": 6, "gamma": 0.3}, {}),
    ("approx", {"tree_method": "approx"}, {}),
    ("one leaf", {"min_child_weight": 1e9}, {}),
    ("lossguide", {"grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0, "min_child_weight": 0}, {}),
    ("random forest", {"num_parallel_tree": 3, "subsample": 0.5, "colsample_bynode": 0.6}, {}),
    ("dart", {"booster": "dart", "rate_drop": 0.5, "one_drop": 1}, {}),
    ("dart forest", {"booster": "dart", "rate_drop": 0.5, "normalize_type": "forest"}, {}),
    ("one-hot categories", {"max_cat_to_onehot": 100}, {"categories": 7}),
    ("partitions", {"max_cat_to_onehot": 1, "min_child_weight": 0}, {"categories": 70}),
    ("dart with categories", {"booster": "dart", "rate_drop": 0.5}, {"categories": 20}),
    ("classes", {"objective": "multi:softprob", "num_class": 3}, {"label": three_classes}),
    (
        "forests of classes",
        {"objective": "multi:softmax", "num_class": 3, "num_parallel_tree": 2, "subsample": 0.5},
        {"label": three_classes},
    ),
    (
        "dart of classes",
        {"booster": "dart", "rate_drop": 0.5, "objective": "multi:softprob", "num_class": 3},
        {"label": three_classes},
    ),
    ("targets", {}, {"label": two_targets}),
    ("vector leaves", {"multi_strategy": "multi_output_tree"}, {"label": two_targets}),
    (
        "vector leaves of classes",
        {"multi_strategy": "multi_output_tree", "objective": "multi:softprob", "num_class": 3},
        {"label": three_classes},
    ),
    (
        "forests of vector leaves",
        {"multi_strategy": "multi_output_tree", "num_parallel_tree": 2, "subsample": 0.6},
        {"label": two_targets},
    ),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("parameters", "more"), [each[1:] for each in GRID], ids=[each[0] for each in GRID])
def test_margins_and_leaves_are_xgboosts_to_the_bit(
    models: ModuleType, tmp_path: Path, parameters: dict[str, Any], more: dict[str, Any], seed: int
) -> None:
    booster = models.train(parameters, seed, **more)
    rows = models.hard_rows(booster, seed)
    plain = models.finite(rows)
    matrix = models.matrix(booster, plain)

    ensemble = saved(booster, tmp_path, "json")

    if parameters.get("booster") != "dart":
        np.testing.assert_array_equal(our_margins(ensemble, rows), models.margins(booster, rows))
    expected = booster.predict(matrix, output_margin=True).reshape(len(plain), -1)
    np.testing.assert_array_equal(our_margins(ensemble, plain), expected)
    np.testing.assert_array_equal(kernel_margins(ensemble, rows, tmp_path), our_margins(ensemble, rows))
    expected_leaves = booster.predict(matrix, pred_leaf=True).reshape(len(plain), -1)
    np.testing.assert_array_equal(our_leaves(ensemble, plain), expected_leaves)
    assert ensemble.n_rounds == booster.num_boosted_rounds()
    assert forest_bytes(saved(booster, tmp_path, "ubj")) == forest_bytes(ensemble)


def test_a_model_that_stopped_early_predicts_as_xgbmodel_does(models: ModuleType, tmp_path: Path) -> None:
    import xgboost

    values, target = models.data(3)
    model = xgboost.XGBRegressor(n_estimators=50, learning_rate=0.9, early_stopping_rounds=5, n_jobs=1)
    model.fit(values[:200], target[:200], eval_set=[(values[200:], target[200:])], verbose=False)

    ensemble = saved(model, tmp_path, "json")

    assert ensemble.n_rounds == model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    assert "best_iteration" in ensemble.notes[0]
    np.testing.assert_array_equal(our_margins(ensemble, values)[:, 0], model.predict(values))


def test_names_of_categories_are_coded_as_xgboost_codes_a_frame(models: ModuleType, tmp_path: Path) -> None:
    import pandas as pd
    import xgboost

    values, target = models.frame(0)
    model = xgboost.XGBRegressor(n_estimators=8, enable_categorical=True, max_cat_to_onehot=1, n_jobs=1)
    model.fit(values, target)
    other = values.sample(50, random_state=1)
    # Another order of categories, as another frame may have it: XGBoost finds each by name.
    other.loc[other.index[::9], "colour"] = None
    other["colour"] = other["colour"].cat.set_categories(["", "blue", "green", "red"])

    for ending in ("json", "ubj"):
        ensemble = saved(model, tmp_path, ending)

        assert ensemble.feature_names == ("x", "colour", "size")
        assert ensemble.categories == (None, ("red", "green", "unused", "blue", ""), (35, 10, 20))
        coded = [
            [
                row.x,
                np.nan if pd.isna(row.colour) else ensemble.categories[1].index(row.colour),
                ensemble.categories[2].index(row.size),
            ]
            for row in other.itertuples(index=False)
        ]
        np.testing.assert_array_equal(our_margins(ensemble, np.array(coded))[:, 0], model.predict(other))


def test_categories_that_xgboost_loses_are_told(tmp_path: Path) -> None:
    import pandas as pd
    import xgboost

    values = pd.DataFrame({"farbe": pd.Categorical(["rot", "grün", "blau"] * 20), "x": range(60)})
    model = xgboost.XGBRegressor(n_estimators=2, enable_categorical=True, n_jobs=1).fit(values, np.arange(60.0))

    ensemble = saved(model, tmp_path, "json")

    assert ensemble.categories == (None, None)
    assert "'farbe'" in ensemble.notes[0]
    codes = np.stack([values["farbe"].cat.codes, values["x"]], axis=1).astype(float)
    np.testing.assert_array_equal(our_margins(ensemble, codes)[:, 0], model.predict(values))


def test_statistics_are_those_of_xgboosts_dump(models: ModuleType, tmp_path: Path) -> None:
    booster = models.train({"max_depth": 4, "objective": "binary:logistic"}, 5, label=lambda target: target > 0.5)
    frame = booster.trees_to_dataframe()

    trees = saved(booster, tmp_path, "ubj").trees

    splits = frame[frame["Feature"] != "Leaf"]
    leaves = frame[frame["Feature"] == "Leaf"]
    np.testing.assert_allclose(trees.split_gain, splits["Gain"], rtol=1e-6)
    np.testing.assert_allclose(trees.split_cover, splits["Cover"], rtol=1e-6)
    np.testing.assert_allclose(trees.leaf_cover, leaves["Cover"], rtol=1e-6)
    np.testing.assert_array_equal(trees.leaf_id, leaves["Node"])
