"""Live XGBoost models and pickles of them: what their own predict says, early stopping, labels and missing included."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest import forest_bytes, reference
from bareboat.forest.readers import ensemble_from_model, read_ensemble
from bareboat.runtime.forest import open_forest

xgboost = pytest.importorskip("xgboost")
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def models(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    return load_file(HERE / "xgboost_models.py")


def in_process(model: Any, _folder: Path) -> Any:
    return ensemble_from_model(model)


def in_child(model: Any, folder: Path) -> Any:
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    return read_ensemble(folder / "model.pkl")


OPENED = pytest.mark.parametrize("opened", [in_process, in_child])


@OPENED
def test_a_classifier_predicts_as_itself(
    models: ModuleType, tmp_path: Path, opened: Callable[[Any, Path], Any]
) -> None:
    values, target = models.data(0)
    model = xgboost.XGBClassifier(n_estimators=4, n_jobs=1).fit(values, np.digitize(target, [0.4, 0.6]))

    ensemble = opened(model, tmp_path)

    ours = np.array(reference.predict(ensemble, values.tolist()))
    np.testing.assert_array_max_ulp(ours.astype(np.float32), model.predict_proba(values), maxulp=1)
    assert ensemble.classes == (0, 1, 2)


@OPENED
def test_a_regressor_that_stopped_early_predicts_as_itself(
    models: ModuleType, tmp_path: Path, opened: Callable[[Any, Path], Any]
) -> None:
    values, target = models.data(1)
    model = xgboost.XGBRegressor(n_estimators=40, learning_rate=0.9, early_stopping_rounds=3, n_jobs=1)
    model.fit(values[:200], target[:200], eval_set=[(values[200:], target[200:])], verbose=False)

    ensemble = opened(model, tmp_path)

    np.testing.assert_array_equal(reference.raw_scores(ensemble, values.tolist()), model.predict(values)[:, None])
    assert "best_iteration" in ensemble.notes[0]


@OPENED
def test_a_booster_predicts_as_itself(models: ModuleType, tmp_path: Path, opened: Callable[[Any, Path], Any]) -> None:
    booster = models.train({"objective": "count:poisson"}, 2)
    values, _ = models.data(2)

    ensemble = opened(booster, tmp_path)

    np.testing.assert_array_equal(reference.raw_scores(ensemble, values.tolist()), models.margins(booster, values))


@pytest.mark.parametrize("door", ["", "ctypes"])
def test_both_probabilities_of_one_row_are_the_classifiers(
    models: ModuleType, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one too, which is rounded to float32."""
    monkeypatch.setenv("BAREBOAT_DOOR", door)
    values, target = models.data(5)
    model = xgboost.XGBClassifier(n_estimators=9, n_jobs=1).fit(values, target > 0.5)
    expected = model.predict_proba(values).astype(np.float64)

    forest = open_forest(forest_bytes(ensemble_from_model(model)))

    np.testing.assert_array_equal([forest.predict(row) for row in values.tolist()], expected)
    np.testing.assert_array_equal(forest.predict_many(values.tolist()), expected)
    assert (1.0 - expected[:, 1] != expected[:, 0]).any()


@OPENED
def test_another_missing_value_is_refused(
    models: ModuleType, tmp_path: Path, opened: Callable[[Any, Path], Any]
) -> None:
    values, target = models.data(3)
    model = xgboost.XGBRegressor(n_estimators=2, missing=-999.0, n_jobs=1).fit(np.nan_to_num(values), target)

    with pytest.raises(ModelError, match="takes -999"):
        opened(model, tmp_path)


def test_a_model_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(ModelError, match="a XGBRegressor that is not fitted"):
        ensemble_from_model(xgboost.XGBRegressor())


def test_a_linear_model_is_refused_by_name(models: ModuleType) -> None:
    with pytest.raises(ModelError, match="gblinear"):
        ensemble_from_model(models.train({"booster": "gblinear"}, 4))
