"""Which function compiles which class, and what is inside of an estimator. A new one is a line here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bareboat.forest.readers.sklearn import EXTRACTORS
from bareboat.pipeline.estimators import bayes, calibration, dummy, linear, trees, voting, wrappers
from bareboat.pipeline.estimators.dispatch import Compile, Parts

_LINEAR_REGRESSORS = (
    "ARDRegression BayesianRidge ElasticNet ElasticNetCV HuberRegressor Lars LarsCV Lasso LassoCV LassoLars "
    "LassoLarsCV LassoLarsIC LinearRegression LinearSVR MultiTaskElasticNet MultiTaskElasticNetCV MultiTaskLasso "
    "MultiTaskLassoCV OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV PassiveAggressiveRegressor "
    "QuantileRegressor Ridge RidgeCV SGDRegressor TheilSenRegressor"
)
_LINEAR_CLASSIFIERS = "LinearSVC PassiveAggressiveClassifier Perceptron RidgeClassifier RidgeClassifierCV"
_SEARCHES = "GridSearchCV HalvingGridSearchCV HalvingRandomSearchCV RandomizedSearchCV"
_FRAMEWORKS = (
    "CatBoost CatBoostClassifier CatBoostRanker CatBoostRegressor LGBMClassifier LGBMRanker LGBMRegressor "
    "XGBClassifier XGBRanker XGBRFClassifier XGBRFRegressor XGBRegressor"
)

ESTIMATORS: dict[str, Compile] = {
    **dict.fromkeys(_LINEAR_REGRESSORS.split(), linear.compile_regressor),
    **dict.fromkeys(_LINEAR_CLASSIFIERS.split(), linear.compile_classifier),
    **dict.fromkeys(("GammaRegressor", "PoissonRegressor", "TweedieRegressor"), linear.compile_glm),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), linear.compile_logistic),
    "LinearDiscriminantAnalysis": linear.compile_discriminant,
    "SGDClassifier": linear.compile_sgd_classifier,
    "BernoulliNB": bayes.compile_bernoulli,
    "ComplementNB": bayes.compile_complement,
    "GaussianNB": bayes.compile_gaussian,
    "MultinomialNB": bayes.compile_multinomial,
    "DummyClassifier": dummy.compile_dummy_classifier,
    "DummyRegressor": dummy.compile_dummy_regressor,
    **dict.fromkeys(EXTRACTORS, trees.compile_trees),
    **dict.fromkeys(_FRAMEWORKS.split(), trees.compile_trees),
    "CalibratedClassifierCV": calibration.compile_calibrated,
    "IsotonicRegression": calibration.compile_isotonic,
    "MultiOutputRegressor": voting.compile_multi_output,
    "StackingClassifier": voting.compile_stacking,
    "StackingRegressor": voting.compile_stacking,
    "VotingClassifier": voting.compile_voting_classifier,
    "VotingRegressor": voting.compile_voting_regressor,
    "FixedThresholdClassifier": wrappers.compile_threshold,
    "FrozenEstimator": wrappers.compile_inner("estimator"),
    "OneVsRestClassifier": wrappers.compile_one_vs_rest,
    "Pipeline": wrappers.compile_pipeline,
    "RANSACRegressor": wrappers.compile_inner("estimator_"),
    "SelfTrainingClassifier": wrappers.compile_inner("estimator_"),
    "TransformedTargetRegressor": wrappers.compile_target,
    "TunedThresholdClassifierCV": wrappers.compile_threshold,
    **dict.fromkeys(_SEARCHES.split(), wrappers.compile_inner("best_estimator_")),
}
"""By class name, of the packages in `dispatch.PACKAGES`."""


def _steps(pipeline: Any) -> Iterator[tuple[str, Any]]:
    yield from ((name, step) for name, step in pipeline.steps if not wrappers.is_sampler(step))


def _inner(*names: str) -> Parts:
    def parts(estimator: Any) -> Iterator[tuple[str, Any]]:
        for name in names:
            if hasattr(estimator, name):
                yield name.rstrip("_"), getattr(estimator, name)
                return

    return parts


def _folds(estimator: Any) -> Iterator[tuple[str, Any]]:
    yield from (("estimator", each.estimator) for each in getattr(estimator, "calibrated_classifiers_", ())[:1])


def _several(estimator: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(estimator, "estimators_"):
        yield from voting.kept(estimator)
    if hasattr(estimator, "final_estimator_"):
        yield "final_estimator", estimator.final_estimator_


def _each(estimator: Any) -> Iterator[tuple[str, Any]]:
    yield from ((f"target {place}", each) for place, each in enumerate(getattr(estimator, "estimators_", ())[:1]))


PARTS: dict[str, Parts] = {
    "Pipeline": _steps,
    "CalibratedClassifierCV": _folds,
    **dict.fromkeys(
        ("StackingClassifier", "StackingRegressor", "VotingClassifier", "VotingRegressor"),
        _several,
    ),
    **dict.fromkeys(("MultiOutputRegressor", "OneVsRestClassifier"), _each),
    **dict.fromkeys(("RANSACRegressor", "SelfTrainingClassifier"), _inner("estimator_")),
    **dict.fromkeys(("FixedThresholdClassifier", "TunedThresholdClassifierCV"), _inner("estimator_", "estimator")),
    "FrozenEstimator": _inner("estimator"),
    "TransformedTargetRegressor": _inner("regressor_"),
    **dict.fromkeys(_SEARCHES.split(), _inner("best_estimator_")),
}
"""What is inside of each class, by name, as far as it is fitted."""
