"""Models that earlier versions of XGBoost saved, with what those versions predicted.

`recorded/xgboost-VERSION.json` holds, from a session with that version: rows (null is NaN), models as saved in JSON,
and for each its margins, outputs and leaves; up to 1.7 also a model in the binary format of old. The rows are float32.

Before 1.3 (dart: 1.4) XGBoost added the base margin after the trees, so the last bit of a margin may differ: those are
held to the bit against the XGBoost of today, which reads them too.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.errors import ModelError
from bareboat.forest import reference
from bareboat.forest.readers import read_ensemble

RECORDED = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "recorded").glob("xgboost-*")}
MODELS = [(stem, model["name"]) for stem, recorded in RECORDED.items() for model in recorded["models"]]


def of(stem: str, name: str) -> tuple[dict[str, Any], list[list[float]]]:
    recorded = RECORDED[stem]
    rows = [[np.nan if value is None else value for value in row] for row in recorded["rows"]]
    return next(model for model in recorded["models"] if model["name"] == name), rows


def todays_margins(path: Path, rows: list[list[float]]) -> np.ndarray:
    xgboost = pytest.importorskip("xgboost")
    with xgboost.config_context(verbosity=0):  # it warns of old models
        booster = xgboost.Booster({"nthread": 1}, model_file=path)
    matrix = xgboost.DMatrix(np.array(rows), feature_names=booster.feature_names, nthread=1)
    return np.asarray(booster.predict(matrix, output_margin=True)).reshape(len(rows), -1)


@pytest.mark.parametrize(("stem", "name"), MODELS)
def test_a_model_of_an_earlier_version_predicts_as_it_did(stem: str, name: str, tmp_path: Path) -> None:
    model, rows = of(stem, name)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model["model"]))

    ensemble = read_ensemble(path)

    assert ensemble.source.split()[:2] == ["xgboost", stem.partition("-")[2]]
    margins = np.float32(reference.raw_scores(ensemble, rows))
    outputs = np.float32(reference.predict(ensemble, rows))
    if stem in ("xgboost-1.0.2", "xgboost-1.3.3"):
        np.testing.assert_allclose(margins, model["margins"], rtol=2e-6)
        np.testing.assert_allclose(outputs, model["outputs"], rtol=2e-6)
        if (stem, name) != ("xgboost-1.0.2", "logitraw"):  # whose base score XGBoost reads in another way today
            np.testing.assert_array_equal(margins, todays_margins(path, rows))
    else:
        np.testing.assert_array_equal(margins, np.float32(model["margins"]))
        np.testing.assert_array_max_ulp(outputs, np.float32(model["outputs"]), maxulp=1)
    leaves = [
        [ensemble.trees[tree].leaf_id[leaf] for tree, leaf in enumerate(reference.leaves(ensemble, row))]  # type: ignore[index]
        for row in rows
    ]
    np.testing.assert_array_equal(leaves, model["leaves"])


@pytest.mark.parametrize("stem", [stem for stem, recorded in RECORDED.items() if "binary" in recorded])
def test_the_binary_format_of_old_is_refused_with_the_way_out(stem: str, tmp_path: Path) -> None:
    path = tmp_path / "model.deb"
    path.write_bytes(base64.b64decode(RECORDED[stem]["binary"]))

    with pytest.raises(ModelError, match="deprecated binary format") as caught:
        read_ensemble(path)

    assert "save_model('model.json')" in caught.value.problems[0].fix
