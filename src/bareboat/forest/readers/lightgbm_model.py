"""LightGBM's Booster and its scikit-learn estimators -> the text model, as their predict uses it."""

from __future__ import annotations

from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.reader import Opener, SavedModel


def _open(model: Any) -> SavedModel:
    from bareboat.forest.readers.child_openers import plain_labels

    booster = model
    classes: Any = ()
    if type(model).__name__ != "Booster":
        booster = getattr(model, "_Booster", None)
        if booster is None:
            raise ModelError(f"a {type(model).__name__} that is not fitted", expected="a fitted one", fix="call fit")
        classes = getattr(model, "_classes", None)
    # None: up to best_iteration where there is one, as predict does by default (lightgbm/basic.py).
    text: str = booster.model_to_string(num_iteration=None)
    notes: list[str] = []
    best, rounds = int(booster.best_iteration), int(booster.current_iteration())
    if 0 < best < rounds:
        notes.append(
            f"the first {best} of {rounds} boosting rounds are kept (best_iteration), as LightGBM's predict does"
        )
    return SavedModel(text.encode(), classes=() if classes is None else plain_labels(classes), notes=tuple(notes))


LIGHTGBM_MODEL = Opener(
    package="lightgbm", classes=("Booster", "LGBMClassifier", "LGBMRegressor", "LGBMRanker", "LGBMModel"), open=_open
)
