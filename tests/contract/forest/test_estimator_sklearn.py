"""Forest against the estimators of scikit-learn that it was made from."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from bareboat import Forest
from bareboat.forest.schema import RowsError

SMALL = {"n_estimators": 7, "random_state": 0}
CLASSIFIERS = [
    RandomForestClassifier(max_depth=6, **SMALL),
    ExtraTreesClassifier(max_depth=6, **SMALL),
    DecisionTreeClassifier(max_depth=5, random_state=0),
    BaggingClassifier(DecisionTreeClassifier(max_depth=4), **SMALL),
    GradientBoostingClassifier(**SMALL),
    HistGradientBoostingClassifier(max_iter=7, random_state=0),
    AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), **SMALL),
]
REGRESSORS = [
    RandomForestRegressor(max_depth=6, **SMALL),
    ExtraTreesRegressor(max_depth=6, **SMALL),
    DecisionTreeRegressor(max_depth=5, random_state=0),
    GradientBoostingRegressor(**SMALL),
    HistGradientBoostingRegressor(max_iter=7, random_state=0),
]


def named(estimator) -> str:
    return type(estimator).__name__


def rows(n: int, n_features: int) -> np.ndarray:
    """Rows of another distribution than the training's, so that every leaf is met."""
    return np.random.default_rng(3).normal(scale=2.0, size=(n, n_features))


@pytest.fixture(scope="module", params=[2, 3], ids=["two classes", "three classes"])
def classes(request):
    x, y = make_classification(300, 6, n_informative=4, n_classes=request.param, random_state=1)
    return x, np.array(["ant", "bee", "cat"])[y]


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=named)
def test_a_classifier_answers_as_its_estimator(estimator, classes):
    estimator.fit(*classes)
    forest, x = Forest.from_model(estimator), rows(500, 6)

    assert forest.classes_.tolist() == estimator.classes_.tolist()
    assert forest.predict(x).tolist() == estimator.predict(x).tolist()
    np.testing.assert_allclose(forest.predict_proba(x), estimator.predict_proba(x), rtol=5e-16, atol=5e-16)
    assert forest.score(x, estimator.predict(x)) == 1.0
    assert [forest.predict_row(row) for row in x[:50].tolist()] == estimator.predict(x[:50]).tolist()
    assert hasattr(forest, "decision_function") == hasattr(estimator, "decision_function")
    if hasattr(estimator, "decision_function"):
        assert forest.decision_function(x).tolist() == estimator.decision_function(x).tolist()


@pytest.mark.parametrize("estimator", [each for each in CLASSIFIERS if hasattr(each, "staged_predict")], ids=named)
def test_the_stages_of_a_classifier_are_those_of_its_estimator(estimator, classes):
    estimator.fit(*classes)
    forest, x = Forest.from_model(estimator), rows(200, 6)

    for found, expected in zip(forest.staged_predict(x), estimator.staged_predict(x), strict=True):
        assert found.tolist() == expected.tolist()
    for found, expected in zip(forest.staged_decision_function(x), estimator.staged_decision_function(x), strict=True):
        assert found.tolist() == expected.reshape(found.shape).tolist()  # GradientBoosting yields (n, 1) of two classes
    for found, expected in zip(forest.staged_predict_proba(x), estimator.staged_predict_proba(x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=5e-16, atol=5e-16)


@pytest.mark.parametrize("estimator", REGRESSORS, ids=named)
def test_a_regressor_answers_as_its_estimator(estimator):
    estimator.fit(*make_regression(300, 5, random_state=1))
    forest, x = Forest.from_model(estimator), rows(500, 5)
    y = x[:, 0] * 50

    assert forest.predict(x).tolist() == estimator.predict(x).tolist()
    assert forest.score(x, y) == pytest.approx(estimator.score(x, y), rel=1e-12)
    weights = np.arange(1.0, 501.0)
    assert forest.score(x, y, weights) == pytest.approx(estimator.score(x, y, weights), rel=1e-12)
    assert [forest.predict_row(row) for row in x[:50].tolist()] == estimator.predict(x[:50]).tolist()
    assert not hasattr(forest, "predict_proba")
    assert not hasattr(forest, "decision_function")
    assert not hasattr(forest, "classes_")


@pytest.mark.parametrize("estimator", [each for each in REGRESSORS if hasattr(each, "staged_predict")], ids=named)
def test_the_stages_of_a_regressor_are_those_of_its_estimator(estimator):
    estimator.fit(*make_regression(300, 5, random_state=1))
    forest, x = Forest.from_model(estimator), rows(200, 5)

    for found, expected in zip(forest.staged_predict(x), estimator.staged_predict(x), strict=True):
        assert found.tolist() == expected.tolist()


def test_a_regressor_of_several_values():
    x, y = make_regression(300, 5, n_targets=3, random_state=1)
    estimator = RandomForestRegressor(max_depth=5, **SMALL).fit(x, y)
    forest, x = Forest.from_model(estimator), rows(200, 5)

    assert forest.n_outputs_ == 3
    assert forest.predict(x).tolist() == estimator.predict(x).tolist()
    assert forest.predict_row(x[0].tolist()) == estimator.predict(x[:1])[0].tolist()
    assert forest.score(x, y[:200]) == pytest.approx(estimator.score(x, y[:200]), rel=1e-12)


def test_an_isolation_forest_finds_the_same_outliers():
    x = rows(400, 4)
    estimator = IsolationForest(**SMALL).fit(x[:200])
    forest = Forest.from_model(estimator)

    assert forest.predict(x).tolist() == estimator.predict(x).tolist()
    np.testing.assert_allclose(forest.decision_function(x), estimator.decision_function(x), rtol=1e-14, atol=1e-16)
    assert [forest.predict_row(row) for row in x[:50].tolist()] == estimator.predict(x[:50]).tolist()


@pytest.mark.parametrize("estimator", [each for each in CLASSIFIERS + REGRESSORS if hasattr(each, "apply")], ids=named)
def test_leaves_are_called_as_their_estimator_calls_them(estimator):
    x, y = make_classification(300, 6, n_informative=4, n_classes=3, random_state=1)
    estimator.fit(x, y)
    x = rows(1500, 6)

    found = Forest.from_model(estimator).apply(x)

    assert found.dtype == np.int32
    assert found.tolist() == estimator.apply(x).reshape(len(x), -1).tolist()


@pytest.mark.parametrize("estimator", [each for each in CLASSIFIERS if hasattr(each, "staged_predict")], ids=named)
def test_a_forest_cut_after_some_rounds_answers_as_that_stage(estimator, classes):
    estimator.fit(*classes)
    forest, x = Forest.from_model(estimator), rows(200, 6)
    stages = list(estimator.staged_predict_proba(x))

    for n in (1, 4, forest.n_rounds):
        cut = forest.truncate(n)
        assert cut.n_rounds == n
        np.testing.assert_allclose(cut.predict_proba(x), stages[n - 1], rtol=5e-16, atol=5e-16)


def test_missing_values_and_float32_are_read_as_the_estimator_reads_them():
    x, y = make_regression(300, 5, random_state=1)
    x[::7, 2] = np.nan
    estimator = RandomForestRegressor(max_depth=6, **SMALL).fit(x, y)
    forest = Forest.from_model(estimator)

    for given in (x, x.astype(np.float32), np.asfortranarray(x), x[::-1, :][::-1]):
        assert forest.predict(given).tolist() == estimator.predict(given).tolist()


def test_one_row_is_read_as_rows_are():
    x, y = make_regression(300, 3, random_state=1)
    x[::7, 2] = np.nan
    estimator = RandomForestRegressor(max_depth=6, **SMALL).fit(x, y)
    forest = Forest.from_model(estimator)

    assert forest.predict_row([0.5, -0.5, None]) == estimator.predict([[0.5, -0.5, np.nan]])[0]
    for row in ([1, 2], ["x", 1, 2], [[1, 2, 3]], 10**400, [10**400, 1, 2], None):
        with pytest.raises(RowsError):
            forest.predict_row(row)


def test_a_model_file_is_no_argument_of_the_class():
    with pytest.raises(TypeError, match=r"Forest\.from_model"):
        Forest("model.txt")


def test_a_data_frame_is_read_by_name_even_in_another_order():
    pandas = pytest.importorskip("pandas")
    x, y = make_regression(300, 5, random_state=1)
    frame = pandas.DataFrame(x, columns=["a", "b", "c", "d", "e"])
    estimator = GradientBoostingRegressor(**SMALL).fit(frame, y)
    forest = Forest.from_model(estimator)

    assert forest.feature_names_in_.tolist() == estimator.feature_names_in_.tolist()
    assert forest.predict(frame[["e", "b", "a", "d", "c"]]).tolist() == estimator.predict(frame).tolist()
    assert forest.predict(frame.to_dict("records")).tolist() == estimator.predict(frame).tolist()
    assert forest.predict_row(frame.iloc[0].to_dict()) == estimator.predict(frame[:1])[0]
