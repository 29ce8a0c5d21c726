"""CatBoost's models -> JSON, as CatBoost exports it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.reader import Opener, SavedModel


def _open(model: Any) -> SavedModel:
    if not model.is_fitted():
        raise ModelError(f"a {type(model).__name__} that is not fitted", expected="a fitted one", fix="call fit")
    for kind, places in (
        ("text", model.get_text_feature_indices()),
        ("embedding", model.get_embedding_feature_indices()),
    ):
        if places:
            raise ModelError(
                f"a model with {kind} features",
                expected="float and categorical features",
                fix="serve it with catboost itself",
            )
    with tempfile.TemporaryDirectory(prefix="bareboat-") as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        return SavedModel(path.read_bytes())


CATBOOST_MODEL = Opener(package="catboost", classes=("CatBoost",), open=_open)
