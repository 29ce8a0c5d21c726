"""Compiled transformers against scikit-learn's own transform."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_transformers import drawn_case
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from transformed import assert_close, assert_same, compiled, inverted

from bareboat.errors import InputError, ModelError
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.reference import evaluate

NUMBERS = np.array([[1.0, -2.5, 0.0], [2.0, 0.1, 3.0], [4.0, 7.0, -1.0], [8.0, 0.3, 5.0], [-3.0, 1.0, 2.0]])
TARGET = [0, 1, 0, 1, 1]
UNSEEN = np.array([[1.5, -2.5, 0.0], [1e6, -1e-6, 1.0], [-0.0, 0.0, 0.0], [1e-16, 0.0, -1e-17], [3.0, 3.0, 3.0]])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_random_transformers_answer_and_refuse_as_scikit_learn_does(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case = drawn_case(random.Random(seed))
    if case is None:
        return
    try:
        pipeline = compiled(case.transformer, case.names)
    except NotCompilable:
        return
    if pipeline is not None and "whiten=True" not in str(case.transformer):
        assert_same(case, pipeline)


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        MinMaxScaler(clip=True),
        MinMaxScaler((-3, 0.7)),
        RobustScaler(),
        RobustScaler(with_centering=False, unit_variance=True),
        MaxAbsScaler(),
        Normalizer("max"),
        Normalizer("l1"),
        Normalizer("l2"),
        Binarizer(threshold=0.3),
        KBinsDiscretizer(3, encode="ordinal", strategy="uniform"),
        KBinsDiscretizer(3, encode="onehot", strategy="uniform"),
        PolynomialFeatures(4),
        PolynomialFeatures((2, 3), interaction_only=True, include_bias=False),
        make_pipeline(KBinsDiscretizer(2, strategy="uniform"), PolynomialFeatures(3)),
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), StandardScaler(with_mean=False), MaxAbsScaler()),
        PCA(),
        PCA(2, whiten=True),
        TruncatedSVD(2),
        SelectKBest(k=2),
        PowerTransformer(),
        QuantileTransformer(n_quantiles=4),
        FunctionTransformer(np.arcsinh),
        FunctionTransformer(None),
        FeatureUnion([("a", StandardScaler()), ("b", "passthrough"), ("c", "drop")], transformer_weights={"a": 0.3}),
        Pipeline([("a", None), ("b", "passthrough"), ("c", Pipeline([("d", MinMaxScaler())]))]),
        ColumnTransformer([("a", StandardScaler(), [2, 0]), ("b", MinMaxScaler(), slice(1, 2)), ("c", "drop", [])]),
        ColumnTransformer([("a", MaxAbsScaler(), [True, False, True])], remainder=RobustScaler()),
        ColumnTransformer([("a", "passthrough", [-1])], remainder="passthrough"),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_transformer_gives_what_scikit_learn_gives(transformer: Any, dtype: type) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformer.fit(NUMBERS.astype(dtype), TARGET)

    pipeline = compiled(transformer, ["a", "b", "c"])

    assert pipeline is not None
    rows = np.vstack([NUMBERS, UNSEEN])
    expected = transformer.transform(rows)
    assert_close(
        evaluate(pipeline, rows)[0], expected.toarray() if hasattr(expected, "toarray") else expected, pipeline
    )


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(),
        StandardScaler(with_std=False),
        MinMaxScaler((-3, 0.7)),
        RobustScaler(),
        MaxAbsScaler(),
        PowerTransformer(),
        FunctionTransformer(np.log1p, np.expm1, check_inverse=False),
        FunctionTransformer(np.sqrt, check_inverse=False),
        Pipeline([("a", StandardScaler()), ("b", "passthrough"), ("c", MinMaxScaler())]),
    ],
    ids=str,
)
def test_an_inverse_gives_what_scikit_learn_gives(transformer: Any) -> None:
    transformer.fit(np.abs(NUMBERS))
    rows = UNSEEN[[0, 2, 3, 4]]

    pipeline = inverted(transformer, 3)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_close(evaluate(pipeline, rows)[0], transformer.inverse_transform(rows), pipeline)


def test_what_has_no_inverse_is_refused() -> None:
    with pytest.raises(NotCompilable, match=r"Normalizer.* has no inverse that can be compiled"):
        inverted(Normalizer(), 3)


def test_columns_tell_what_encoders_refuse() -> None:
    data = pd.DataFrame(
        {
            "open": ["a", "b", "a"],
            "shut": ["c", "d", "c"],
            "count": [1, 2, 3],
            "flag": [True, False, True],
            "n": [1.0, np.nan, 2],
        }
    )
    filled = make_pipeline(SimpleImputer(strategy="constant", fill_value="c"), OneHotEncoder())
    parts = [
        ("open", OneHotEncoder(handle_unknown="ignore"), ["open"]),
        ("shut", filled, make_column_selector("shut")),
        ("count", OrdinalEncoder(), ["count", "flag"]),
        ("n", PCA(), ["n"]),
    ]
    transformer = ColumnTransformer([*parts[:3], ("n", make_pipeline(SimpleImputer(), PCA()), ["n"])]).fit(data)

    pipeline = compiled(transformer, list(data))

    assert pipeline is not None
    told = {each.name: (each.dtype, each.values, each.others, each.nullable, each.enum) for each in pipeline.columns}
    assert told == {
        "open": ("string", ("a", "b"), True, True, None),
        "shut": ("string", ("c", "d"), False, True, None),
        "count": ("int", None, False, False, (1, 2, 3)),
        "flag": ("bool", None, False, False, None),
        "n": ("float", None, True, True, None),
    }


def test_a_missing_value_that_reaches_a_step_that_refuses_it_is_refused_at_the_door() -> None:
    scaled = make_pipeline(StandardScaler(), PCA()).fit(NUMBERS)
    imputed = make_pipeline(SimpleImputer(), PCA()).fit(NUMBERS)

    refused, answered = compiled(scaled, ["a", "b", "c"]), compiled(imputed, ["a", "b", "c"])

    assert refused is not None
    assert answered is not None
    assert [column.nullable for column in refused.columns] == [False] * 3
    assert [column.nullable for column in answered.columns] == [True] * 3


def test_an_unknown_category_that_becomes_nan_is_refused_where_nan_is() -> None:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    data = pd.DataFrame({"x": ["a", "b", "a"]})

    loose = compiled(make_pipeline(encoder).fit(data), ["x"])
    strict = compiled(make_pipeline(encoder, PCA()).fit(data), ["x"])

    assert loose is not None
    assert strict is not None
    assert loose.columns[0].others
    assert not strict.columns[0].others
    assert not strict.columns[0].nullable


def test_a_function_that_gives_an_infinity_is_refused_as_scikit_learn_refuses_it() -> None:
    transformer = make_pipeline(FunctionTransformer(np.log), StandardScaler()).fit(np.abs(NUMBERS) + 1)
    pipeline = compiled(transformer, ["a", "b", "c"])
    assert pipeline is not None

    with pytest.raises(ValueError, match="infinity"), np.errstate(divide="ignore"):
        transformer.transform([[1.0, 0.0, 2.0]])

    with pytest.raises(InputError):
        evaluate(pipeline, np.array([[1.0, 0.0, 2.0]]))


def test_a_column_that_is_only_asked_whether_it_is_missing_takes_anything() -> None:
    data = pd.DataFrame({"x": ["a", None, "b"]}, dtype=object)

    pipeline = compiled(MissingIndicator(missing_values=None).fit(data), ["x"])
    undecided = compiled(MissingIndicator().fit(pd.DataFrame({"x": [1.0, np.nan]})), ["x"])

    assert pipeline is not None
    assert undecided is not None
    assert pipeline.columns[0].values == (None,)
    assert undecided.columns[0].values == ()


def test_all_unknown_steps_are_named_with_their_path() -> None:
    transformer = ColumnTransformer(
        [
            ("words", Pipeline([("tfidf", TfidfVectorizer()), ("svd", TruncatedSVD())]), "text"),
            ("spline", SplineTransformer(), ["n"]),
            ("fill", KNNImputer(), ["n"]),
        ]
    )

    with pytest.raises(NotCompilable) as caught:
        compiled(transformer, ["text", "n"])

    assert caught.value.steps == (
        "pipeline step 'words' > 'tfidf' (sklearn.feature_extraction.text.TfidfVectorizer)",
        "pipeline step 'spline' (sklearn.preprocessing.SplineTransformer)",
        "pipeline step 'fill' (sklearn.impute.KNNImputer)",
    )
    assert "engine: framework" in caught.value.problems[0].fix


class OwnScaler(StandardScaler):
    """A class of somebody's own, whatever it is called."""


OwnScaler.__name__ = "StandardScaler"


def plus_one(x: Any) -> Any:
    return x + 1


@pytest.mark.parametrize(
    ("transformer", "said"),
    [
        (FunctionTransformer(lambda x: x), "calls a lambda"),
        (FunctionTransformer(plus_one), r"calls .*test_transformers\.plus_one"),
        (FunctionTransformer(np.add, kw_args={"x2": 1}), "kw_args"),
        (FunctionTransformer(np.nan_to_num), r"calls numpy\.nan_to_num"),
        (OwnScaler(), "cannot be compiled: pipeline step 's'"),
        (QuantileTransformer(n_quantiles=3, output_distribution="normal"), "output_distribution='normal'"),
        (KBinsDiscretizer(2, strategy="uniform", dtype=np.float32), "bins in float32"),
        (make_pipeline(Binarizer(), OneHotEncoder(dtype=np.float32), MaxAbsScaler()), "float32"),
    ],
)
def test_what_cannot_be_compiled_names_the_step(transformer: Any, said: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Pipeline([("s", transformer)]).fit(NUMBERS)

    with pytest.raises(NotCompilable, match=said) as caught:
        compiled(model, ["a", "b", "c"])

    assert caught.value.steps[0].startswith("pipeline step 's'")


@pytest.mark.parametrize(
    "transformer",
    [StandardScaler(), OneHotEncoder(), SimpleImputer(), PCA(), SelectKBest(), ColumnTransformer([("a", PCA(), [0])])],
    ids=str,
)
def test_a_step_that_is_not_fitted_is_named(transformer: Any) -> None:
    with pytest.raises(NotCompilable, match=r"pipeline step 's' .*not fitted"):
        compiled(Pipeline([("s", transformer)]), ["a"])


def test_a_category_that_is_a_date_is_refused() -> None:
    data = pd.DataFrame({"x": pd.to_datetime(["2024-01-01", "2024-01-02"])})

    with pytest.raises(ModelError, match="categories of datetime64"):
        compiled(OneHotEncoder().fit(data), ["x"])
