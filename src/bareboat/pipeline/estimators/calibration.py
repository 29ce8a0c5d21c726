"""CalibratedClassifierCV and IsotonicRegression of scikit-learn.

Source: scikit-learn, sklearn/calibration.py and sklearn/isotonic.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute, class_labels, refuse_option
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.estimators.dispatch import answer_of
from bareboat.pipeline.estimators.linear import LINK_BOUND, normalized, pair
from bareboat.pipeline.ir import Function, Op, Slots
from bareboat.pipeline.transformers.registry import Path

_TINY = 1e-12
"""What scikit-learn adds to a probability before it takes the logarithm."""


def compile_calibrated(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a CalibratedClassifierCV: the mean of its calibrated classifiers.

    Raises:
        ModelError: a fold has not met all classes, or its method is not known.
    """
    classes = class_labels(estimator)
    calibrated = attribute(estimator, "calibrated_classifiers_")
    cache: dict[int, Answer] = {}
    probas = []
    for each in calibrated:
        if id(each.estimator) not in cache:
            cache[id(each.estimator)] = answer_of(each.estimator, builder, block, (*path, "estimator"))
        inner = cache[id(each.estimator)]
        if len(inner.classes) != len(classes):
            raise ModelError(
                f"a fold that knows {len(inner.classes)} of {len(classes)} classes", expected="all classes in each fold"
            )
        probas.append(_calibrated(each, builder, inner))
    weights = [*np.ones(len(probas)), float(len(probas))]
    proba = builder.add(Op.AVERAGE, np.concatenate(probas), len(classes), numbers=weights)
    return Answer(classes=classes, proba=proba)


def compile_isotonic(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile an IsotonicRegression of one column."""
    if block.width != 1:
        raise ModelError(f"it is given {block.width} columns", expected="one")
    builder.numbers(block.slots)
    builder.refuse_missing(block.slots)
    return Answer(value=isotonic(estimator, builder, block.slots))


def isotonic(estimator: Any, builder: Builder, slots: Slots) -> Slots:
    """Append what an IsotonicRegression makes of a slot.

    Raises:
        ModelError: it answers values outside its own with NaN or an error.
    """
    axis, values = (np.asarray(attribute(estimator, name), np.float64) for name in ("X_thresholds_", "y_thresholds_"))
    if estimator.out_of_bounds != "clip":
        raise refuse_option(estimator, "out_of_bounds", estimator.out_of_bounds, "clip")
    if len(values) == 1:
        axis, values = np.array([axis[0], axis[0] + 1.0]), np.repeat(values, 2)
    return builder.add(Op.INTERPOLATE, slots, numbers=np.concatenate([axis, values]))


def _calibrated(each: Any, builder: Builder, inner: Answer) -> Slots:
    """Append the probabilities of one `_CalibratedClassifier`."""
    n_classes = len(inner.classes)
    is_proba = inner.decision is None
    if is_proba:
        if inner.proba is None:
            raise ModelError("a classifier with neither decisions nor probabilities", expected="one that has them")
        scores = inner.proba[1:] if n_classes == 2 else inner.proba
    else:
        assert inner.decision is not None
        scores = inner.decision
    if each.method == "temperature":
        return _temperature(each.calibrators[0], builder, scores, is_proba=is_proba)
    shares = [
        _curve(calibrator, builder, scores[place : place + 1]) for place, calibrator in enumerate(each.calibrators)
    ]
    if n_classes == 2:
        return pair(builder, shares[0])
    whole = normalized(builder, np.concatenate(shares))
    return builder.add(Op.CLIP, whole, numbers=[0.0, 1.0] * n_classes)  # a sum may be 1 and a little


def _curve(calibrator: Any, builder: Builder, score: Slots) -> Slots:
    if type(calibrator).__name__ == "IsotonicRegression":
        return isotonic(calibrator, builder, score)
    line = builder.add(Op.MULTIPLY, score, numbers=[float(attribute(calibrator, "a_"))])
    line = builder.add(Op.ADD, line, numbers=[float(calibrator.b_)])
    line = builder.add(Op.FUNCTION, line, whole=[Function.NEGATIVE])
    return builder.add(Op.FUNCTION, line, whole=[Function.EXPIT], bound=LINK_BOUND)


def _temperature(calibrator: Any, builder: Builder, scores: Slots, *, is_proba: bool) -> Slots:
    """Append softmax of logits times beta.

    scikit-learn takes scores for probabilities when all of a batch lie in 0 to 1 and add up to 1, which a decision
    function does by accident at most.
    """
    if len(scores) == 1:
        other = (
            builder.add(Op.REVERSE, scores, numbers=[1.0])
            if is_proba
            else builder.add(Op.FUNCTION, scores, whole=[Function.NEGATIVE])
        )
        scores = np.concatenate([other, scores])
    if is_proba:
        scores = builder.add(Op.ADD, scores, numbers=np.full(len(scores), _TINY))
        scores = builder.add(Op.FUNCTION, scores, whole=[Function.LOG], bound=LINK_BOUND)
    beta = float(attribute(calibrator, "beta_"))
    scores = builder.add(Op.MULTIPLY, scores, numbers=np.full(len(scores), beta))
    return builder.add(Op.SOFTMAX, scores, bound=LINK_BOUND)
