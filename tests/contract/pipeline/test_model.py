"""bareboat.Model against the scikit-learn objects that it was made from."""

from __future__ import annotations

import pickle

import numpy as np
import pandas
import polars
import pyarrow
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

import bareboat
from bareboat.errors import InputError
from bareboat.forest.schema import RowsError
from bareboat.pipeline.errors import NotCompilable

NUMBERS, TEXTS = ["age", "income"], ["city", "fuel"]


def rows(n: int, seed: int) -> pandas.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pandas.DataFrame(
        {
            "age": rng.integers(18, 90, n).astype(float),
            "city": rng.choice(["Bern", "Oslo", "Rome"], n).astype(object),
            "income": rng.lognormal(10, 1, n),
            "fuel": rng.choice(["gas", "diesel"], n).astype(object),
        }
    )
    for name in frame:
        frame.loc[rng.random(n) < 0.1, name] = np.nan
    return frame


TRAIN, TEST = rows(300, 1), rows(200, 2)
TEST.loc[5, "city"] = "Oz"
ANSWER = np.where((TRAIN["age"].fillna(50) > 45) ^ (TRAIN["city"] == "Oslo"), "stays", "leaves")


def fitted(estimator: object, y: object = ANSWER) -> Pipeline:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", texts, TEXTS)])
    return Pipeline([("columns", columns), ("model", estimator)]).fit(TRAIN, y)


@pytest.fixture(scope="module")
def boosted() -> Pipeline:
    return fitted(LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1))


@pytest.mark.parametrize(
    "make",
    [
        lambda frame: frame,
        lambda frame: frame.astype(dict.fromkeys(TEXTS, "category")),
        lambda frame: frame.astype(dict.fromkeys(TEXTS, "str")),
        polars.from_pandas,
        pyarrow.Table.from_pandas,
        lambda frame: frame.to_dict("list"),
        lambda frame: frame.to_dict("records"),
        lambda frame: frame[["fuel", "income", "city", "age"]],
    ],
    ids=["object", "category", "str", "polars", "arrow", "columns", "dicts", "other order"],
)
def test_rows_of_every_kind_are_answered_as_the_pipeline_does(boosted, make):
    model = bareboat.Model(boosted)

    np.testing.assert_array_equal(model.predict_proba(make(TEST)), boosted.predict_proba(TEST))
    np.testing.assert_array_equal(model.predict(make(TEST)), boosted.predict(TEST))


@pytest.mark.parametrize("estimator", [LogisticRegression(), LinearSVC(), Ridge(), GradientBoostingRegressor()])
def test_each_kind_of_model_has_the_methods_that_it_can_answer(estimator):
    is_regressor = not is_classifier(estimator)
    y = TRAIN["age"].fillna(0) if is_regressor else ANSWER
    pipeline = fitted(estimator, y)

    model = bareboat.Model(pipeline)

    assert model.is_classifier is not is_regressor
    if is_regressor:
        np.testing.assert_allclose(model.predict(TEST), pipeline.predict(TEST), rtol=1e-12)
    else:
        assert list(model.predict(TEST)) == list(pipeline.predict(TEST))
        assert list(model.classes_) == list(pipeline.classes_)
    assert hasattr(model, "predict_proba") == isinstance(estimator, LogisticRegression)
    assert hasattr(model, "decision_function") == isinstance(estimator, LinearSVC)
    assert hasattr(model, "classes_") is not is_regressor
    if isinstance(estimator, LogisticRegression):
        np.testing.assert_allclose(model.predict_proba(TEST), pipeline.predict_proba(TEST), rtol=1e-12)
    if isinstance(estimator, LinearSVC):
        np.testing.assert_allclose(model.decision_function(TEST), pipeline.decision_function(TEST), atol=1e-12)


def test_it_is_an_estimator_that_is_fitted(boosted):
    model = bareboat.Model(boosted, n_threads=2)

    assert list(model.feature_names_in_) == list(boosted.feature_names_in_)
    assert (model.n_features_in_, model.n_outputs_) == (4, 1)
    assert clone(model) is model
    assert is_classifier(model)
    assert model.get_params() == {"n_threads": 2}
    assert model.score(TRAIN, ANSWER) == pytest.approx(boosted.score(TRAIN, ANSWER))
    with pytest.raises(ValueError, match="Invalid parameter 'depth' for estimator Model"):
        model.set_params(depth=1)


def test_it_is_saved_and_pickled(boosted, tmp_path):
    model = bareboat.Model(boosted)
    model.save(tmp_path / "churn.pipeline")

    for other in (bareboat.Model(tmp_path / "churn.pipeline"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict_proba(TEST), model.predict_proba(TEST))
        assert repr(other) == repr(model)


def test_bare_trees_are_a_forest(boosted):
    trees = boosted["model"]
    matrix = boosted["columns"].transform(TEST)

    model = bareboat.Model(trees)

    np.testing.assert_array_equal(
        model.predict_proba(matrix), trees.booster_.predict(matrix)[:, None] ** [[1]] * [[-1, 1]] + [[1, 0]]
    )
    assert model.forest.n_trees == 10
    assert bareboat.Model(model.forest).forest is model.forest
    with pytest.raises(AttributeError, match="bare trees"):
        _ = model.pipeline
    with pytest.raises(AttributeError, match="no forest of its own"):
        _ = bareboat.Model(boosted).forest
    other = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(other.predict(matrix), model.predict(matrix))


def test_rows_that_do_not_fit_are_refused_by_column_and_row(boosted):
    model = bareboat.Model(boosted)

    with pytest.raises(RowsError, match="city is 7 in row 0"):
        model.predict(TEST.assign(city=7))
    with pytest.raises(InputError, match="yet now missing: fuel"):
        model.predict(TEST.drop(columns="fuel"))
    strict = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(
        TRAIN[["fuel"]].dropna(), ANSWER[TRAIN["fuel"].notna()]
    )
    with pytest.raises(RowsError, match="fuel is 'steam' in row 1, which the model cannot answer"):
        bareboat.Model(strict).predict(pandas.DataFrame({"fuel": ["gas", "steam"]}))


def test_no_rows_have_no_answers(boosted):
    assert bareboat.Model(boosted).predict_proba(TEST[:0]).shape == (0, 2)
    assert bareboat.Model(boosted).predict(TEST[:0]).shape == (0,)


class Doubled(StandardScaler):
    pass


def test_a_step_that_is_not_known_is_named():
    pipeline = make_pipeline(Doubled(), Ridge()).fit(TRAIN[["income"]].dropna(), TRAIN["income"].dropna())

    with pytest.raises(NotCompilable, match="Doubled"):
        bareboat.Model(pipeline)
