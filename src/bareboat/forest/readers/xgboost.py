"""XGBoost's JSON and UBJSON models (Booster.save_model, 1.0 to 3.x) -> Ensemble.

Margins are float32 sums in the order of trees, as XGBoost's CPU predictor adds them. A model that stopped early keeps
the rounds up to its `best_iteration`, as `XGBModel.predict` uses them. What is not named here is refused.
Source: dmlc/xgboost, src/learner.cc, src/gbm/gbtree.cc, src/gbm/gbtree_model.cc (3.2.0, 3.4.1).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import Category, Ensemble
from bareboat.forest.readers.document import SAVE_AGAIN, Part, parse_json
from bareboat.forest.readers.reader import MOST_UNNAMED, Reader
from bareboat.forest.readers.ubj import UbjError, decode_ubj
from bareboat.forest.readers.xgboost_categories import read_categories
from bareboat.forest.readers.xgboost_objective import Objective, Version, read_objective
from bareboat.forest.readers.xgboost_trees import read_trees

_BEFORE_KEY = b" \t\r\n"


def _matches_json(head: bytes) -> bool:
    start = head.lstrip(_BEFORE_KEY)
    return start[:1] == b"{" and start[1:].lstrip(_BEFORE_KEY).startswith((b'"learner"', b'"Config"', b'"version"'))


def _matches_ubj(head: bytes) -> bool:
    return head.startswith((b"{L\0\0\0\0\0\0\0\7learner", b"{L\0\0\0\0\0\0\0\6Config", b"{L\0\0\0\0\0\0\0\7version"))


def _read_json(path: Path, data: bytes) -> Ensemble:
    return _ensemble(parse_json(path, data))


def _read_ubj(path: Path, data: bytes) -> Ensemble:
    try:
        value = decode_ubj(data)
    except UbjError as error:
        raise ModelError(
            error.found, expected="a whole UBJSON document", fix=SAVE_AGAIN, where=f"{path}: byte {error.offset}"
        ) from error
    return _ensemble(Part(path, value))


def _ensemble(document: Part) -> Ensemble:
    if "Model" in document:  # Booster.serialize: the model beside its training configuration
        document = document["Model"]
    version = _version(document["version"])
    learner = document["learner"]
    booster = learner["gradient_booster"]
    model = _tree_model(booster)
    objective = read_objective(learner, version)
    n_features = learner["learner_model_param"]["num_feature"].integer(at_least=1, below=1 << 24)
    trees = list(model["trees"])
    if not trees:
        raise model["trees"].error("a model without trees", "at least one tree", "train for a round or more")
    weights = _weights(booster, model, len(trees))
    groups = model["tree_info"].integers(len(trees))
    if not 0 <= groups.min() <= groups.max() < objective.n_outputs:
        raise model["tree_info"].error("a tree of no output", f"0 to {objective.n_outputs - 1}", SAVE_AGAIN)
    per_round = _trees_per_round(learner, model, trees, objective)
    n_used = _rounds(learner, len(trees) // per_round)
    used = n_used * per_round
    names = _feature_names(learner, n_features)
    categories, notes = read_categories(model, version, names)
    if n_used < len(trees) // per_round:
        kept = f"the first {n_used} of {len(trees) // per_round} boosting rounds are kept (best_iteration)"
        notes = (f"{kept}, as XGBModel.predict does; Booster.predict uses all", *notes)
    return Ensemble(
        feature_names=names,
        categories=categories,
        objective=objective.name,
        source=f"xgboost {'.'.join(map(str, version))}" + ("" if weights is None else " dart"),
        transform=objective.transform,
        n_classes=objective.n_classes,
        n_outputs=objective.n_outputs,
        trees=read_trees(trees[:used], groups[:used], None if weights is None else weights[:used], n_features),
        trees_per_round=per_round,
        base=objective.base.astype(np.float64),
        classes=_classes(learner, objective),
        notes=notes,
        single_input=True,
        single_sum=True,
    )


def _version(part: Part) -> Version:
    numbers = part.integers(3).tolist()
    if not 1 <= numbers[0] <= 3:
        raise part.error(f"XGBoost {'.'.join(map(str, numbers))}", "version 1, 2 or 3")
    return numbers[0], numbers[1], numbers[2]


def _tree_model(booster: Part) -> Part:
    name = booster["name"].text()
    if name == "gblinear":
        raise booster.error(
            "a linear model (booster gblinear), which has no trees",
            "gbtree or dart",
            "serve it as a Python handler: it is one dot product of coef_ and the row",
        )
    if name not in ("gbtree", "dart"):
        raise booster["name"].error(f"the booster {name!r}", "gbtree or dart")
    return booster["gbtree"]["model"] if name == "dart" else booster["model"]


def _weights(booster: Part, model: Part, n_trees: int) -> NDArray[np.float32] | None:
    """Return dart's weights of trees, which 3.3 moved into the model."""
    for part in (booster, model):
        if "weight_drop" in part:
            with np.errstate(over="ignore"):
                weights = part["weight_drop"].numbers(n_trees).astype(np.float32)
            if not np.isfinite(weights).all():
                raise part["weight_drop"].error("a weight that is not finite", "finite weights", SAVE_AGAIN)
            return weights
    return None


def _trees_per_round(learner: Part, model: Part, trees: list[Part], objective: Objective) -> int:
    width = _leaf_width(trees[0])
    if width not in (1, objective.n_outputs):
        raise trees[0].error(f"leaves of {width} values", f"1 or {objective.n_outputs}", SAVE_AGAIN)
    groups = 1 if width > 1 else objective.n_outputs
    per_round = groups * _parallel_trees(learner, model, groups)
    even = np.arange(0, len(trees) + 1, per_round)
    starts = model["iteration_indptr"].integers() if "iteration_indptr" in model else even
    if len(trees) % per_round or not np.array_equal(starts, even):
        raise model.error(
            f"{len(trees)} trees in rounds of other sizes than {per_round}",
            "num_parallel_tree trees for each output in every round",
        )
    return per_round


def _parallel_trees(learner: Part, model: Part, groups: int) -> int:
    """Return how many trees a round adds to each output; before 1.5 the file says so only in a roundabout way."""
    parameters = model["gbtree_model_param"]
    if "num_parallel_tree" in parameters:
        return max(parameters["num_parallel_tree"].integer(), 1)
    if groups > 1:  # the trees of a round stand output by output
        of = model["tree_info"].integers()
        return int(np.argmax(of != of[0])) or len(of)
    attributes = learner.get("attributes")
    if attributes is None or "best_ntree_limit" not in attributes or "best_iteration" not in attributes:
        return 1
    return max(attributes["best_ntree_limit"].integer() // (attributes["best_iteration"].integer() + 1), 1)


def _leaf_width(tree: Part) -> int:
    parameters = tree["tree_param"]
    return max(parameters["size_leaf_vector"].integer(), 1) if "size_leaf_vector" in parameters else 1


def _rounds(learner: Part, n_rounds: int) -> int:
    """Return how many rounds predict: up to `best_iteration` when early stopping has set it."""
    attributes = learner.get("attributes")
    if attributes is None or "best_iteration" not in attributes:
        return n_rounds
    return attributes["best_iteration"].integer(below=n_rounds) + 1


def _feature_names(learner: Part, n_features: int) -> tuple[str, ...]:
    """Return the names, or f0, f1 ... as XGBoost's dumps call features without."""
    names = [name.text() for name in learner["feature_names"]] if "feature_names" in learner else []
    if not names and n_features > MOST_UNNAMED:
        found = f"{n_features} features without names"
        raise learner["learner_model_param"].error(found, f"at most {MOST_UNNAMED}", "train with feature_names")
    if not names:
        return tuple(f"f{place}" for place in range(n_features))
    if len(names) != n_features or len(set(names)) != n_features:
        raise learner["feature_names"].error(
            f"{len(names)} names, {len(set(names))} of them different", f"{n_features} different ones", SAVE_AGAIN
        )
    return tuple(names)


def _classes(learner: Part, objective: Objective) -> tuple[Category, ...]:
    """Return the labels of XGBClassifier (0, 1, ... but for old label encoders), or none."""
    if not objective.n_classes:
        return ()
    labels = _meta_classes(learner, objective.n_classes)
    if labels and len(labels) != objective.n_classes:
        raise learner.error(f"{len(labels)} class labels", f"{objective.n_classes}, one for each class")
    return tuple(labels)


def _meta_classes(learner: Part, n_classes: int) -> list[Category]:
    attributes = learner.get("attributes")
    if attributes is None or "scikit_learn" not in attributes:
        return []
    part = attributes["scikit_learn"]
    try:
        meta = json.loads(part.text())
    except (ValueError, RecursionError) as error:
        raise part.error("scikit_learn that is not JSON", "an object as text", SAVE_AGAIN) from error
    if not isinstance(meta, dict) or meta.get("_estimator_type") != "classifier":
        return []
    encoder = meta.get("_le")  # use_label_encoder, 1.0 to 1.5
    labels = encoder.get("classes_") if isinstance(encoder, dict) else meta.get("classes_")
    if not isinstance(labels, list):
        return list(range(n_classes))
    if not all(isinstance(label, str | int | float) for label in labels):
        raise part.error("class labels that are no text or numbers", "text, numbers or booleans")
    return labels


XGBOOST_JSON = Reader(name="XGBoost JSON (Booster.save_model('model.json'))", matches=_matches_json, read=_read_json)
XGBOOST_UBJ = Reader(name="XGBoost UBJSON (Booster.save_model('model.ubj'))", matches=_matches_ubj, read=_read_ubj)
