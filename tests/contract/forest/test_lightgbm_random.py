"""Small LightGBM models of random parameters and columns, on hard rows: raw scores to the bit, outputs to 1 ulp."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.forest import read_ensemble, reference, write_forest
from bareboat.runtime.forest import load_forest

PARAMETERS = st.fixed_dictionaries(
    {
        "objective": st.sampled_from(["regression", "binary", "multiclass", "poisson", "cross_entropy_lambda"]),
        "boosting": st.sampled_from(["gbdt", "dart"]),
        "num_leaves": st.integers(2, 40),
        "min_data_in_leaf": st.integers(1, 20),
        "max_bin": st.sampled_from([2, 3, 15, 63, 255, 500]),
        "min_data_in_bin": st.integers(1, 4),
        "use_missing": st.booleans(),
        "zero_as_missing": st.booleans(),
        "extra_trees": st.booleans(),
        "path_smooth": st.sampled_from([0.0, 2.0]),
        "max_cat_to_onehot": st.sampled_from([1, 4, 100]),
        "min_data_per_group": st.sampled_from([1, 50]),
        "cat_smooth": st.sampled_from([0.0, 10.0]),
        "learning_rate": st.sampled_from([0.05, 0.3, 1.0]),
    }
)
KINDS = st.lists(
    st.sampled_from(["plain", "steps", "zeros", "missing", "huge", "tiny", "codes"]), min_size=1, max_size=5
)


def column(kind: str, rng: np.random.Generator, n: int) -> np.ndarray:
    values = rng.normal(size=n)
    match kind:
        case "steps":
            return np.round(values)
        case "zeros":
            return np.where(rng.random(n) < 0.6, 0.0, values)
        case "missing":
            return np.where(rng.random(n) < 0.3, np.nan, values)
        case "huge":
            return values * 1e200
        case "tiny":
            return values * 1e-34
        case "codes":
            return np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 60, n))
    return values


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parameters=PARAMETERS, kinds=KINDS, seed=st.integers(0, 2**31 - 1))
def test_scores_equal_lightgbm_bit_for_bit(
    parameters: dict[str, Any], kinds: list[str], seed: int, samples: ModuleType, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    x = np.stack([column(kind, rng, 120) for kind in kinds], axis=1)
    y = np.nan_to_num(x[:, 0]) > np.median(np.nan_to_num(x[:, 0]))
    y = (y + rng.integers(0, 2, 120)) if parameters["objective"] in ("multiclass", "regression") else y
    common: dict[str, Any] = {"verbose": -1, "num_threads": 1, "seed": seed % 1000, "feature_pre_filter": False}
    if parameters["objective"] == "multiclass":
        common["num_class"] = 3
    codes = [place for place, kind in enumerate(kinds) if kind == "codes"]
    data = lightgbm.Dataset(x, y.astype(float), categorical_feature=codes)
    lightgbm.train(common | parameters, data, 4).save_model(tmp_path / "a.model")
    booster = lightgbm.Booster(model_file=tmp_path / "a.model")

    ensemble = read_ensemble(tmp_path / "a.model")

    rows = np.array(samples.hard_rows(ensemble, seed, 80))
    raw = booster.predict(rows, raw_score=True, num_threads=1).reshape(80, -1)
    outputs = booster.predict(rows, num_threads=1).reshape(80, -1)
    write_forest(ensemble, tmp_path / "a.forest")
    assert np.array(load_forest(str(tmp_path / "a.forest")).raw_scores(rows.tolist())).tobytes() == raw.tobytes()
    assert np.array(reference.raw_scores(ensemble, rows[:20].tolist())).tobytes() == raw[:20].tobytes()
    predicted = np.array(reference.predict(ensemble, rows.tolist()))
    assert max(map(samples.ulps, predicted.ravel(), outputs.ravel())) <= 1


@pytest.mark.parametrize("seed", range(3))
def test_rows_at_every_threshold_and_its_neighbours_are_scored_as_lightgbm_does(
    seed: int, trained: ModuleType, tmp_path: Path
) -> None:
    case = ("binary", "regression with categories", "zero_as_missing")[seed]
    booster, path, seen = trained.train(case, tmp_path)
    ensemble = read_ensemble(path)
    trees = ensemble.trees
    numeric = trees.set_number < 0
    rows = []
    for feature, cut in zip(trees.feature[numeric].tolist(), trees.threshold[numeric].tolist(), strict=True):
        for value in (np.nextafter(cut, -np.inf), cut, np.nextafter(cut, np.inf)):
            row = seen[len(rows) % len(seen)].copy()
            row[feature] = value
            rows.append(row)
    write_forest(ensemble, tmp_path / "a.forest")

    scores = np.array(load_forest(str(tmp_path / "a.forest")).raw_scores(np.array(rows).tolist()))

    assert scores.tobytes() == booster.predict(np.array(rows), raw_score=True, num_threads=1).tobytes()
