"""Rounds of LightGBM and XGBoost: stages, cut forests, leaves and labels, to the bit."""

from __future__ import annotations

import math

import lightgbm
import numpy as np
import pandas
import pytest
import xgboost
from sklearn.metrics import log_loss, root_mean_squared_error

from bareboat import Forest
from bareboat.errors import InputError

N, N_FEATURES, ROUNDS = 600, 6, 9
OBJECTIVES = {
    "lightgbm": ["regression", "binary", "multiclass", "poisson", "multiclassova", "cross_entropy"],
    "xgboost": ["reg:squarederror", "binary:logistic", "multi:softprob", "count:poisson", "binary:hinge", "reg:gamma"],
}


def data(objective: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(N, N_FEATURES))
    x[rng.random(x.shape) < 0.1] = np.nan
    y = np.nan_to_num(x[:, 0] * 2 + x[:, 1] * x[:, 2]) + rng.normal(scale=0.3, size=N)
    if "multi" in objective:
        return x, np.digitize(y, [-1, 1]).astype(float)
    if "bin" in objective or objective == "cross_entropy":
        return x, (y > 0).astype(float)
    return x, np.abs(y) + 0.1 if "gamma" in objective else np.abs(y).round() if "poisson" in objective else y


def trained(objective: str) -> tuple[lightgbm.Booster, Forest, np.ndarray]:
    x, y = data(objective)
    parameters = {"objective": objective, "verbose": -1, "num_leaves": 9, "num_threads": 1, "seed": 1}
    parameters |= {"num_class": 3} if "multi" in objective else {}
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, y), ROUNDS)
    booster = lightgbm.Booster(model_str=booster.model_to_string())
    return booster, Forest.from_model(booster), x


@pytest.fixture(scope="module", params=OBJECTIVES["lightgbm"])
def lgb(request):
    return trained(request.param)


@pytest.fixture(scope="module", params=OBJECTIVES["xgboost"])
def xgb(request):
    x, y = data(request.param)
    parameters = {"objective": request.param, "max_depth": 4, "nthread": 1, "seed": 1}
    parameters |= {"num_class": 3} if "multi" in request.param else {}
    booster = xgboost.train(parameters, xgboost.DMatrix(x, y), ROUNDS)
    return booster, Forest.from_model(booster), x


def outputs(forest: Forest, rows: np.ndarray) -> np.ndarray:
    """What the framework's predict returns: of two classes, the probability of the second one."""
    if not forest.is_classifier:
        return forest.predict(rows)
    found = forest.predict_proba(rows)
    return found[:, 1] if found.shape[1] == 2 else found


def staged(forest: Forest, rows: np.ndarray) -> list[np.ndarray]:
    if not forest.is_classifier:
        return list(forest.staged_predict(rows))
    return [found[:, 1] if found.shape[1] == 2 else found for found in forest.staged_predict_proba(rows)]


def test_each_stage_is_lightgbms_num_iteration(lgb):
    booster, forest, x = lgb

    found = staged(forest, x)

    assert forest.n_rounds == len(found) == ROUNDS
    for rounds, stage in enumerate(found, start=1):
        np.testing.assert_array_equal(stage, booster.predict(x, num_iteration=rounds))


@pytest.mark.parametrize("rounds", [1, 4, ROUNDS])
def test_a_cut_forest_is_lightgbms_num_iteration(lgb, rounds):
    booster, forest, x = lgb

    cut = forest.truncate(rounds)

    np.testing.assert_array_equal(outputs(cut, x), booster.predict(x, num_iteration=rounds))
    np.testing.assert_array_equal(
        cut.predict(x, raw_score=True), booster.predict(x, num_iteration=rounds, raw_score=True)
    )


def test_leaves_are_lightgbms_pred_leaf(lgb):
    booster, forest, x = lgb

    np.testing.assert_array_equal(forest.apply(x), booster.predict(x, pred_leaf=True))


def test_each_stage_is_xgboosts_iteration_range(xgb):
    booster, forest, x = xgb

    found = staged(forest, x)

    assert len(found) == ROUNDS
    for rounds, stage in enumerate(found, start=1):
        expected = booster.predict(xgboost.DMatrix(x), iteration_range=(0, rounds))
        np.testing.assert_allclose(stage, expected, rtol=1.2e-7)  # an ulp of float32: the exponential's


@pytest.mark.parametrize("rounds", [1, 4, ROUNDS])
def test_a_cut_forest_is_xgboosts_iteration_range(xgb, rounds):
    booster, forest, x = xgb

    cut = forest.truncate(rounds)

    expected = booster.predict(xgboost.DMatrix(x), iteration_range=(0, rounds), output_margin=True)
    np.testing.assert_array_equal(cut.predict(x, raw_score=True).astype(np.float32), expected)
    for stage, found in zip(staged(forest, x)[:rounds], staged(cut, x), strict=True):
        np.testing.assert_array_equal(stage, found)


def test_leaves_are_xgboosts_pred_leaf(xgb):
    booster, forest, x = xgb

    np.testing.assert_array_equal(forest.apply(x), booster.predict(xgboost.DMatrix(x), pred_leaf=True))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("framework", [lightgbm.LGBMClassifier, xgboost.XGBClassifier])
def test_labels_and_probabilities_are_those_of_the_classifier(framework, n_classes):
    x, y = data("multiclass" if n_classes == 3 else "binary")
    model = framework(
        n_estimators=ROUNDS, max_depth=4, n_jobs=1, **({"verbose": -1} if framework is lightgbm.LGBMClassifier else {})
    )
    model.fit(x, y.astype(int))
    forest = Forest.from_model(model)

    assert forest.classes_.tolist() == model.classes_.tolist()
    assert forest.predict(x).tolist() == model.predict(x).tolist()
    np.testing.assert_allclose(forest.predict_proba(x), model.predict_proba(x), rtol=1.2e-7)


def test_rows_are_walked_in_several_goes_where_memory_is_short(lgb, monkeypatch):
    _, forest, x = lgb
    expected = staged(forest, x)

    monkeypatch.setattr("bareboat.forest.staging._MEMORY", 4 * N * forest.ensemble.trees_per_round * 2)

    for found, stage in zip(staged(forest, x), expected, strict=True):
        np.testing.assert_array_equal(found, stage)


def test_linear_leaves_are_staged_too():
    x, y = data("regression")
    parameters = {"objective": "regression", "verbose": -1, "num_leaves": 6, "linear_tree": True, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, y), ROUNDS)
    booster = lightgbm.Booster(model_str=booster.model_to_string())
    forest = Forest.from_model(booster)

    for rounds, stage in enumerate(forest.staged_predict(x), start=1):
        np.testing.assert_array_equal(stage, booster.predict(x, num_iteration=rounds))


def test_the_bagged_trees_of_lightgbm_are_averaged_over_the_rounds_so_far():
    x, y = data("binary")
    parameters = {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5, "verbose": -1}
    booster = lightgbm.train(parameters | {"num_threads": 1}, lightgbm.Dataset(x, y), ROUNDS)
    booster = lightgbm.Booster(model_str=booster.model_to_string())
    forest = Forest.from_model(booster)

    for rounds, stage in enumerate(staged(forest, x), start=1):
        np.testing.assert_array_equal(stage, booster.predict(x, num_iteration=rounds))
        np.testing.assert_array_equal(outputs(forest.truncate(rounds), x), booster.predict(x, num_iteration=rounds))


def test_categories_of_a_frame_become_the_codes_that_lightgbm_gives_them():
    rng = np.random.default_rng(5)
    frame = pandas.DataFrame(
        {"fuel tank": pandas.Categorical(rng.choice(["gas", "diesel", "none"], N)), "age": rng.normal(size=N)}
    )
    y = frame["fuel tank"].cat.codes + frame.age
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(frame, y), ROUNDS)
    forest = Forest.from_model(booster)
    unseen = frame.assign(**{"fuel tank": frame["fuel tank"].cat.rename_categories({"none": "steam"})})

    for given in (frame, frame[["age", "fuel tank"]], unseen, frame.astype({"fuel tank": object})):
        assert (
            forest.predict(given).tolist()
            == booster.predict(given[["fuel tank", "age"]].astype({"fuel tank": "category"})).tolist()
        )
    assert forest.predict(frame.to_dict("records")).tolist() == booster.predict(frame).tolist()


@pytest.mark.parametrize("objective", ["regression", "binary", "multiclass"])
def test_answers_for_other_rows_have_no_errors(objective):
    _, forest, x = trained(objective)

    with pytest.raises(InputError, match="y has 3 answers"):
        forest.staged_errors(x, data(objective)[1][:3])


@pytest.mark.parametrize("objective", ["regression", "binary", "multiclass"])
def test_the_curve_of_errors_is_that_of_the_stages(objective):
    booster, forest, x = trained(objective)
    y = data(objective)[1]

    curve = forest.staged_errors(x, y)

    judge = root_mean_squared_error if objective == "regression" else log_loss
    expected = [judge(y, booster.predict(x, num_iteration=rounds)) for rounds in range(1, ROUNDS + 1)]
    assert curve.errors.tolist() == pytest.approx(expected, rel=1e-12)
    assert curve.best == int(np.argmin(expected)) + 1
    assert curve.enough(0.0) == curve.best
    assert curve.enough(math.inf) == 1
    limit = expected[curve.best - 1] * 1.2
    assert curve.enough(0.2) == next(rounds for rounds, error in enumerate(expected, start=1) if error <= limit)
