"""CatBoost's JSON model (save_model(format="json")) -> Ensemble. A .cbm file is opened by catboost in a child process.

Values are compared as float32, `x > border` to the right. Leaves are added in float64 in the order of the trees;
CatBoost adds them in blocks of its own and its bias last, so that raw values differ in the last bits.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from bareboat.forest.ir import Ensemble
from bareboat.forest.readers.catboost_features import read_features
from bareboat.forest.readers.catboost_objective import read_loss
from bareboat.forest.readers.catboost_trees import read_trees
from bareboat.forest.readers.document import SAVE_AGAIN, parse_json
from bareboat.forest.readers.reader import Reader

_START = re.compile(rb'\s*\{\s*"(ctr_data|features_info)"\s*:')
_RELEASE = re.compile(r"CatBoost release ([0-9.]+[0-9])|Branch: tags/v([0-9.]+[0-9])")


def _matches(head: bytes) -> bool:
    return _START.match(head) is not None


def _read(path: Path, data: bytes) -> Ensemble:
    document = parse_json(path, data)
    features = read_features(document)
    scale_and_bias = list(document["scale_and_bias"])
    if len(scale_and_bias) != 2:
        raise document["scale_and_bias"].error("another list than scale and bias", "two items", SAVE_AGAIN)
    scale = scale_and_bias[0].number()
    bias = scale_and_bias[1]
    base = bias.numbers() if isinstance(bias.value, list) else np.array([bias.number()])
    if not len(base) or not np.isfinite(base).all():
        raise bias.error("a bias that is no finite number", "one for each output", SAVE_AGAIN)
    loss = read_loss(document, len(base))
    version = document["model_info"].get("catboost_version_info")  # which a model of `sum_models` has not
    release = _RELEASE.search(version.text()) if version is not None else None
    return Ensemble(
        feature_names=features.names,
        categories=features.categories,
        objective=loss.name,
        source=f"catboost {release[1] or release[2]}" if release else "catboost",
        transform=loss.transform,
        n_classes=loss.n_classes,
        n_outputs=len(base),
        trees=read_trees(document, features, len(base), scale),
        trees_per_round=1,
        base=base,
        classes=loss.classes,
        single_input=True,
    )


CATBOOST_JSON = Reader(name="CatBoost JSON (save_model('model.json', format='json'))", matches=_matches, read=_read)
