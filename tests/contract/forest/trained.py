"""LightGBM models over every objective and kind of column, trained in the test, each saved as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

N = 500
Columns = tuple[np.ndarray, np.ndarray]


def numbers(rng: np.random.Generator) -> Columns:
    """Eight columns: plain, with NaN, mostly zero, of few values, tiny; a target with signal in them."""
    x = rng.normal(size=(N, 8))
    x[rng.random(N) < 0.2, 1] = np.nan
    x[rng.random(N) < 0.7, 2] = 0.0
    x[:, 3] = rng.integers(-2, 3, N)
    x[:, 4] *= 1e-3
    x[rng.random(N) < 0.4, 5] = np.nan
    x[rng.random(N) < 0.3, 5] = 0.0
    signal = np.nan_to_num(x[:, 0] + x[:, 1] * x[:, 3] + 2 * (x[:, 2] > 0) + np.isnan(x[:, 5]))
    return x, signal + rng.normal(size=N) * 0.3


def categories(rng: np.random.Generator) -> Columns:
    """The same with three categorical columns of 5, 40 and 700 codes (6, 0, 7), NaN among them."""
    x, y = numbers(rng)
    x[:, 6] = rng.integers(0, 5, N)
    x[:, 0] = rng.integers(0, 40, N)
    x[:, 7] = rng.integers(0, 700, N) * 3
    x[rng.random(N) < 0.1, 0] = np.nan
    return x, y + np.nan_to_num(x[:, 0] % 3) + x[:, 6] % 2


def crowds(rng: np.random.Generator) -> Columns:
    """Columns of 2000 and 12 codes (0, 6) among numbers, most codes rare, and NaN in both; 4000 rows."""
    x = rng.normal(size=(4000, 8))
    x[:, 0] = np.floor(2000 * rng.random(4000) ** 2) * 7
    x[:, 6] = rng.integers(0, 12, 4000)
    x[rng.random(4000) < 0.05, 0] = np.nan
    x[rng.random(4000) < 0.05, 6] = np.nan
    return x, x[:, 1] + np.nan_to_num(x[:, 0] % 5) + np.nan_to_num(x[:, 6] % 3)


def wide(rng: np.random.Generator) -> Columns:
    """300 columns, which a byte does not count."""
    x = rng.normal(size=(N, 300))
    return x, x @ rng.normal(size=300)


def _binary(y: np.ndarray) -> np.ndarray:
    return (y > np.median(y)).astype(float)


def _classes(y: np.ndarray) -> np.ndarray:
    return np.digitize(y, np.quantile(y, [0.3, 0.6])).astype(float)


def _positive(y: np.ndarray) -> np.ndarray:
    return np.exp(y / 4)


def _unit(y: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-y))


def _grades(y: np.ndarray) -> np.ndarray:
    return np.digitize(y, np.quantile(y, [0.5, 0.8])).astype(float)


def _same(y: np.ndarray) -> np.ndarray:
    return y


Case = tuple[dict[str, Any], Callable[[np.ndarray], np.ndarray], Callable[[np.random.Generator], Columns]]

CASES: dict[str, Case] = {
    "binary": ({"objective": "binary"}, _binary, numbers),
    "binary with a sigmoid factor": ({"objective": "binary", "sigmoid": 1.3731}, _binary, numbers),
    "binary with categories": ({"objective": "binary", "max_cat_to_onehot": 2}, _binary, categories),
    "one-hot categories": ({"objective": "binary", "max_cat_to_onehot": 1000}, _binary, categories),
    "multiclass": ({"objective": "multiclass", "num_class": 3}, _classes, numbers),
    "multiclass with two classes": ({"objective": "multiclass", "num_class": 2}, _binary, numbers),
    "multiclassova": ({"objective": "multiclassova", "num_class": 3, "sigmoid": 0.77}, _classes, categories),
    "regression": ({"objective": "regression"}, _same, numbers),
    "regression with categories": ({"objective": "regression", "min_data_per_group": 5}, _same, categories),
    "regression_l1": ({"objective": "regression_l1"}, _same, numbers),
    "reg_sqrt": ({"objective": "regression", "reg_sqrt": True}, _same, numbers),
    "reg_sqrt of l1": ({"objective": "regression_l1", "reg_sqrt": True}, _same, numbers),
    "huber": ({"objective": "huber"}, _same, numbers),
    "fair": ({"objective": "fair"}, _same, numbers),
    "poisson": ({"objective": "poisson"}, _positive, numbers),
    "quantile": ({"objective": "quantile", "alpha": 0.3}, _same, numbers),
    "mape": ({"objective": "mape"}, _positive, numbers),
    "gamma": ({"objective": "gamma"}, _positive, numbers),
    "tweedie": ({"objective": "tweedie", "tweedie_variance_power": 1.3}, _positive, numbers),
    "cross_entropy": ({"objective": "cross_entropy"}, _unit, numbers),
    "cross_entropy_lambda": ({"objective": "cross_entropy_lambda"}, _unit, numbers),
    "lambdarank": ({"objective": "lambdarank"}, _grades, numbers),
    "rank_xendcg": ({"objective": "rank_xendcg"}, _grades, numbers),
    "random forest": (
        {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        _binary,
        numbers,
    ),
    "random forest of a regression": (
        {"objective": "regression", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        _same,
        categories,
    ),
    "random forest of three classes": (
        {"objective": "multiclass", "num_class": 3, "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        _classes,
        numbers,
    ),
    "dart": ({"objective": "regression", "boosting": "dart", "drop_rate": 0.5}, _same, numbers),
    "linear trees": ({"objective": "regression", "linear_tree": True}, _same, numbers),
    "linear trees of a binary": ({"objective": "binary", "linear_tree": True}, _binary, numbers),
    "linear trees with categories": ({"objective": "regression", "linear_tree": True}, _same, categories),
    "zero_as_missing": ({"objective": "binary", "zero_as_missing": True}, _binary, numbers),
    "use_missing=false": ({"objective": "binary", "use_missing": False}, _binary, numbers),
    "trees of one leaf": ({"objective": "regression", "min_data_in_leaf": 400}, _same, numbers),
    "a multiclass with trees of one leaf": (
        {"objective": "multiclass", "num_class": 3, "min_data_in_leaf": 60, "min_gain_to_split": 12},
        _classes,
        numbers,
    ),
    "400 leaves": ({"objective": "regression", "num_leaves": 400, "min_data_in_leaf": 1}, _same, numbers),
    "max_bin of 1000": (
        {"objective": "regression", "max_bin": 1000, "min_data_in_bin": 1, "num_leaves": 300, "min_data_in_leaf": 1},
        _same,
        numbers,
    ),
    "max_bin of 15": ({"objective": "binary", "max_bin": 15}, _binary, numbers),
    "max_bin of 1023": (
        {"objective": "regression", "max_bin": 1023, "min_data_in_bin": 1, "num_leaves": 63, "min_data_in_leaf": 1},
        _same,
        crowds,
    ),
    "thousands of categories": (
        {"objective": "binary", "max_cat_threshold": 2000, "min_data_per_group": 1, "cat_smooth": 0, "cat_l2": 0},
        _binary,
        crowds,
    ),
    "300 columns": ({"objective": "regression", "num_leaves": 60, "min_data_in_leaf": 1}, _same, wide),
    "goss": ({"objective": "binary", "data_sample_strategy": "goss", "learning_rate": 0.5}, _binary, numbers),
    "path_smooth": ({"objective": "regression", "path_smooth": 3.0}, _same, categories),
    "quantised gradients": ({"objective": "regression", "use_quantized_grad": True}, _same, numbers),
    "no average to start from": ({"objective": "poisson", "boost_from_average": False}, _positive, numbers),
    "dart of three classes": (
        {"objective": "multiclass", "num_class": 3, "boosting": "dart", "drop_rate": 0.5, "xgboost_dart_mode": True},
        _classes,
        categories,
    ),
    "random forest of cross_entropy": (
        {"objective": "cross_entropy", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        _unit,
        numbers,
    ),
    "linear trees of three classes": (
        {"objective": "multiclass", "num_class": 3, "linear_tree": True},
        _classes,
        numbers,
    ),
    "linear trees of one leaf": (
        {"objective": "regression", "linear_tree": True, "min_data_in_leaf": 400},
        _same,
        numbers,
    ),
    "zero_as_missing with categories": ({"objective": "regression", "zero_as_missing": True}, _same, categories),
    "use_missing=false with categories": ({"objective": "regression", "use_missing": False}, _same, categories),
    "extra trees": ({"objective": "binary", "extra_trees": True}, _binary, numbers),
    "monotone": (
        {"objective": "regression", "monotone_constraints": [1, 0, 0, -1, 0, 0, 0, 0]},
        _same,
        numbers,
    ),
}


_CATEGORICAL = {categories: [0, 6, 7], crowds: [0, 6]}


def train(name: str, folder: Path) -> tuple[lightgbm.Booster, Path, np.ndarray]:
    """Train one case and save it; return the model as loaded from its file, the file and the rows it saw."""
    parameters, target, columns = CASES[name]
    rng = np.random.default_rng(20260721)
    x, y = columns(rng)
    data = lightgbm.Dataset(x, target(y), categorical_feature=_CATEGORICAL.get(columns, []))
    if "rank" in parameters["objective"]:
        data.set_group([20] * (N // 20))
    common = {"verbose": -1, "num_threads": 1, "num_leaves": 15, "min_data_in_leaf": 5, "seed": 1}
    booster = lightgbm.train(common | parameters, data, num_boost_round=8)
    path = folder / f"{name}.model".replace(" ", "-")
    booster.save_model(path)
    return lightgbm.Booster(model_file=path), path, x
