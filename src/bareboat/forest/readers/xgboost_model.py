"""XGBoost's Booster and its scikit-learn estimators -> UBJSON, as their predict uses it."""

from __future__ import annotations

import math
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
        if "Classifier" in type(model).__name__ and not _is_multi_label(booster):
            classes = model.classes_
        missing = model.missing
        if missing is not None and not math.isnan(missing):
            raise ModelError(
                f"a model that takes {missing} for missing (missing={missing})",
                expected="one that takes NaN for missing",
                fix="give model.get_booster() and, in the rows, NaN for it",
            )
    return SavedModel(bytes(booster.save_raw("ubj")), classes=plain_labels(classes))


def _is_multi_label(booster: Any) -> bool:
    import json

    parameters = json.loads(booster.save_config())["learner"]["learner_model_param"]
    return int(parameters.get("num_target", 1)) > 1


XGBOOST_MODEL = Opener(
    package="xgboost",
    classes=("Booster", "XGBModel"),
    open=_open,
)
