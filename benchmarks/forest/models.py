"""The models that engines are compared on, trained once into the folder of the peers.

    S  LightGBM, iris: 10 rounds x 3 classes, 3 leaves
    M  LightGBM, binary: 100 trees x 31 leaves, 28 features
    C  LightGBM, binary: 200 trees x 31 leaves, 12 numeric and 6 categorical features of 5 to 800 categories, NaN
    L  LightGBM, regression: 1000 trees x 255 leaves, 50 features
    X  XGBoost, exact greedy: 500 trees of depth 8, 20 features, regression
    F  RandomForestClassifier: 300 trees of unlimited depth, 20 features, 2 classes

Data is made by seeded generators, so that anyone trains the same kind of model; figures belong to the run that
trained and compared them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("S", "M", "C", "L", "X", "F")


@dataclass(frozen=True)
class Model:
    """A trained model: `file` is what its framework saved, `rows` (n, n_features) float64 to score."""

    name: str
    family: str
    file: Path
    rows: np.ndarray[Any, np.dtype[np.float64]]

    def batch(self, n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return n rows, the kept ones over and over."""
        return np.ascontiguousarray(np.resize(self.rows, (n, self.rows.shape[1])))


def load(name: str, folder: Path) -> Model:
    """Return a model, trained if it is not there yet."""
    family, suffix, train = TRAINERS[name]
    file, rows = folder / f"{name}{suffix}", folder / f"{name}.npy"
    if not (file.exists() and rows.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        np.save(rows, train(file))
        print(f"trained {name} in {time.perf_counter() - started:.0f} s: {file.stat().st_size} bytes", flush=True)
    return Model(name, family, file, np.load(rows))


def _train_s(file: Path) -> np.ndarray[Any, Any]:
    import lightgbm
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    options = {"objective": "multiclass", "num_class": 3, "num_leaves": 3, "verbosity": -1, "seed": 1}
    lightgbm.train(options, lightgbm.Dataset(x, y), 10).save_model(file)
    return np.asarray(x, np.float64)


def _train_m(file: Path) -> np.ndarray[Any, Any]:
    import lightgbm

    x = np.random.default_rng(2).normal(size=(60_000, 28))
    score = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + x[:, 3:10].sum(1) / 3 + np.abs(x[:, 10:]).sum(1) / 9
    y = score > np.median(score)
    options = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "seed": 2}
    lightgbm.train(options, lightgbm.Dataset(x, y), 100).save_model(file)
    return x[:20_000]


def _train_c(file: Path) -> np.ndarray[Any, Any]:
    import lightgbm

    random = np.random.default_rng(3)
    x = random.normal(size=(60_000, 18))
    x[random.random(x.shape) < 0.05] = np.nan
    score = np.nansum(x[:, :12], axis=1) / 12
    for column, count in zip(range(12, 18), (5, 12, 40, 120, 400, 800), strict=True):
        codes = random.integers(0, count, len(x))
        score = score + random.normal(size=count)[codes]
        x[:, column] = np.where(random.random(len(x)) < 0.03, np.nan, codes)
    options = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "seed": 3, "max_cat_to_onehot": 1}
    data = lightgbm.Dataset(x, score > np.median(score), categorical_feature=list(range(12, 18)))
    lightgbm.train(options, data, 200).save_model(file)
    return x[:20_000]


def _train_l(file: Path) -> np.ndarray[Any, Any]:
    import lightgbm

    x = np.random.default_rng(4).normal(size=(60_000, 50))
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + (x[:, 3:] ** 2).sum(1) / 10 + x[:, 5] * (x[:, 6] > 0)
    options = {"objective": "regression", "num_leaves": 255, "verbosity": -1, "seed": 4, "learning_rate": 0.05}
    lightgbm.train(options, lightgbm.Dataset(x, y), 1000).save_model(file)
    return x[:20_000]


def _train_x(file: Path) -> np.ndarray[Any, Any]:
    import xgboost

    x = np.random.default_rng(5).normal(size=(20_000, 20)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + (x[:, 3:] ** 2).sum(1) / 5
    options = {"objective": "reg:squarederror", "tree_method": "exact", "max_depth": 8, "eta": 0.1, "seed": 5}
    xgboost.train(options, xgboost.DMatrix(x, y), 500).save_model(file)
    return x.astype(np.float64)


def _train_f(file: Path) -> np.ndarray[Any, Any]:
    import joblib
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(6)
    x = random.normal(size=(20_000, 20)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + x[:, 2:8].sum(1) + random.normal(size=len(x)) > 0
    joblib.dump(RandomForestClassifier(300, random_state=6, n_jobs=-1).fit(x, y), file)
    return x.astype(np.float64)


TRAINERS: dict[str, tuple[str, str, Callable[[Path], np.ndarray[Any, Any]]]] = {
    "S": ("lightgbm", ".txt", _train_s),
    "M": ("lightgbm", ".txt", _train_m),
    "C": ("lightgbm", ".txt", _train_c),
    "L": ("lightgbm", ".txt", _train_l),
    "X": ("xgboost", ".json", _train_x),
    "F": ("sklearn", ".joblib", _train_f),
}


def shape(model: Model) -> dict[str, int]:
    """Return what the framework says of a model: trees, leaves, features."""
    if model.family == "lightgbm":
        import lightgbm

        dump = lightgbm.Booster(model_file=model.file).dump_model()["tree_info"]
        return {"trees": len(dump), "leaves": sum(tree["num_leaves"] for tree in dump)}
    if model.family == "xgboost":
        trees = json.loads(model.file.read_text())["learner"]["gradient_booster"]["model"]["trees"]
        leaves = sum((int(tree["tree_param"]["num_nodes"]) + 1) // 2 for tree in trees)
        return {"trees": len(trees), "leaves": leaves}
    import joblib

    estimators = joblib.load(model.file).estimators_
    return {"trees": len(estimators), "leaves": sum(int(each.tree_.n_leaves) for each in estimators)}
