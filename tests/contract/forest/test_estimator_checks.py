"""scikit-learn's own checks of estimators (sklearn.utils.estimator_checks) that need no `fit` of ours.

Those of FITTED are handed a Forest as it is. Those of TRAINED train on data of their own; there a subclass whose `fit`
has HistGradientBoosting train, and everything after it, prediction, validation, pickling, is Forest's. docs/forests.md
lists both.
"""

from __future__ import annotations

import re
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.validation import check_is_fitted

from bareboat import Forest

FITTED = [
    "check_dont_overwrite_parameters",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_fit_returns_self",
    "check_estimators_overwrite_params",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_readonly_memmap_input",
    "check_set_params",
    "check_valid_tag_types",
]
TRAINED = [
    "check_complex_data",
    "check_dict_unchanged",
    "check_dtype_object",
    "check_estimator_sparse_array",
    "check_estimator_sparse_matrix",
    "check_estimator_sparse_tag",
    "check_estimators_dtypes",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_pipeline_consistency",
]
OF_CLASSIFIERS = [
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_decision_proba_consistency",
]
OF_REGRESSORS = [
    "check_fit2d_1sample",
    "check_regressor_data_not_an_array",
    "check_regressors_int",
    "check_regressors_no_decision_function",
    "check_regressors_train",
]

CHECKS = [getattr(estimator_checks, name) for name in TRAINED]
CHECKS.append(partial(estimator_checks.check_estimators_pickle, readonly_memmap=True))


def called(check) -> str:
    return f"{check.func.__name__} of a memmap" if isinstance(check, partial) else check.__name__


class Trained(Forest):
    """A Forest whose fit has another estimator train."""

    teacher: type
    is_outlier_detector = False

    def __init__(self, n_threads=None):
        self.n_threads = n_threads

    def fit(self, X, y):  # noqa: N803
        model = self.teacher(max_iter=10, min_samples_leaf=2).fit(X, y)
        super().__init__(Forest.from_model(model)._opened, self.n_threads)
        return self

    def __sklearn_clone__(self):
        return type(self)(self.n_threads)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_opened")

    def __repr__(self):
        return "Trained()"


class TrainedClassifier(Trained):
    teacher = HistGradientBoostingClassifier
    is_classifier = True


class TrainedRegressor(Trained):
    teacher = HistGradientBoostingRegressor
    is_classifier = False


@pytest.fixture(scope="module")
def iris() -> Forest:
    return Forest.from_model(HistGradientBoostingClassifier(max_iter=5).fit(*load_iris(return_X_y=True)))


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", FITTED)
def test_a_forest_passes_the_checks_that_train_nothing(iris, name):
    getattr(estimator_checks, name)("Forest", iris)


@pytest.mark.parametrize("estimator", [TrainedClassifier, TrainedRegressor])
@pytest.mark.parametrize("check", CHECKS, ids=called)
def test_a_forest_passes_the_checks_that_train_something_first(check, estimator):
    check("Forest", estimator())


@pytest.mark.parametrize("name", OF_CLASSIFIERS)
def test_a_classifier_passes_the_checks_of_classifiers(name):
    getattr(estimator_checks, name)("Forest", TrainedClassifier())


@pytest.mark.parametrize("name", OF_REGRESSORS)
def test_a_regressor_passes_the_checks_of_regressors(name):
    getattr(estimator_checks, name)("Forest", TrainedRegressor())


def test_every_check_stands_in_the_guide(repository):
    guide = (repository / "docs" / "forests.md").read_text()

    assert set(re.findall(r"`(check_\w+)`", guide)) == {*FITTED, *TRAINED, *OF_CLASSIFIERS, *OF_REGRESSORS}


# --- what scikit-learn makes of a Forest


def test_scikit_learn_knows_what_kind_of_estimator_it_is(iris):
    x, y = load_iris(return_X_y=True)

    assert is_classifier(iris)
    assert is_regressor(Forest.from_model(HistGradientBoostingRegressor(max_iter=2).fit(x, y)))
    assert get_tags(Forest.from_model(IsolationForest(n_estimators=2).fit(x))).estimator_type == "outlier_detector"
    assert get_tags(iris).input_tags.allow_nan
    check_is_fitted(iris)


def test_a_clone_is_the_trained_forest_itself(iris):
    assert clone(iris) is iris


def test_a_forest_ends_a_pipeline(iris):
    x, y = load_iris(return_X_y=True)

    pipeline = make_pipeline(FunctionTransformer(lambda rows: rows + 0.0), iris).fit(x, y)

    assert pipeline.predict(x).tolist() == iris.predict(x).tolist()
    assert pipeline.score(x, y) == iris.score(x, y)


def test_a_forest_is_calibrated_and_inspected(iris):
    x, y = load_iris(return_X_y=True)

    calibrated = CalibratedClassifierCV(FrozenEstimator(iris)).fit(x, y)
    found = permutation_importance(iris, x, y, n_repeats=2, random_state=0)

    np.testing.assert_allclose(calibrated.predict_proba(x).sum(axis=1), 1.0)
    assert found.importances_mean.shape == (4,)
