"""LightGBM's own example models, trained from its repository's `examples/` by their configurations.

The data is in no package. Give the folder of a checkout of microsoft/LightGBM in BAREBOAT_LIGHTGBM.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import lightgbm
import numpy as np
import pytest

from bareboat.forest import read_ensemble, write_forest
from bareboat.runtime.forest import load_forest

CHECKOUT = os.environ.get("BAREBOAT_LIGHTGBM")
pytestmark = pytest.mark.skipif(not CHECKOUT, reason="BAREBOAT_LIGHTGBM names no checkout of microsoft/LightGBM")
EXAMPLES = [
    ("binary_classification", "train.conf"),
    ("binary_classification", "train_linear.conf"),
    ("lambdarank", "train.conf"),
    ("multiclass_classification", "train.conf"),
    ("regression", "train.conf"),
    ("xendcg", "train.conf"),
]


def read_configuration(path: Path) -> dict[str, str]:
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines if line)}


def columns_of(path: Path, n_features: int) -> np.ndarray:
    """Read rows of label and values, or of label and index:value pairs."""
    rows = []
    for line in path.read_text().splitlines():
        words = line.split()[1:]
        if ":" in line:
            row = np.zeros(n_features)
            for word in words:
                place, _, value = word.partition(":")
                row[int(place)] = float(value)
        else:
            row = np.array(list(map(float, words)))
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize(("folder", "configuration"), EXAMPLES)
def test_an_example_is_scored_as_lightgbm_does(
    folder: str, configuration: str, samples: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CHECKOUT is not None
    monkeypatch.chdir(Path(CHECKOUT, "examples", folder))
    parameters = read_configuration(Path(configuration))
    test = parameters.pop("valid_data", "") or parameters.pop("valid", "")
    data = lightgbm.Dataset(parameters.pop("data"), params=parameters | {"verbose": -1})
    rounds = int(parameters.pop("num_trees"))
    unused = {"task", "output_model", "num_machines", "local_listen_port", "machine_list_file", "early_stopping"}
    common = {key: value for key, value in parameters.items() if key not in unused}
    lightgbm.train(common | {"num_threads": 1, "verbose": -1}, data, rounds).save_model(tmp_path / "a.model")
    booster = lightgbm.Booster(model_file=tmp_path / "a.model")

    ensemble = read_ensemble(tmp_path / "a.model")

    seen = columns_of(Path(test), ensemble.n_features)
    rows = np.concatenate([seen, np.array(samples.hard_rows(ensemble, 1, 300))])
    write_forest(ensemble, tmp_path / "a.forest")
    kernel = load_forest(str(tmp_path / "a.forest"))
    raw = booster.predict(rows, raw_score=True, num_threads=1).reshape(len(rows), -1)
    outputs = booster.predict(rows, num_threads=1).reshape(len(rows), -1)
    assert np.array(kernel.raw_scores(rows.tolist())).tobytes() == raw.tobytes()
    predicted = np.array(kernel.predict_many(rows.tolist()))[:, -outputs.shape[1] :]
    assert max(map(samples.ulps, predicted.ravel(), outputs.ravel())) <= 1
