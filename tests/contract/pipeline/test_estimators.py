"""Each estimator alone, compared with scikit-learn itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agreement import assert_agrees
from sklearn import calibration, discriminant_analysis, dummy, ensemble, linear_model, naive_bayes, svm, tree
from sklearn.compose import TransformedTargetRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from bareboat import Model
from bareboat.errors import InputError
from bareboat.pipeline.compile import compile_model
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.ir import Op

RNG = np.random.default_rng(20261122)
X = RNG.normal(size=(120, 5))
ROWS = np.vstack([X[:40], RNG.normal(size=(60, 5)) * 3, np.zeros((1, 5))])
SIGNAL = X[:, 0] - 2 * X[:, 1] + 0.3 * RNG.normal(size=120)
VALUE = SIGNAL * 3 + 1
COUNT = np.exp(SIGNAL / 4)
TWO = np.where(SIGNAL > 0, "yes", "no")
THREE = np.array([3, 7, 11])[np.digitize(SIGNAL, [-1, 1])]

lm = linear_model
REGRESSORS: list[Any] = [
    lm.ARDRegression(),
    lm.BayesianRidge(),
    lm.ElasticNet(0.1),
    lm.ElasticNetCV(cv=3),
    lm.HuberRegressor(),
    lm.Lars(),
    lm.LarsCV(cv=3),
    lm.Lasso(0.1),
    lm.LassoCV(cv=3),
    lm.LassoLars(0.1),
    lm.LassoLarsCV(cv=3),
    lm.LassoLarsIC(),
    lm.LinearRegression(),
    lm.LinearRegression(fit_intercept=False),
    lm.OrthogonalMatchingPursuit(),
    lm.OrthogonalMatchingPursuitCV(cv=3),
    lm.QuantileRegressor(),
    lm.RANSACRegressor(random_state=0),
    lm.Ridge(),
    lm.RidgeCV(),
    lm.SGDRegressor(random_state=0),
    lm.TheilSenRegressor(random_state=0, max_subpopulation=100),
    svm.LinearSVR(random_state=0),
    dummy.DummyRegressor(strategy="median"),
    ensemble.GradientBoostingRegressor(n_estimators=5, random_state=0),
    ensemble.HistGradientBoostingRegressor(max_iter=5, random_state=0),
    ensemble.RandomForestRegressor(n_estimators=5, random_state=0),
    ensemble.BaggingRegressor(n_estimators=4, random_state=0),
    tree.DecisionTreeRegressor(max_depth=3),
    ensemble.VotingRegressor([("a", lm.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=2)), ("c", "drop")]),
    ensemble.VotingRegressor([("a", lm.Ridge()), ("b", lm.Lasso(0.1))], weights=[1, 2.5]),
    ensemble.VotingRegressor([(f"t{n}", tree.DecisionTreeRegressor(max_depth=n)) for n in range(1, 10)]),
    ensemble.StackingRegressor([("a", lm.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=2))], cv=3),
    ensemble.StackingRegressor([("a", lm.Ridge())], tree.DecisionTreeRegressor(max_depth=3), passthrough=True, cv=3),
    GridSearchCV(lm.Ridge(), {"alpha": [0.1, 1.0]}, cv=3),
    HalvingGridSearchCV(lm.Ridge(), {"alpha": [0.1, 1.0]}, cv=3, random_state=0),
    Pipeline([("search", RandomizedSearchCV(lm.Ridge(), {"alpha": [0.1, 1.0]}, cv=3, n_iter=2, random_state=0))]),
]
GLMS = [lm.PoissonRegressor(), lm.GammaRegressor(), lm.TweedieRegressor(power=1.5), lm.TweedieRegressor(power=0)]
BINARY: list[Any] = [
    ensemble.AdaBoostClassifier(n_estimators=4, random_state=0),
    TunedThresholdClassifierCV(lm.LogisticRegression(), cv=3, random_state=0),
    TunedThresholdClassifierCV(svm.LinearSVC(), cv=3, random_state=0, response_method="decision_function"),
    FixedThresholdClassifier(lm.LogisticRegression(), threshold=0.3, pos_label="no"),
    FixedThresholdClassifier(
        lm.LogisticRegression(), threshold=-0.3, pos_label="no", response_method="decision_function"
    ),
    FixedThresholdClassifier(ensemble.RandomForestClassifier(n_estimators=4, random_state=0)),
    lm.SGDClassifier(loss="huber", random_state=0),
]
CLASSIFIERS: list[Any] = [
    lm.LogisticRegression(),
    lm.LogisticRegressionCV(cv=3, l1_ratios=(0,), use_legacy_attributes=False),
    lm.Perceptron(random_state=0),
    lm.RidgeClassifier(),
    lm.RidgeClassifierCV(),
    lm.SGDClassifier(random_state=0),
    lm.SGDClassifier(loss="log_loss", random_state=0),
    lm.SGDClassifier(loss="modified_huber", random_state=0),
    svm.LinearSVC(random_state=0),
    discriminant_analysis.LinearDiscriminantAnalysis(),
    discriminant_analysis.LinearDiscriminantAnalysis(solver="lsqr"),
    naive_bayes.GaussianNB(),
    naive_bayes.BernoulliNB(),
    dummy.DummyClassifier(),
    dummy.DummyClassifier(strategy="most_frequent"),
    tree.DecisionTreeClassifier(max_depth=3),
    ensemble.ExtraTreesClassifier(n_estimators=5, max_depth=4, random_state=0),
    ensemble.GradientBoostingClassifier(n_estimators=4, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=4),
    ensemble.RandomForestClassifier(n_estimators=4, max_depth=3, random_state=0),
    calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=3),
    calibration.CalibratedClassifierCV(lm.LogisticRegression(), cv=3, method="isotonic"),
    calibration.CalibratedClassifierCV(tree.DecisionTreeClassifier(max_depth=3), cv=3, ensemble=False),
    calibration.CalibratedClassifierCV(tree.DecisionTreeClassifier(max_depth=2), cv=3, method="isotonic"),
    ensemble.VotingClassifier(
        [("a", lm.LogisticRegression()), ("b", tree.DecisionTreeClassifier(max_depth=2))], voting="soft"
    ),
    ensemble.VotingClassifier(
        [("a", lm.LogisticRegression()), ("b", naive_bayes.GaussianNB()), ("c", "drop")],
        voting="soft",
        weights=[3, 1, 1],
    ),
    ensemble.VotingClassifier(
        [("a", svm.LinearSVC()), ("b", tree.DecisionTreeClassifier(max_depth=2)), ("c", naive_bayes.GaussianNB())]
    ),
    ensemble.VotingClassifier(
        [("a", svm.LinearSVC()), ("b", tree.DecisionTreeClassifier(max_depth=2))], weights=[0.4, 0.6]
    ),
    ensemble.StackingClassifier([("a", lm.LogisticRegression()), ("b", svm.LinearSVC())], cv=3),
    ensemble.StackingClassifier(
        [("a", lm.LogisticRegression()), ("b", tree.DecisionTreeClassifier(max_depth=2))],
        ensemble.GradientBoostingClassifier(n_estimators=3),
        cv=3,
        passthrough=True,
        stack_method="predict_proba",
    ),
    ensemble.StackingClassifier([("a", lm.LogisticRegression()), ("b", svm.LinearSVC())], cv=3, stack_method="predict"),
    OneVsRestClassifier(lm.LogisticRegression()),
    OneVsRestClassifier(tree.DecisionTreeClassifier(max_depth=2)),
    OneVsRestClassifier(svm.LinearSVC()),
    GridSearchCV(lm.LogisticRegression(), {"C": [0.1, 1.0]}, cv=3),
]


def named(estimators: list[Any]) -> list[Any]:
    return [pytest.param(each, id=f"{type(each).__name__}-{place}") for place, each in enumerate(estimators)]


def fitted(estimator: Any, y: Any, x: Any = X) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(x, y)


@pytest.mark.parametrize("estimator", named(REGRESSORS))
def test_a_regressor_predicts_as_it_does(estimator: Any) -> None:
    assert_agrees(fitted(estimator, VALUE), ROWS)


@pytest.mark.parametrize("estimator", named(GLMS))
def test_a_generalized_linear_model_predicts_as_it_does(estimator: Any) -> None:
    assert_agrees(fitted(estimator, COUNT), ROWS)


@pytest.mark.parametrize("estimator", named([*BINARY, *CLASSIFIERS]))
def test_a_classifier_of_two_classes_predicts_as_it_does(estimator: Any) -> None:
    assert_agrees(fitted(estimator, TWO), ROWS)


@pytest.mark.parametrize("estimator", named(CLASSIFIERS))
def test_a_classifier_of_three_classes_predicts_as_it_does(estimator: Any) -> None:
    assert_agrees(fitted(estimator, THREE), ROWS)


@pytest.mark.parametrize("labels", [(False, True), (1.0, 2.0), ("", "b"), (-1, 1)])
def test_labels_of_any_plain_type_come_back(labels: Any) -> None:
    y = np.array(labels)[(SIGNAL > 0).astype(int)]

    pipeline = assert_agrees(fitted(lm.LogisticRegression(), y), ROWS)

    assert pipeline.classes == labels
    assert [type(each) for each in pipeline.classes] == [type(each) for each in labels]


@pytest.mark.parametrize(
    "make",
    [
        lambda: naive_bayes.MultinomialNB().fit(np.abs(X), TWO),
        lambda: naive_bayes.ComplementNB().fit(np.abs(X), THREE),
    ],
)
def test_naive_bayes_of_counts_predicts_as_it_does(make: Callable[[], Any]) -> None:
    assert_agrees(make(), np.abs(ROWS))


def test_several_targets_stand_side_by_side() -> None:
    targets = np.column_stack([VALUE, COUNT])

    for estimator in (lm.Ridge(), lm.MultiTaskLasso(0.1), MultiOutputRegressor(lm.Ridge())):
        assert assert_agrees(estimator.fit(X, targets), ROWS).n_outputs == 2


def test_an_isolation_forest_tells_outliers() -> None:
    pipeline = assert_agrees(ensemble.IsolationForest(n_estimators=5, random_state=0).fit(X), ROWS)

    assert pipeline.classes == (-1, 1)


def test_an_isotonic_regression_of_one_column() -> None:
    model = IsotonicRegression(out_of_bounds="clip").fit(X[:, :1], VALUE)

    assert_agrees(model, ROWS[:, :1])


def test_a_classifier_that_was_fitted_before_it_was_calibrated() -> None:
    inner = make_pipeline(svm.LinearSVC()).fit(X, THREE)

    assert_agrees(calibration.CalibratedClassifierCV(FrozenEstimator(inner)).fit(X, THREE), ROWS)


@pytest.mark.parametrize("inner", [svm.LinearSVC(), naive_bayes.GaussianNB()])
@pytest.mark.parametrize("cuts", [[0], [-1, 1]])
def test_probabilities_calibrated_by_a_temperature(inner: Any, cuts: list[int]) -> None:
    y = np.digitize(SIGNAL, cuts)  # 0, 1, ...: scikit-learn 1.9 fits a temperature to no other labels of three classes

    assert_agrees(calibration.CalibratedClassifierCV(inner, cv=3, method="temperature").fit(X, y), ROWS)


@pytest.mark.parametrize(
    "how",
    [
        {"func": np.log1p, "inverse_func": np.expm1},
        {"func": np.sqrt, "inverse_func": np.square},
        {"transformer": StandardScaler()},
        {"transformer": make_pipeline(MinMaxScaler(), StandardScaler())},
        {},
    ],
)
def test_a_target_is_transformed_back(how: dict[str, Any]) -> None:
    model = TransformedTargetRegressor(lm.Ridge(), **how, check_inverse=False)

    assert_agrees(model.fit(X, COUNT), ROWS)


def test_a_target_that_a_lambda_transforms_back_is_refused() -> None:
    model = TransformedTargetRegressor(lm.Ridge(), func=lambda y: y + 1, inverse_func=lambda y: y - 1)

    with pytest.raises(NotCompilable, match=r"'transformer' \(sklearn.preprocessing.FunctionTransformer\)"):
        compile_model(model.fit(X, COUNT))


def test_columns_that_must_not_be_missing_are_told() -> None:
    pipeline = compile_model(make_pipeline(StandardScaler(), lm.Ridge()).fit(X, VALUE))
    forest = compile_model(make_pipeline(StandardScaler(), tree.DecisionTreeRegressor(max_depth=2)).fit(X, VALUE))

    assert [column.nullable for column in pipeline.columns] == [False] * 5
    assert [column.nullable for column in forest.columns] == [True] * 5


def test_the_trees_are_computed_once() -> None:
    pipeline = compile_model(ensemble.GradientBoostingClassifier(n_estimators=2).fit(X, TWO))

    assert [step.op for step in pipeline.steps].count(Op.FOREST) == 1


def test_self_training_predicts_with_what_is_inside() -> None:
    y = np.where(np.arange(len(THREE)) % 3 == 0, -1, np.digitize(SIGNAL, [0]))

    assert_agrees(SelfTrainingClassifier(lm.LogisticRegression()).fit(X, y), ROWS)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_an_infinity_that_a_step_makes_is_refused_where_the_trees_refuse_it() -> None:
    rows, zero = np.abs(X) + 0.1, np.zeros((1, 5))
    forest = make_pipeline(FunctionTransformer(np.log), ensemble.RandomForestRegressor(3)).fit(rows, VALUE)
    binned = make_pipeline(FunctionTransformer(np.log), ensemble.HistGradientBoostingRegressor(max_iter=3))
    binned.fit(rows, VALUE)

    with pytest.raises(ValueError, match="infinity"):
        forest.predict(zero)
    with pytest.raises(InputError, match="row 0: 'x0'"):
        Model(forest).predict(zero)
    assert Model(binned).predict(zero) == binned.predict(zero)
