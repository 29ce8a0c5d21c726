"""Linear models of scikit-learn: sums of products, and what each makes of them.

Source: scikit-learn, sklearn/linear_model/_base.py, _logistic.py, _stochastic_gradient.py, _glm/glm.py and
sklearn/discriminant_analysis.py. BLAS adds in no fixed order, hence the bounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Floats
from bareboat.forest.readers.sklearn_estimator import attribute, class_labels, refuse_option
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.estimators.inputs import numbers
from bareboat.pipeline.ir import Function, Op, Slots
from bareboat.pipeline.transformers.registry import Path

LINK_BOUND = 4.0
"""Units in the last place by which exp and what is made of it may differ: each library has its own."""
_PLAIN_SUM = 3


def compile_regressor(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile what predicts `X @ coef_ + intercept_`, for one target or several."""
    return Answer(value=_dot(estimator, builder, numbers(estimator, builder, block)))


def compile_glm(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a PoissonRegressor, GammaRegressor or TweedieRegressor: the inverse link of the sum.

    Raises:
        ModelError: its link is neither identity nor log.
    """
    value = _dot(estimator, builder, numbers(estimator, builder, block))
    link = type(attribute(estimator, "_base_loss").link).__name__
    if link == "LogLink":
        value = builder.add(Op.FUNCTION, value, whole=[Function.EXP], bound=LINK_BOUND)
    elif link != "IdentityLink":
        raise refuse_option(estimator, "link", link, "identity or log")
    return Answer(value=value)


def compile_classifier(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a classifier that has a decision function alone."""
    classes = class_labels(estimator)
    decision = _dot(estimator, builder, numbers(estimator, builder, block))
    return Answer(classes=classes, decision=decision, label=label_of(builder, decision))


def compile_logistic(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a LogisticRegression or LogisticRegressionCV, whose rule for several classes depends on the release."""
    classes = class_labels(estimator)
    decision = _dot(estimator, builder, numbers(estimator, builder, block))
    rule = getattr(estimator, "multi_class", None)  # gone since 1.8
    if len(classes) == 2 and rule == "multinomial":
        both = np.concatenate([builder.add(Op.FUNCTION, decision, whole=[Function.NEGATIVE]), decision])
        proba = builder.add(Op.SOFTMAX, both, bound=LINK_BOUND)
    elif len(classes) > 2 and (
        rule in {"ovr", "warn"} or (rule in {"auto", "deprecated"} and estimator.solver == "liblinear")
    ):
        proba = _one_against_rest(builder, decision)
    else:
        proba = _sigmoid_or_softmax(builder, decision)
    return Answer(classes=classes, proba=proba, decision=decision, label=label_of(builder, decision))


def compile_discriminant(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a LinearDiscriminantAnalysis."""
    classes = class_labels(estimator)
    decision = _dot(estimator, builder, numbers(estimator, builder, block))
    proba = _sigmoid_or_softmax(builder, decision)
    return Answer(classes=classes, proba=proba, decision=decision, label=label_of(builder, decision))


def compile_sgd_classifier(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile an SGDClassifier: with log_loss and modified_huber it has probabilities."""
    classes = class_labels(estimator)
    decision = _dot(estimator, builder, numbers(estimator, builder, block))
    proba = None
    if estimator.loss == "log_loss":
        proba = sigmoid_pair(builder, decision) if len(classes) == 2 else _one_against_rest(builder, decision)
    elif estimator.loss == "modified_huber":
        size = len(decision)
        shares = builder.add(Op.CLIP, decision, numbers=[-1.0, 1.0] * size)
        shares = builder.add(Op.ADD, shares, numbers=np.ones(size))
        shares = builder.add(Op.DIVIDE, shares, numbers=np.full(size, 2.0))
        proba = pair(builder, shares) if len(classes) == 2 else normalized(builder, shares)
    return Answer(classes=classes, proba=proba, decision=decision, label=label_of(builder, decision))


def label_of(builder: Builder, decision: Slots) -> int:
    """Append the index of the class that a decision function stands for."""
    if len(decision) == 1:
        return int(builder.add(Op.GREATER, decision, numbers=[0.0], whole=[0])[0])
    return int(builder.add(Op.ARGMAX, decision, 1)[0])


def sigmoid_pair(builder: Builder, decision: Slots) -> Slots:
    """Append the probabilities of two classes."""
    return pair(builder, builder.add(Op.FUNCTION, decision, whole=[Function.EXPIT], bound=LINK_BOUND))


def pair(builder: Builder, positive: Slots) -> Slots:
    """Append 1 - p, and return it with p."""
    return np.concatenate([builder.add(Op.REVERSE, positive, numbers=[1.0]), positive])


def normalized(builder: Builder, shares: Slots, *, even: bool = True) -> Slots:
    """Append shares divided by their sum; when it is 0, equal ones, or the shares as they are."""
    bound = 0.0 if len(shares) < 8 else 2.0  # numpy adds fewer than eight numbers in order
    return builder.add(Op.NORMALIZE, shares, whole=[_PLAIN_SUM, int(even)], bound=bound)


def sums_of_products(builder: Builder, slots: Slots, weights: Floats, start: Floats) -> Slots:
    """Append `x @ weights.T + start`: weights (n_out, k), start (n_out,).

    Raises:
        ModelError: one of them is not finite.
    """
    if not (np.isfinite(weights).all() and np.isfinite(start).all()):
        raise ModelError("a coefficient that is not finite", expected="finite ones", fix="fit it again")
    parameters = np.concatenate([start, weights.ravel()])
    return builder.add(Op.DOT, slots, len(start), numbers=parameters, bound=float(len(slots) + 1))


def _dot(estimator: Any, builder: Builder, slots: Slots) -> Slots:
    weights = np.atleast_2d(np.asarray(attribute(estimator, "coef_"), np.float64))
    start = np.broadcast_to(np.ravel(np.asarray(estimator.intercept_, np.float64)), (len(weights),))
    return sums_of_products(builder, slots, weights, start)


def _sigmoid_or_softmax(builder: Builder, decision: Slots) -> Slots:
    if len(decision) == 1:
        return sigmoid_pair(builder, decision)
    return builder.add(Op.SOFTMAX, decision, bound=LINK_BOUND)


def _one_against_rest(builder: Builder, decision: Slots) -> Slots:
    return normalized(builder, builder.add(Op.FUNCTION, decision, whole=[Function.EXPIT], bound=LINK_BOUND))
