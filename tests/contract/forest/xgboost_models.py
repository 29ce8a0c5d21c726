"""XGBoost models of every kind, trained on demand, and hard rows for them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

FEATURES = 5
CATEGORICAL = 1
"""The feature that is categorical where a model has one."""

HARD = (
    np.nan,
    np.inf,
    -np.inf,
    0.0,
    -0.0,
    1e-45,
    -1e-45,
    5e-324,
    -5e-324,
    1e-40,
    3.4028234663852886e38,
    -3.4028234663852886e38,
    3.5e38,
    -3.5e38,
    1e300,
    -1e300,
    1.0,
    -0.5,
    2.9999999999,
    16777215.0,
    16777216.0,
    2147483648.0,
)


def data(seed: int, *, categories: int = 0, rows: int = 300) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rows with missing values and a target between 0 and 1."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, FEATURES))
    values[:, 2] = rng.integers(-2, 3, rows)  # few values, 0.0 among the thresholds
    values[:, 3] *= 1e-39  # subnormal thresholds
    if categories:
        values[:, CATEGORICAL] = rng.integers(0, categories, rows)
    target = values[:, 0] + np.sin(values[:, CATEGORICAL]) + values[:, 2] + rng.normal(size=rows)
    values[rng.random((rows, FEATURES)) < 0.1] = np.nan
    return values, (target - target.min()) / (target.max() - target.min() + 1e-9)


def train(
    parameters: dict[str, Any], seed: int, *, categories: int = 0, label: Any = None, rounds: int = 6, **more: Any
) -> xgb.Booster:
    """Train a booster on one thread."""
    values, target = data(seed, categories=categories)
    types = ["float"] * FEATURES
    if categories:
        types[CATEGORICAL] = "c"
    matrix = xgb.DMatrix(
        values, target if label is None else label(target), feature_types=types, enable_categorical=bool(categories)
    )
    return xgb.train({"nthread": 1, "seed": seed, **parameters}, matrix, rounds, **more)


def hard_rows(booster: xgb.Booster, seed: int) -> NDArray[np.float64]:
    """Return rows of values at, just below and just above thresholds, and of what is no ordinary number."""
    rng = np.random.default_rng(seed)
    document = json.loads(booster.save_raw("json"))
    model = document["learner"]["gradient_booster"]
    trees = model.get("gbtree", model)["model"]["trees"]
    columns: list[NDArray[np.float64]] = []
    for feature in range(FEATURES):
        cuts = [
            number
            for tree in trees
            for number, which, left in zip(
                tree["split_conditions"], tree["split_indices"], tree["left_children"], strict=True
            )
            if left != -1 and which == feature
        ]
        cut = np.array(cuts, np.float32)
        values = [
            cut,
            np.nextafter(cut, np.float32(np.inf)),
            np.nextafter(cut, np.float32(-np.inf)),
            np.nextafter(cut.astype(np.float64), np.inf),
            np.nextafter(cut.astype(np.float64), -np.inf),
            np.array(HARD),
            np.arange(-1.0, 80.0, 3.0),
        ]
        columns.append(rng.permutation(np.concatenate([each.astype(np.float64) for each in values])))
    rows = max(len(column) for column in columns)
    return np.stack([np.resize(column, rows) for column in columns], axis=1)


def margins(booster: xgb.Booster, rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return XGBoost's margins: (n, n_outputs)."""
    with xgb.config_context(verbosity=0):
        found = booster.inplace_predict(rows, predict_type="margin")
    return np.asarray(found, np.float32).reshape(len(rows), -1)


def finite(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rows that a DMatrix takes: it refuses what is infinite as float32."""
    with np.errstate(over="ignore"):
        return rows[~np.isinf(rows.astype(np.float32)).any(axis=1)]


def matrix(booster: xgb.Booster, rows: NDArray[np.float64]) -> xgb.DMatrix:
    """Return rows as the booster takes them."""
    return xgb.DMatrix(
        rows,
        feature_names=booster.feature_names,
        feature_types=booster.feature_types,
        enable_categorical=True,
        nthread=1,
    )


def frame(seed: int, rows: int = 300) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return a data frame with columns of categories by name, and its target."""
    rng = np.random.default_rng(seed)
    colour = pd.Categorical(
        rng.choice(["red", "green", "blue", ""], rows), categories=["red", "green", "unused", "blue", ""]
    )
    size = pd.Categorical(rng.choice([35, 10, 20], rows), categories=[35, 10, 20])
    values = pd.DataFrame({"x": rng.normal(size=rows), "colour": colour, "size": size})
    target = values["x"] + (values["colour"] == "green") * 2.0 + (values["size"] == 10) + rng.normal(size=rows)
    return values, target.to_numpy(np.float64)
