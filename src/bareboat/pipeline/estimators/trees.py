"""Models of trees inside a pipeline -> a FOREST step, by the readers of `bareboat.forest`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Category, Ensemble, Transform
from bareboat.forest.readers.child_openers import opened, package, read_saved
from bareboat.forest.readers.reader import SavedModel
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.estimators.inputs import allows_missing
from bareboat.pipeline.estimators.linear import LINK_BOUND, sigmoid_pair
from bareboat.pipeline.ir import OTHER, Function, Op, Slots
from bareboat.pipeline.transformers.registry import Path

_DECIDED_AT_ZERO = ("GradientBoostingClassifier",)
"""Those whose `predict` takes the second class at a raw score of 0 too."""
_TRANSFORM_BOUND = 1.0
"""Units in the last place by which the transform of a forest may differ from its framework's, on every platform."""
_CATBOOST_BOUND = 4.0
"""The same of CatBoost's raw scores, to which it adds its bias otherwise."""
_HAVE_DECISION = ("AdaBoostClassifier", "GradientBoostingClassifier", "HistGradientBoostingClassifier")


def compile_trees(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a model of trees.

    Raises:
        ModelError: it cannot be read, or it was fitted on other columns.
    """
    found = opened(estimator)
    where = FilePath(f"<{type(estimator).__name__}>")
    ensemble = read_saved(where, found) if isinstance(found, SavedModel) else found
    if ensemble.n_features != block.width:
        raise ModelError(
            f"it is given {block.width} columns", expected=f"the {ensemble.n_features} that it was fitted on"
        )
    slots = np.array(
        [_encoded(builder, slot, known) for slot, known in zip(block.slots.tolist(), ensemble.categories, strict=True)],
        np.int32,
    )
    builder.numbers(slots)
    if package(type(estimator)) == "sklearn":
        if not allows_missing(estimator):
            builder.refuse_missing(slots)
        elif not type(estimator).__name__.startswith("HistGradientBoosting"):  # which bins infinities as any number
            builder.refuse_infinite(slots)
    builder.notes += ensemble.notes
    plain = replace(ensemble, categories=(None,) * ensemble.n_features, notes=())
    n_out = 2 if ensemble.n_classes == 2 and ensemble.n_outputs == 1 else ensemble.n_outputs
    builder.forests.append(plain)
    number = len(builder.forests) - 1
    raw_bound = _CATBOOST_BOUND if package(type(estimator)) == "catboost" else 0.0
    name = type(estimator).__name__
    if name in _HAVE_DECISION and package(type(estimator)) == "sklearn":
        raw = builder.add(Op.FOREST, slots, ensemble.n_outputs, whole=[number, 0])
        return (_ada_boost if name == "AdaBoostClassifier" else _boosted)(name, builder, ensemble, raw)
    is_plain = ensemble.transform in {Transform.IDENTITY, Transform.STEP}
    bound = raw_bound if is_plain else raw_bound + _TRANSFORM_BOUND
    outputs = builder.add(Op.FOREST, slots, n_out, whole=[number, 1], bound=bound)
    if name == "IsolationForest":
        label = builder.add(Op.GREATER, outputs, numbers=[0.0], whole=[1])
        return Answer(classes=(-1, 1), decision=outputs, label=int(label[0]))
    if not ensemble.n_classes:
        return Answer(value=outputs)
    return Answer(classes=ensemble.classes or tuple(range(ensemble.n_classes)), proba=outputs)


def _boosted(name: str, builder: Builder, ensemble: Ensemble, raw: Slots) -> Answer:
    """Append what gradient boosting makes of raw scores, so that the trees are computed once."""
    if len(raw) == 1:
        inner = raw
        if ensemble.parameters[0] != 1.0:
            inner = builder.add(Op.MULTIPLY, raw, numbers=[ensemble.parameters[0]])
        proba = sigmoid_pair(builder, inner)
        label = builder.add(Op.GREATER, raw, numbers=[0.0], whole=[int(name in _DECIDED_AT_ZERO)])
    else:
        proba = builder.add(Op.SOFTMAX, raw, bound=LINK_BOUND)
        label = builder.add(Op.ARGMAX, raw, 1)
    return Answer(classes=ensemble.classes, proba=proba, decision=raw, label=int(label[0]))


def _ada_boost(_name: str, builder: Builder, ensemble: Ensemble, raw: Slots) -> Answer:
    """Append the decision function: votes over the sum of all weights, for two classes their difference."""
    n_classes = len(ensemble.classes)
    decision = builder.add(Op.DIVIDE, raw, numbers=np.full(n_classes, ensemble.parameters[0]))
    if n_classes > 2:
        shares = builder.add(Op.DIVIDE, decision, numbers=np.full(n_classes, n_classes - 1.0))
        label = builder.add(Op.ARGMAX, decision, 1)
    else:
        decision = builder.add(Op.DOT, decision, 1, numbers=[0.0, -1.0, 1.0])  # two numbers have one sum
        both = np.concatenate([builder.add(Op.FUNCTION, decision, whole=[Function.NEGATIVE]), decision])
        shares = builder.add(Op.DIVIDE, both, numbers=[2.0, 2.0])
        label = builder.add(Op.GREATER, decision, numbers=[0.0], whole=[0])
    proba = builder.add(Op.SOFTMAX, shares, bound=LINK_BOUND)
    return Answer(classes=ensemble.classes, proba=proba, decision=decision, label=int(label[0]))


def _encoded(builder: Builder, slot: int, known: tuple[Category, ...] | None) -> int:
    """Return a slot with the forest's own codes of a column's categories, OTHER for one that it does not know.

    Raises:
        ModelError: the column is one of numbers.
    """
    if known is None:
        return slot
    vocabulary = builder.vocabulary(slot, "category")
    if vocabulary is None:
        raise ModelError("it takes categories by name", expected="a column that is handed on as it comes")
    codes = [int(vocabulary.code(value)) for value in known]
    table = np.full(max(codes) + 1, len(known))
    table[codes] = np.arange(len(known))
    numbers = [*range(len(known)), OTHER, np.nan]
    whole = [len(known), len(known) + 1, *table.tolist()]
    return int(builder.add(Op.LOOKUP, [slot], 1, numbers=numbers, whole=whole)[0])
