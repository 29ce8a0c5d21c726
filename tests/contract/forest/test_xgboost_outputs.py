"""Outputs of XGBoost models: every objective's base margin to the bit, and its link function within one ulp."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bareboat.forest import reference, write_forest
from bareboat.forest.readers import read_ensemble
from bareboat.runtime.forest import load_forest

xgboost = pytest.importorskip("xgboost")
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def models(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "xgboost_models.py")


def is_high(target: np.ndarray) -> np.ndarray:
    return target > 0.6


def classes(target: np.ndarray) -> np.ndarray:
    return np.digitize(target, [0.3, 0.6])


def positive(target: np.ndarray) -> np.ndarray:
    return target + 0.01


def counts(target: np.ndarray) -> np.ndarray:
    return np.floor(target * 9)


def survival(target: np.ndarray) -> np.ndarray:
    return np.where(target > 0.5, 1.0, -1.0) * (target + 0.01)


OBJECTIVES: list[tuple[str, dict[str, Any], Any]] = [
    ("reg:squarederror", {}, None),
    ("reg:squaredlogerror", {}, None),
    ("reg:pseudohubererror", {}, None),
    ("reg:absoluteerror", {}, None),
    ("reg:quantileerror", {"quantile_alpha": 0.3}, None),
    ("reg:quantileerror", {"quantile_alpha": [0.1, 0.5, 0.9]}, None),
    ("reg:logistic", {}, None),
    ("binary:logistic", {}, is_high),
    ("binary:logistic", {"base_score": 0.123}, is_high),
    ("binary:logistic", {"scale_pos_weight": 3.0}, is_high),
    ("binary:logitraw", {}, is_high),
    ("binary:hinge", {}, is_high),
    ("count:poisson", {}, counts),
    ("reg:gamma", {}, positive),
    ("reg:tweedie", {"tweedie_variance_power": 1.3}, counts),
    ("survival:cox", {}, survival),
    ("multi:softprob", {"num_class": 3}, classes),
    ("rank:pairwise", {}, classes),
    ("rank:ndcg", {}, classes),
    ("rank:map", {}, is_high),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("objective", "parameters", "label"), OBJECTIVES)
def test_outputs_are_xgboosts_within_one_ulp(
    models: ModuleType, tmp_path: Path, objective: str, parameters: dict[str, Any], label: Any, seed: int
) -> None:
    values, target = models.data(seed)
    matrix = xgboost.DMatrix(values, target if label is None else label(target), nthread=1)
    if objective.startswith("rank"):
        matrix.set_info(qid=np.repeat(np.arange(30), 10))
    booster = xgboost.train({"nthread": 1, "objective": objective, **parameters}, matrix, 5)

    check(booster, matrix, values, tmp_path)


def check(booster: Any, matrix: Any, values: np.ndarray, folder: Path) -> None:
    booster.save_model(folder / "model.ubj")
    ensemble = read_ensemble(folder / "model.ubj")
    margins = booster.predict(matrix, output_margin=True).reshape(len(values), -1)
    outputs = booster.predict(matrix).reshape(len(values), -1)
    assert ensemble.objective == booster_objective(booster)
    np.testing.assert_array_equal(np.array(reference.raw_scores(ensemble, values.tolist())), margins)
    ours = np.array(reference.predict(ensemble, values.tolist())).astype(np.float32)
    np.testing.assert_array_max_ulp(ours, outputs, maxulp=1)
    write_forest(ensemble, folder / "m.forest")
    kernel = np.array(load_forest(str(folder / "m.forest")).predict_many(values.tolist()))
    np.testing.assert_array_max_ulp(kernel[:, -outputs.shape[1] :].astype(np.float32), outputs, maxulp=1)


def booster_objective(booster: Any) -> str:
    import json

    return str(json.loads(booster.save_config())["learner"]["objective"]["name"])


def test_survival_times_are_xgboosts(models: ModuleType, tmp_path: Path) -> None:
    values, target = models.data(4)
    matrix = xgboost.DMatrix(values, nthread=1)
    matrix.set_float_info("label_lower_bound", target + 0.01)
    matrix.set_float_info("label_upper_bound", np.where(target > 0.5, np.inf, target + 0.01))
    booster = xgboost.train({"nthread": 1, "objective": "survival:aft", "base_score": 0.7}, matrix, 5)

    check(booster, matrix, values, tmp_path)


def test_classes_of_softmax_are_the_greatest_outputs(models: ModuleType, tmp_path: Path) -> None:
    values, target = models.data(6)
    matrix = xgboost.DMatrix(values, classes(target), nthread=1)
    booster = xgboost.train({"nthread": 1, "objective": "multi:softmax", "num_class": 3}, matrix, 4)
    booster.save_model(tmp_path / "model.json")

    ensemble = read_ensemble(tmp_path / "model.json")

    ours = np.argmax(reference.predict(ensemble, values.tolist()), axis=1)
    np.testing.assert_array_equal(ours, booster.predict(matrix))
    assert (ensemble.n_classes, ensemble.classes) == (3, ())


@pytest.mark.parametrize("scale", [20.0, 60.0, 100.0, 200.0])
def test_far_margins_are_within_one_ulp(models: ModuleType, tmp_path: Path, scale: float) -> None:
    values, target = models.data(7)
    matrix = xgboost.DMatrix(values, is_high(target), nthread=1)
    parameters = {"nthread": 1, "objective": "binary:logistic", "eta": scale, "lambda": 0.0, "max_delta_step": 1.0}
    booster = xgboost.train(parameters, matrix, 2)

    check(booster, matrix, values, tmp_path)


@pytest.mark.parametrize("base", [1e-6, 0.003, 0.25, 0.5, 0.7, 0.9999, 0.999999])
@pytest.mark.parametrize("objective", ["binary:logistic", "count:poisson", "reg:squarederror"])
def test_base_scores_become_xgboosts_margins_to_the_bit(
    models: ModuleType, tmp_path: Path, objective: str, base: float
) -> None:
    values, target = models.data(8)
    matrix = xgboost.DMatrix(values, is_high(target), nthread=1)
    parameters = {"nthread": 1, "objective": objective, "base_score": base, "min_child_weight": 1e9}

    check(xgboost.train(parameters, matrix, 1), matrix, values, tmp_path)


def test_labels_of_a_classifier_are_known(models: ModuleType, tmp_path: Path) -> None:
    values, target = models.data(9)
    binary = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(values, is_high(target).astype(int))
    several = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(values, classes(target))
    many = xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(values, np.stack([is_high(target)] * 2, 1).astype(int))

    found = []
    for number, model in enumerate((binary, several, many)):
        model.save_model(tmp_path / f"{number}.json")
        ensemble = read_ensemble(tmp_path / f"{number}.json")
        found.append((ensemble.n_classes, ensemble.classes, ensemble.n_outputs))
        ours = np.array(reference.predict(ensemble, values[:20].tolist()))
        theirs = model.predict_proba(values[:20])
        expected = theirs[:, 1:] if number == 0 else theirs
        np.testing.assert_array_max_ulp(ours.astype(np.float32), expected, maxulp=1)

    assert found == [(2, (0, 1), 1), (3, (0, 1, 2), 3), (0, (), 2)]
