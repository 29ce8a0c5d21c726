"""Forest.feature_importances against what the frameworks say of the same model."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier

from bareboat import Forest
from bareboat.errors import InputError, ModelError

X, Y = make_classification(400, 7, n_informative=4, n_classes=3, random_state=2)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(9, max_depth=6, random_state=0),
        RandomForestRegressor(9, max_depth=6, random_state=0),
        ExtraTreesClassifier(9, max_depth=6, random_state=0, bootstrap=True),
        GradientBoostingClassifier(n_estimators=9, random_state=0),
        GradientBoostingRegressor(n_estimators=9, subsample=0.5, random_state=0),
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=9, random_state=0),
        DecisionTreeClassifier(max_depth=5, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_impurity_is_that_of_scikit_learn(estimator):
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
    estimator.fit(X, Y, sample_weight=weights)
    forest = Forest.from_model(estimator)

    np.testing.assert_allclose(forest.feature_importances("impurity"), estimator.feature_importances_, rtol=1e-12)
    np.testing.assert_allclose(forest.feature_importances_, estimator.feature_importances_, rtol=1e-12)


def test_trees_of_one_leaf_have_no_importances():
    estimator = RandomForestClassifier(3, random_state=0).fit(X[:4], [0, 0, 1, 1], sample_weight=[1, 1, 0, 0])
    forest = Forest.from_model(estimator)

    assert forest.feature_importances_.tolist() == estimator.feature_importances_.tolist() == [0.0] * 7


@pytest.fixture(scope="module")
def boosted(tmp_path_factory):
    model = lightgbm.LGBMClassifier(n_estimators=12, num_leaves=9, verbose=-1, n_jobs=1).fit(X, Y)
    path = tmp_path_factory.mktemp("lightgbm") / "model.txt"
    model.booster_.save_model(path)
    return model, lightgbm.Booster(model_file=path), Forest.from_model(path)


def test_splits_and_gains_are_those_of_lightgbm(boosted):
    model, booster, forest = boosted

    assert forest.feature_importances("split").tolist() == booster.feature_importance("split").tolist()
    np.testing.assert_allclose(forest.feature_importances("gain"), booster.feature_importance("gain"), rtol=1e-6)
    assert forest.feature_importances_.tolist() == model.feature_importances_.tolist()


def test_splits_that_gained_nothing_are_left_out_as_lightgbm_does():
    y = np.zeros(100)
    y[:2] = 1e-30
    data = lightgbm.Dataset(X[:100], y)
    booster = lightgbm.train(
        {"verbose": -1, "min_data_in_leaf": 1, "num_leaves": 40, "boost_from_average": False}, data, 3
    )
    forest = Forest.from_model(booster)

    assert forest.feature_importances("split").tolist() == booster.feature_importance("split").tolist()


@pytest.mark.parametrize(
    ("kind", "of_xgboost"),
    [
        ("split", "weight"),
        ("gain", "total_gain"),
        ("average_gain", "gain"),
        ("cover", "total_cover"),
        ("average_cover", "cover"),
    ],
)
def test_importances_are_those_of_xgboost(kind, of_xgboost):
    model = xgboost.XGBClassifier(n_estimators=8, max_depth=4, n_jobs=1).fit(X, Y)
    scores = model.get_booster().get_score(importance_type=of_xgboost)

    found = Forest.from_model(model).feature_importances(kind)

    np.testing.assert_allclose(found, [scores.get(f"f{feature}", 0.0) for feature in range(7)], rtol=1e-5)


def test_feature_importances_of_xgboost_are_shares_of_the_average_gain():
    model = xgboost.XGBClassifier(n_estimators=8, max_depth=4, n_jobs=1).fit(X, Y)

    np.testing.assert_allclose(Forest.from_model(model).feature_importances_, model.feature_importances_, rtol=1e-5)


def test_importances_by_shap_are_the_mean_of_lightgbms_contributions(boosted):
    _, booster, forest = boosted
    contributions = booster.predict(X, pred_contrib=True).reshape(len(X), 3, 8)[:, :, :7]

    expected = np.abs(contributions).mean(axis=0).sum(axis=0)

    np.testing.assert_allclose(forest.feature_importances("shap", X), expected, rtol=1e-9)


def test_shap_values_and_their_base_add_up_to_the_raw_score(boosted):
    _, booster, forest = boosted

    values, base = forest.shap_values(X), forest.expected_value()

    assert values.shape == (len(X), 7, 3)
    np.testing.assert_allclose(values.sum(axis=1) + base, forest.predict(X, raw_score=True), atol=1e-12)
    np.testing.assert_allclose(base, booster.predict(X[:1], pred_contrib=True).reshape(3, 8)[:, 7], rtol=1e-12)


def test_shap_values_with_a_background_start_at_its_mean_score():
    x, y = make_regression(200, 4, random_state=1)
    forest = Forest.from_model(GradientBoostingRegressor(n_estimators=5).fit(x, y))

    values, base = forest.shap_values(x[:20], background=x[50:80]), forest.expected_value(x[50:80])

    assert values.shape == (20, 4)
    np.testing.assert_allclose(base, [forest.predict(x[50:80]).mean()], rtol=1e-12)
    np.testing.assert_allclose(values.sum(axis=1) + base, forest.predict(x[:20]), rtol=1e-9)


def test_what_cannot_be_told_is_refused(boosted, tmp_path):
    from bareboat.forest import write_forest

    forest = boosted[2]
    write_forest(forest.ensemble, tmp_path / "bare.forest", statistics=False)
    bare = Forest.load(tmp_path / "bare.forest")

    assert bare.feature_importances("split").sum() == forest.ensemble.n_leaves - forest.n_trees
    with pytest.raises(ModelError, match="does not hold what its splits gained"):
        bare.feature_importances("gain")
    with pytest.raises(InputError, match="importances by SHAP values without rows"):
        forest.feature_importances("shap")
    with pytest.raises(InputError, match="importances by impurity of a model of lightgbm"):
        forest.feature_importances("impurity")
    with pytest.raises(InputError, match="importances by impurity of a model of sklearn"):
        Forest.from_model(HistGradientBoostingRegressor(max_iter=2).fit(X, Y)).feature_importances("impurity")
