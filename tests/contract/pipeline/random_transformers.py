"""Random frames, random transformers fitted on them, and rows that they have not seen."""

from __future__ import annotations

import math
import random
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, SelectPercentile, VarianceThreshold, f_classif
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
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
    StandardScaler,
    TargetEncoder,
)

from bareboat.pipeline.ir import OTHER, Column
from bareboat.pipeline.ir import Pipeline as Compiled

WORDS = ["a", "b", "cc", "", "é", "🚣 boat", "nan", "None", "1", "A", "a "]
UNSEEN = ["z", "zz", "b ", "🚢", "0"]
NAMES = ["x", "x.y", "a b", "🚣", "", "x__y", "X", "0", "ä", "x-y", "class", "x:y"]
FUNCTIONS = [
    np.absolute, np.sqrt, np.exp, np.expm1, np.log, np.log1p, np.log2, np.log10, np.square, np.reciprocal, np.negative,
    np.sign, np.floor, np.ceil, np.rint, np.trunc, np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh,
    np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh, np.cbrt, np.exp2, special.expit, np.deg2rad, np.rad2deg,
    np.isnan, np.fabs, np.degrees, np.radians,
]  # fmt: skip


@dataclass
class Case:
    """A transformer that is fitted, and rows for it.

    Args:
        kinds: of each column num, int, bool or text.
        rows: lists of numbers, booleans, text and None.
        is_frame: whether it was fitted on a frame.
    """

    transformer: Any
    names: list[str]
    kinds: list[str]
    rows: list[list[Any]]
    is_frame: bool


def number(rng: random.Random, *, unseen: bool = False) -> float:
    """Draw a number; small ones come often, so that some are equal."""
    kind = rng.random()
    if kind < 0.5:
        return float(rng.randint(-3, 3))
    if kind < 0.6:
        return rng.choice([0.0, -0.0, 0.5, 1e-300, 1e-16, 0.1])
    return rng.gauss(0, 1) * 10 ** rng.randint(-3, 6 if unseen else 3)


def drawn_column(rng: random.Random, kind: str, n: int) -> list[Any]:
    """Draw a column to fit on."""
    missing = rng.choice([0.0, 0.0, 0.2])
    if kind == "num":
        return [math.nan if rng.random() < missing else number(rng) for _ in range(n)]
    if kind == "int":
        return [rng.randint(0, 4) for _ in range(n)]
    if kind == "bool":
        return [rng.random() < 0.5 for _ in range(n)]
    gap = rng.choice([None, math.nan])
    some = rng.sample(WORDS, rng.randint(1, len(WORDS)))
    return [gap if rng.random() < missing else rng.choice(some) for _ in range(n)]


def drawn_value(rng: random.Random, kind: str, seen: list[Any]) -> Any:
    """Draw a value to transform: seen, unseen or missing."""
    if rng.random() < 0.12:
        return None
    if rng.random() < 0.6:
        value = rng.choice(seen)
        return None if value is None or value != value else value
    if kind == "text":
        return rng.choice(UNSEEN + WORDS)
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "int":
        return float(rng.choice([0, 1, 2, 3, 4, 5, 7, -1, 1.5]))
    return number(rng, unseen=True)


def drawn_case(rng: random.Random) -> Case | None:
    """Draw a transformer and fit it; None where scikit-learn refuses to."""
    n, width = rng.randint(4, 40), rng.randint(1, 7)
    is_frame = rng.random() < 0.85
    kinds = [rng.choice(["num", "num", "int", "bool", "text", "text"] if is_frame else ["num"]) for _ in range(width)]
    names = rng.sample(NAMES, width)
    columns = [drawn_column(rng, kind, n) for kind in kinds]
    target = [rng.randint(0, 2) for _ in range(n)] if rng.random() < 0.5 else [i % 2 for i in range(n)]
    transformer = drawn_transformer(rng, kinds, is_frame)
    if is_frame and rng.random() < 0.1:
        try:
            transformer.set_output(transform="pandas")
        except ValueError:
            return None
    data: Any = trained_frame(rng, names, kinds, columns)
    if not is_frame:
        data = np.array(columns, np.float64).T
        if rng.random() < 0.2:
            data = data.astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            transformer.fit(data, target)
        except Exception:  # noqa: BLE001 - it fits or it does not
            return None
    rows = [
        [drawn_value(rng, kind, column) for kind, column in zip(kinds, columns, strict=True)]
        for _ in range(rng.randint(1, 12))
    ]
    return Case(transformer, names if is_frame else [f"x{i}" for i in range(width)], kinds, rows, is_frame)


def trained_frame(rng: random.Random, names: list[str], kinds: list[str], columns: list[list[Any]]) -> pd.DataFrame:
    """Make a frame; text stands in columns of objects or of pandas' own kinds."""
    series = {}
    for name, kind, column in zip(names, kinds, columns, strict=True):
        dtype = {"num": "float64", "int": "int64", "bool": "bool"}.get(kind)
        if dtype is None:
            dtype = rng.choice(["object", "object", "str", "category"])
        series[name] = pd.Series(column, dtype=dtype)
    return pd.DataFrame(series)


def drawn_transformer(rng: random.Random, kinds: list[str], is_frame: bool) -> Any:
    """Draw a transformer of all columns."""
    if not is_frame:
        return numeric(rng, 3)
    places: dict[str, list[int]] = {"num": [], "text": [], "rest": []}
    for place, kind in enumerate(kinds):
        where = "text" if kind == "text" else rng.choice(["num", "num", "num", "text", "rest"])
        if kind == "text" and rng.random() < 0.1:
            where = "rest"
        places[where].append(place)
    parts: list[Any] = []
    if places["num"]:
        parts.append(("num", numeric(rng, rng.randint(1, 3)), places["num"]))
    if places["text"]:
        parts.append(("text", categorical(rng), places["text"]))
    if rng.random() < 0.2:
        parts.append(("none", rng.choice([StandardScaler(), "drop", "passthrough"]), []))
    if rng.random() < 0.2 and places["num"]:
        parts.append(
            (
                "again",
                rng.choice(["passthrough", "drop", numeric(rng, 1)]),
                rng.choice([places["num"][0:1], places["num"]]),
            )
        )
    rng.shuffle(parts)
    has_text = any(kinds[place] == "text" for place in places["rest"])
    remainder: Any = "drop" if has_text else rng.choice(["drop", "passthrough", "passthrough", numeric(rng, 1)])
    if not parts or rng.random() < 0.05:
        return numeric(rng, 3) if not has_text and not places["text"] else categorical(rng)
    result: Any = ColumnTransformer(
        parts,
        remainder=remainder,
        sparse_threshold=rng.choice([0.0, 0.3, 1.0]),
        verbose_feature_names_out=True,
        transformer_weights=rng.choice([None, None, {parts[0][0]: rng.choice([2, 0.3, -1.7])}]),
    )
    if rng.random() < 0.5:
        return Pipeline([("columns", result), ("then", numeric(rng, rng.randint(1, 2)))])
    return result


def categorical(rng: random.Random) -> Any:
    """Draw a transformer of text, booleans and whole numbers."""
    steps: list[Any] = []
    kind = rng.random()
    if kind < 0.35:
        steps.append(
            (
                "fill",
                SimpleImputer(
                    strategy="most_frequent",
                    add_indicator=rng.random() < 0.15,
                    missing_values=rng.choice([np.nan, np.nan, None, pd.NA, "a", ""]),
                    keep_empty_features=rng.random() < 0.3,
                ),
            )
        )
    elif kind < 0.55:
        steps.append(
            (
                "fill",
                SimpleImputer(
                    strategy="constant",
                    fill_value=rng.choice([None, "missing", "a", ""]),
                    missing_values=rng.choice([np.nan, np.nan, None, pd.NA]),
                ),
            )
        )
    elif kind < 0.58:
        return MissingIndicator(features=rng.choice(["all", "missing-only"]), error_on_new=rng.random() < 0.5)
    steps.append(("code", encoder(rng)))
    if rng.random() < 0.3:
        steps.append(("then", numeric(rng, 1)))
    if rng.random() < 0.1:
        return FeatureUnion([("one", Pipeline(steps)), ("two", encoder(rng))])
    return Pipeline(steps) if len(steps) > 1 or rng.random() < 0.3 else steps[0][1]


def encoder(rng: random.Random) -> Any:
    """Draw one of the three encoders."""
    kind = rng.random()
    rare: dict[str, Any] = rng.choice(
        [{}, {}, {"min_frequency": rng.choice([2, 3, 0.2])}, {"max_categories": rng.choice([1, 2, 3])}]
    )
    if kind < 0.55:
        unknown = rng.choice(["error", "ignore", "infrequent_if_exist", "warn"])
        return OneHotEncoder(
            drop=rng.choice([None, None, "first", "if_binary"]),
            handle_unknown=unknown,
            sparse_output=rng.random() < 0.5,
            dtype=rng.choice([np.float64, np.float64, int, np.float32]),
            **rare,
        )
    if kind < 0.8:
        if rng.random() < 0.3:
            return OrdinalEncoder(encoded_missing_value=rng.choice([np.nan, -2]), **rare)
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=rng.choice([-1, np.nan, 99]),
            encoded_missing_value=rng.choice([np.nan, -2]),
            **rare,
        )
    return TargetEncoder(target_type=rng.choice(["auto", "binary", "continuous", "multiclass"]), cv=2, random_state=0)


def numeric(rng: random.Random, depth: int) -> Any:
    """Draw a transformer of numbers, which may be a chain."""
    if depth == 1:
        return single(rng)
    steps: list[Any] = [(f"s{place}", single(rng)) for place in range(depth)]
    if rng.random() < 0.6:
        steps.insert(0, ("fill", imputer(rng)))
    if rng.random() < 0.2:
        return FeatureUnion(
            [
                ("one", Pipeline(steps)),
                ("two", rng.choice([single(rng), "passthrough", "drop"])),
                ("three", MissingIndicator(features="all")),
            ],
            transformer_weights=rng.choice([None, {"one": 0.7}, {"two": 3}]),
        )
    return Pipeline(steps)


def imputer(rng: random.Random) -> Any:
    """Draw an imputer of numbers."""
    return SimpleImputer(
        strategy=rng.choice(["mean", "median", "most_frequent", "constant"]),
        missing_values=rng.choice([np.nan, np.nan, np.nan, 0, -1, pd.NA]),
        add_indicator=rng.random() < 0.3,
        keep_empty_features=rng.random() < 0.3,
    )


def single(rng: random.Random) -> Any:
    """Draw one step of numbers."""
    kind = rng.randrange(17)
    flag = rng.random() < 0.5
    if kind == 0:
        return StandardScaler(with_mean=flag, with_std=rng.random() < 0.8)
    if kind == 1:
        return MinMaxScaler(clip=flag, feature_range=rng.choice([(0, 1), (-2, 0.7)]))
    if kind == 2:
        return RobustScaler(with_centering=flag, with_scaling=rng.random() < 0.8, unit_variance=rng.random() < 0.2)
    if kind == 3:
        return MaxAbsScaler()
    if kind == 4:
        return Normalizer(norm=rng.choice(["l1", "l2", "max"]))
    if kind == 5:
        return KBinsDiscretizer(
            n_bins=rng.randint(2, 5),
            encode=rng.choice(["ordinal", "onehot", "onehot-dense"]),
            strategy=rng.choice(["uniform", "quantile", "kmeans"]),
        )
    if kind == 6:
        return PolynomialFeatures(
            degree=rng.choice([2, 3, (2, 3), 4]), interaction_only=flag, include_bias=rng.random() < 0.5
        )
    if kind == 7:
        return FunctionTransformer(rng.choice(FUNCTIONS), validate=flag)
    if kind == 8:
        return FunctionTransformer(None)
    if kind == 9:
        return rng.choice([PCA(n_components=rng.choice([None, 1]), whiten=flag), TruncatedSVD(n_components=1)])
    if kind == 10:
        return rng.choice([SelectKBest(f_classif, k=1), SelectPercentile(f_classif, percentile=50)])
    if kind == 11:
        return VarianceThreshold(rng.choice([0.0, 0.5]))
    if kind == 12:
        return rng.choice(
            [
                SelectFromModel(RandomForestClassifier(n_estimators=3, max_depth=2, random_state=0)),
                RFE(LogisticRegression(max_iter=20), n_features_to_select=1),
            ]
        )
    if kind == 13:
        return Binarizer(threshold=rng.choice([0.0, 0.5]))
    if kind == 14:
        return PowerTransformer(standardize=flag, method=rng.choice(["yeo-johnson", "yeo-johnson", "box-cox"]))
    if kind == 15:
        return QuantileTransformer(n_quantiles=rng.choice([3, 10]))
    return encoder(rng)


def coded(rows: list[list[Any]], pipeline: Compiled) -> np.ndarray:
    """Return rows of values as the numbers and codes that the pipeline takes."""
    return np.array(
        [[code(value, column) for value, column in zip(row, pipeline.columns, strict=True)] for row in rows]
    )


def code(value: Any, column: Column) -> float:
    """Return what a slot holds for a value."""
    if column.values is not None:
        codes = {(isinstance(each, bool), each): float(place) for place, each in enumerate(column.values)}
        if value is None:
            return codes.get((False, None), math.nan)
        return codes.get((isinstance(value, bool), value), OTHER)
    if value is None:
        return math.nan
    return math.nan if isinstance(value, str) else float(value)


def refusal(row: list[Any], pipeline: Compiled) -> str | None:
    """Return which column refuses a row, as the signature would."""
    for value, column in zip(row, pipeline.columns, strict=True):
        if value is None:
            if not column.nullable:
                return f"{column.name!r} is missing"
            continue
        known = column.values is None or value in column.values
        if column.enum is not None:
            known = value in column.enum
        elif column.values is None:
            known = True
        if not known and not column.others:
            return f"{column.name!r} is {value!r}"
    return None


def frame(case: Case, rows: list[list[Any]], pipeline: Compiled) -> Any:
    """Return rows as scikit-learn takes them: float64 numbers, Python text, None or NaN for null."""
    if not case.is_frame:
        return np.array([[math.nan if value is None else value for value in row] for row in rows], np.float64)
    series = {}
    for place, (name, kind) in enumerate(zip(case.names, case.kinds, strict=True)):
        column = [row[place] for row in rows]
        values = pipeline.columns[place].values
        gap = None if values is not None and None in values else math.nan
        if kind == "text" or gap is None or (kind == "bool" and pipeline.columns[place].dtype == "bool"):
            filled = [gap if value is None else value for value in column]
            dtype = "bool" if kind == "bool" and None not in column else "object"
            series[name] = pd.Series(filled, dtype=dtype)
        else:
            series[name] = pd.Series([math.nan if value is None else float(value) for value in column], dtype="float64")
    return pd.DataFrame(series)
