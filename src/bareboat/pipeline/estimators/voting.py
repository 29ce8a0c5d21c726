"""Voting* and Stacking* of scikit-learn, and MultiOutputRegressor: answers side by side.

Source: scikit-learn, sklearn/ensemble/_voting.py, _stacking.py and sklearn/multioutput.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute, class_labels
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.estimators.dispatch import answer_of
from bareboat.pipeline.ir import Op, Slots
from bareboat.pipeline.transformers.registry import Path


def compile_voting_classifier(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a VotingClassifier: the mean of probabilities (soft), or the class of most votes (hard)."""
    classes = class_labels(estimator)
    answers = _answers(estimator, builder, block, path)
    weights = _weights(estimator, len(answers))
    if estimator.voting == "hard":
        votes = np.concatenate([answer.predicted(builder) for answer in answers])
        label = builder.add(Op.VOTE, votes, 1, numbers=weights[:-1], whole=[len(classes)])
        return Answer(classes=classes, label=int(label[0]))
    probas = []
    for answer in answers:
        if answer.proba is None or len(answer.proba) != len(classes):
            raise ModelError("a voter without probabilities of every class", expected="voters that have them")
        probas.append(answer.proba)
    proba = builder.add(Op.AVERAGE, np.concatenate(probas), len(classes), numbers=weights)
    return Answer(classes=classes, proba=proba)


def compile_voting_regressor(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a VotingRegressor."""
    answers = _answers(estimator, builder, block, path)
    values = np.concatenate([answer.predicted(builder) for answer in answers])
    bound = 0.0 if len(answers) < 8 else 2.0  # numpy adds fewer than eight numbers in order
    value = builder.add(Op.AVERAGE, values, 1, numbers=_weights(estimator, len(answers)), bound=bound)
    return Answer(value=value)


def compile_stacking(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a StackingClassifier or StackingRegressor."""
    classes = class_labels(estimator) if hasattr(estimator, "classes_") else ()
    answers = _answers(estimator, builder, block, path)
    methods = attribute(estimator, "stack_method_")
    parts = [
        _asked(answer, builder, method, binary=len(classes) == 2)
        for answer, method in zip(answers, methods, strict=True)
    ]
    if estimator.passthrough:
        builder.numbers(block.slots)
        parts.append(block.slots)
    final = answer_of(estimator.final_estimator_, builder, block.of(np.concatenate(parts)), (*path, "final_estimator"))
    if len(final.classes) != len(classes):
        raise ModelError(
            f"a final estimator of {len(final.classes)} classes for {len(classes)}", expected="as many classes"
        )
    return Answer(classes, final.proba, final.decision, final.label, final.value)


def compile_multi_output(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a MultiOutputRegressor."""
    answers = [
        answer_of(each, builder, block, (*path, f"target {place}"))
        for place, each in enumerate(attribute(estimator, "estimators_"))
    ]
    return Answer(value=np.concatenate([answer.predicted(builder) for answer in answers]))


def kept(estimator: Any) -> list[tuple[str, Any]]:
    """Return the fitted estimators of a Voting* or Stacking* by name, without those dropped."""
    names = [name for name, each in estimator.estimators if not (isinstance(each, str) and each == "drop")]
    return list(zip(names, attribute(estimator, "estimators_"), strict=True))


def _answers(estimator: Any, builder: Builder, block: Block, path: Path) -> list[Answer]:
    return [answer_of(each, builder, block, (*path, name)) for name, each in kept(estimator)]


def _weights(estimator: Any, count: int) -> list[float]:
    """Return a weight for each estimator, then their sum."""
    weights = estimator._weights_not_none
    found = [1.0] * count if weights is None else [float(weight) for weight in weights]
    return [*found, float(np.asarray(found).sum())]


def _asked(answer: Answer, builder: Builder, method: str, *, binary: bool) -> Slots:
    if method == "predict":
        return answer.predicted(builder)
    found = answer.proba if method == "predict_proba" else answer.decision
    if found is None:
        raise ModelError(f"a stacked estimator without {method}", expected="one that has it")
    return found[1:] if method == "predict_proba" and binary else found
