"""What is told of a scikit-learn estimator, and what is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest.readers import ensemble_from_model
from bareboat.forest.readers import sklearn_estimator as facts

sklearn = pytest.importorskip("sklearn")
from sklearn import ensemble, tree  # noqa: E402
from sklearn.dummy import DummyClassifier  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 3))
Y = X[:, 0] + X[:, 1]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.where(Y > 0, "good", "bad"), ("bad", "good")),
        (Y > 0, (False, True)),
        (np.where(Y > 0, 7, -2), (-2, 7)),
        (np.where(Y > 0, 2.0, 1.0), (1.0, 2.0)),
        (np.where(Y > 0, "good", "bad").astype(object), ("bad", "good")),
    ],
)
def test_labels_are_plain_python_of_the_same_kind(labels: np.ndarray, classes: tuple[Any, ...]) -> None:
    for model in (
        tree.DecisionTreeClassifier(),
        ensemble.RandomForestClassifier(2),
        ensemble.GradientBoostingClassifier(n_estimators=2),
        ensemble.HistGradientBoostingClassifier(max_iter=2),
        ensemble.AdaBoostClassifier(n_estimators=2),
        ensemble.BaggingClassifier(n_estimators=2),
    ):
        found = ensemble_from_model(model.fit(X, labels))

        assert found.classes == classes
        assert [type(label) for label in found.classes] == [type(label) for label in classes]
        assert found.n_classes == 2


def test_names_and_source_are_told() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["size", "age", "weight"])

    named = ensemble_from_model(tree.DecisionTreeRegressor(max_depth=2).fit(frame, Y))
    nameless = ensemble_from_model(tree.DecisionTreeRegressor(max_depth=2).fit(X, Y))

    assert named.feature_names == ("size", "age", "weight")
    assert nameless.feature_names == ("x0", "x1", "x2")
    assert named.source == f"sklearn {sklearn.__version__} DecisionTreeRegressor"
    assert named.objective == "squared_error"


def boosted_on(init: Any, classifier: bool = False) -> Any:
    if classifier:
        return ensemble.GradientBoostingClassifier(n_estimators=2, init=init).fit(X, Y > 0)
    return ensemble.GradientBoostingRegressor(n_estimators=2, init=init).fit(X, Y)


REFUSED = {
    "GradientBoostingRegressor with init=LinearRegression": lambda: boosted_on(LinearRegression()),
    "GradientBoostingClassifier with init=LogisticRegression": lambda: boosted_on(LogisticRegression(), True),
    "DummyClassifier(strategy='stratified')": lambda: boosted_on(DummyClassifier(strategy="stratified"), True),
    "AdaBoostRegressor, which answers with the weighted median": lambda: ensemble.AdaBoostRegressor().fit(X, Y),
    "AdaBoostClassifier of LogisticRegression": lambda: ensemble.AdaBoostClassifier(LogisticRegression()).fit(X, Y > 0),
    "BaggingRegressor of LinearRegression": lambda: ensemble.BaggingRegressor(LinearRegression()).fit(X, Y),
    "BaggingRegressor of RandomForestRegressor": lambda: ensemble.BaggingRegressor(
        ensemble.RandomForestRegressor(2), n_estimators=2
    ).fit(X, Y),
    "RandomForestClassifier of 2 outputs": lambda: ensemble.RandomForestClassifier(2).fit(
        X, np.stack([Y > 0, Y > 1], axis=1)
    ),
    "DecisionTreeClassifier of 1 class": lambda: tree.DecisionTreeClassifier().fit(X, Y > 100),
    "IsolationForest fitted on samples of one row": lambda: ensemble.IsolationForest(n_estimators=2, max_samples=1).fit(
        X
    ),
    "RandomForestRegressor has no estimators_: it is not fitted": ensemble.RandomForestRegressor,
    "HistGradientBoostingClassifier has no n_features_in_": ensemble.HistGradientBoostingClassifier,
    "a class of RandomForestClassifier is 2024-01-01": lambda: ensemble.RandomForestClassifier(2).fit(
        X, np.where(Y > 0, np.datetime64("2024-01-01"), np.datetime64("2025-01-01"))
    ),
}


@pytest.mark.parametrize("found", REFUSED)
def test_what_trees_alone_cannot_say_is_refused_by_name(found: str) -> None:
    model = REFUSED[found]()

    with pytest.raises(ModelError) as refusal:
        ensemble_from_model(model)

    assert found in str(refusal.value)
    assert refusal.value.problems[0].expected


@pytest.mark.parametrize("version", ["1.3.2", "1.10.0", "2.0", "0.24.2", "devel"])
def test_an_unknown_release_is_refused_by_name(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tree.DecisionTreeRegressor().fit(X, Y)
    monkeypatch.setattr(sklearn, "__version__", version)

    with pytest.raises(ModelError, match=version) as refusal:
        ensemble_from_model(model)

    assert "1.4 to 1.9" in str(refusal.value)


def test_a_release_in_between_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sklearn, "__version__", "1.7.2")

    assert facts.check_version() == "1.7.2"


def test_a_category_that_is_none_is_refused() -> None:
    values = np.array([None, "a", "b"], object)[RNG.integers(0, 3, 60)]
    rows = np.stack([values, X[:, 0]], axis=1)
    model = ensemble.HistGradientBoostingRegressor(max_iter=2, categorical_features=[0]).fit(rows, Y)

    with pytest.raises(ModelError, match="the category None, of type NoneType, of feature 0"):
        ensemble_from_model(model)
