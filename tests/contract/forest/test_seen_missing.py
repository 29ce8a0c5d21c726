"""Which features were missing in training, as far as each library's models tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from xgboost import XGBClassifier

from bareboat.forest.missing import seen_missing
from bareboat.pipeline.reading import model_of

RNG = np.random.default_rng(0)
FULL = RNG.normal(size=(400, 4))
LABELS = (FULL[:, 0] + FULL[:, 1] * FULL[:, 2] > 0).astype(int)
HOLES = np.where((RNG.random((400, 4)) < 0.3) & (np.arange(4) == 1), np.nan, FULL)


@pytest.mark.parametrize(
    "model",
    [
        LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1),
        XGBClassifier(n_estimators=20, max_depth=4, n_jobs=1),
        XGBClassifier(n_estimators=20, max_depth=4, tree_method="exact", n_jobs=1),
        HistGradientBoostingClassifier(max_iter=20),
    ],
    ids=["lightgbm", "xgboost", "xgboost exact", "sklearn histogram"],
)
def test_a_feature_that_was_missing_in_training_is_known(model: Any) -> None:
    assert seen_missing(model_of(model.fit(FULL, LABELS))) == frozenset()  # type: ignore[arg-type]
    assert seen_missing(model_of(model.fit(HOLES, LABELS))) == {1}  # type: ignore[arg-type]


def test_bootstrap_samples_are_not_taken_for_missing_values() -> None:
    forest = RandomForestClassifier(20, random_state=0)

    assert seen_missing(model_of(forest.fit(FULL, LABELS))) == frozenset()  # type: ignore[arg-type]
