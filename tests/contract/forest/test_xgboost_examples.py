"""XGBoost's own example, mushrooms of demo/data: margins to the bit and probabilities to 1 ulp, over its test rows.

The data is in no package. Give the folder of a checkout of dmlc/xgboost in BAREBOAT_XGBOOST.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bareboat.forest import write_forest
from bareboat.forest.readers import read_ensemble
from bareboat.runtime.forest import load_forest

xgboost = pytest.importorskip("xgboost")
CHECKOUT = os.environ.get("BAREBOAT_XGBOOST")
pytestmark = pytest.mark.skipif(not CHECKOUT, reason="BAREBOAT_XGBOOST names no checkout of dmlc/xgboost")

# The first is demo/CLI/binary_classification/mushroom.conf of earlier versions.
CONFIGURATIONS: list[dict[str, Any]] = [
    {"eta": 1.0, "gamma": 1.0, "min_child_weight": 1, "max_depth": 3},
    {"tree_method": "exact", "max_depth": 6},
    {"booster": "dart", "rate_drop": 0.3, "one_drop": 1},
]


@pytest.mark.parametrize("parameters", CONFIGURATIONS, ids=str)
def test_the_mushrooms_are_told_apart_as_by_xgboost(parameters: dict[str, Any], tmp_path: Path) -> None:
    from sklearn.datasets import load_svmlight_files

    folder = Path(CHECKOUT or "") / "demo" / "data"
    train, label, test, _ = load_svmlight_files([folder / "agaricus.txt.train", folder / "agaricus.txt.test"])
    known, rows = train.toarray(), test.toarray()
    known[known == 0] = rows[rows == 0] = np.nan  # what a sparse file leaves out is missing
    matrix = xgboost.DMatrix(known, label, nthread=1)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, **parameters}, matrix, 10)
    booster.save_model(tmp_path / "model.json")

    write_forest(read_ensemble(tmp_path / "model.json"), tmp_path / "model.forest")
    forest = load_forest(str(tmp_path / "model.forest"))

    asked = xgboost.DMatrix(rows, nthread=1)
    margins = np.array(forest.raw_scores(rows.tolist()))[:, 0]
    np.testing.assert_array_equal(margins, booster.predict(asked, output_margin=True))
    outputs = np.array(forest.predict_many(rows.tolist()))[:, 1]
    np.testing.assert_array_max_ulp(outputs.astype(np.float32), booster.predict(asked), maxulp=1)
