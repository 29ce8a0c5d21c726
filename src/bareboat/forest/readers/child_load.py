"""A file -> the object in it. Runs in the child process only: this is where code of a pickle is run."""

from __future__ import annotations

import mmap
import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from warnings import WarningMessage

from bareboat.errors import ModelError

TRUSTED = frozenset(
    {
        "catboost.core.CatBoost",
        "catboost.core.CatBoostClassifier",
        "catboost.core.CatBoostRanker",
        "catboost.core.CatBoostRegressor",
        "collections.OrderedDict",
        "functools.partial",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMModel",
        "lightgbm.sklearn.LGBMRanker",
        "lightgbm.sklearn.LGBMRegressor",
        "numpy.dtype",
        "pandas.api.typing.NAType",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.calibration._TemperatureScaling",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._classification.balanced_accuracy_score",
        "sklearn.model_selection._search_successive_halving.HalvingGridSearchCV",
        "sklearn.model_selection._search_successive_halving.HalvingRandomSearchCV",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
        "sklearn.utils.validation.check_array",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBModel",
        "xgboost.sklearn.XGBRFClassifier",
        "xgboost.sklearn.XGBRFRegressor",
        "xgboost.sklearn.XGBRanker",
        "xgboost.sklearn.XGBRegressor",
    }
)
"""What a skops file may hold beyond the types that skops itself trusts."""

TRUSTED_MODULES = (
    "sklearn._loss.loss.",
    "sklearn.feature_selection._univariate_selection.",
    "sklearn.metrics._scorer.",
)
"""The same of modules all of whose classes and functions only compute."""


def load(path: str, kind: str) -> Any:
    """Return the object that a file holds.

    Args:
        path: of the file.
        kind: as `child_formats.pickle_kind` says.
    Raises:
        ModelError: a skops file holds types that are not trusted.
        Exception: whatever the file's own code raises.
    """
    if kind == "skops":
        return _load_skops(path)
    if kind == "cbm":
        import catboost

        return catboost.CatBoost().load_model(path, format="cbm")
    if kind == "joblib" or is_joblib(path):
        import joblib

        return joblib.load(path)
    with Path(path).open("rb") as file:
        return pickle.load(file)  # noqa: S301 - in a process of its own, as the user wants


def load_noted(path: str, kind: str) -> tuple[Any, list[str]]:
    """Return the object that a file holds, and what was warned of while it was loaded; raises as `load` does."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load(path, kind)
    return model, notes_of(caught)


def notes_of(caught: Sequence[WarningMessage]) -> list[str]:
    """Return what was warned of while loading, each once: versions that differ, and what frameworks tell the user."""
    notes: list[str] = []
    for each in caught:
        if each.category.__name__ == "InconsistentVersionWarning":
            old = getattr(each.message, "original_sklearn_version", "another version")
            new = getattr(each.message, "current_sklearn_version", "this one")
            text = f"scikit-learn {old} saved this model and {new} opened it: predictions may differ from those then"
        elif each.category is UserWarning:
            text = " ".join(str(each.message).split())[:400]
        else:
            continue
        if text not in notes:
            notes.append(text)
    return notes[:10]


def is_joblib(path: str) -> bool:
    """Whether numpy's arrays stand between the pickle's own bytes, as joblib writes them."""
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b"NumpyArrayWrapper") >= 0


def _load_skops(path: str) -> Any:
    import skops.io

    types = skops.io.get_untrusted_types(file=path)
    strangers = [each for each in types if each not in TRUSTED and not each.startswith(TRUSTED_MODULES)]
    if strangers:
        raise ModelError(
            "types that are not trusted: " + ", ".join(strangers[:10]),
            expected="the types of a model alone",
            fix="save the model without what is around it",
        )
    return skops.io.load(path, trusted=types)
