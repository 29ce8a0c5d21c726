"""The pipeline of the tables: 20 numbers and 10 texts, imputed, scaled, one-hot encoded, before 100 trees of 31 leaves.

Run by the interpreter of the peers' environment `models`, it keeps the pipeline and its ONNX form there, once.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import peers

NUMBERS = [f"number_{i}" for i in range(20)]
TEXTS = [f"text_{i}" for i in range(10)]
N_TRAIN, N_ROWS = 20_000, 1000


def frame(n: int, seed: int, *, strangers: bool = True) -> Any:
    """Make rows: a pandas.DataFrame of float64 and object columns, 5 % of each missing, 1 % of texts never seen."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for place, name in enumerate(NUMBERS):
        columns[name] = np.where(rng.random(n) < 0.05, np.nan, rng.normal(place, 1 + place, n))
    for place, name in enumerate(TEXTS):
        known = np.array([f"{name} {number}" for number in range(5 + 5 * place)], dtype=object)
        values = rng.choice(known, n)
        values[rng.random(n) < 0.05] = np.nan
        if strangers:
            values[rng.random(n) < 0.01] = "never seen"
        columns[name] = pd.Series(values, dtype=object)
    return pd.DataFrame(columns)


def answers(rows: Any) -> Any:
    """Return what there is to learn: (n,) texts."""
    rng = np.random.default_rng(0)
    score = sum(rows[name].fillna(place) * rng.normal() / (1 + place) for place, name in enumerate(NUMBERS))
    for name in TEXTS:
        weights = {value: rng.normal() for value in sorted(rows[name].dropna().unique())}
        score = score + rows[name].map(weights).astype(float).fillna(0)
    return np.where(score > score.median(), "yes", "no")


def pipeline() -> Any:
    from lightgbm import LGBMClassifier
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", texts, TEXTS)])
    trees = LGBMClassifier(n_estimators=100, num_leaves=31, verbose=-1, random_state=0, n_jobs=2)
    return Pipeline([("columns", columns), ("trees", trees)])


@dataclass(frozen=True)
class Trained:
    """What is kept: the fitted pipeline, its file, and its ONNX form (None where it could not be converted)."""

    pipeline: Any
    file: Path
    onnx: Path | None
    onnx_error: str


def trained() -> Trained:
    """Train, or take what was trained by this very file."""
    place = peers.folder() / "models" / hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    file, onnx, failed = place / "churn.pkl", place / "churn.onnx", place / "onnx.txt"
    if not file.exists():
        place.mkdir(parents=True, exist_ok=True)
        rows = frame(N_TRAIN, 1, strangers=False)
        fitted = pipeline().fit(rows, answers(rows))
        try:
            onnx.write_bytes(_converted(fitted))
            failed.write_text("")
        except Exception as error:  # noqa: BLE001 - whatever the converter raises costs its row alone
            failed.write_text(f"{type(error).__name__}: {error}")
        file.with_suffix(".part").write_bytes(pickle.dumps(fitted))
        file.with_suffix(".part").rename(file)
    reason = failed.read_text()
    return Trained(pickle.loads(file.read_bytes()), file, None if reason else onnx, reason)


def _converted(fitted: Any) -> bytes:
    """Convert to ONNX as skl2onnx's documentation says for LightGBM; without the imputer of texts, which it lacks.

    A missing text comes as the text that the imputer would put in its place.
    """
    from lightgbm import LGBMClassifier
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from skl2onnx import convert_sklearn, update_registered_converter
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    update_registered_converter(
        LGBMClassifier, "LightGbmLGBMClassifier", calculate_linear_classifier_output_shapes, convert_lightgbm,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )  # fmt: skip
    columns = fitted["columns"]
    bare = ColumnTransformer(columns.transformers)
    bare.__dict__.update(columns.__dict__)
    (numbers, scale, number_names), (texts, encode, text_names) = columns.transformers_[:2]
    bare.transformers_ = [(numbers, scale, number_names), (texts, encode[-1], text_names)]
    types = [(name, FloatTensorType([None, 1])) for name in NUMBERS] + [
        (name, StringTensorType([None, 1])) for name in TEXTS
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = convert_sklearn(
            Pipeline([("columns", bare), ("trees", fitted["trees"])]), "churn", types,
            target_opset={"": 17, "ai.onnx.ml": 3}, options={id(fitted["trees"]): {"zipmap": False}},
        )  # fmt: skip
    data: bytes = model.SerializeToString()
    return data


def onnx_inputs(fitted: Any, rows: Any) -> dict[str, Any]:
    """Return rows as ONNX Runtime takes them: (n, 1) float32 and texts, the missing ones filled in."""
    inputs = {name: rows[[name]].to_numpy(np.float32) for name in NUMBERS}
    filled = fitted["columns"].named_transformers_["texts"][0].transform(rows[TEXTS])
    return inputs | {name: filled[:, [place]].astype(object) for place, name in enumerate(TEXTS)}
