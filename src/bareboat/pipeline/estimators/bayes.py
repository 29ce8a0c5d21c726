"""Naive Bayes of scikit-learn: a joint log-likelihood for each class, and its softmax.

Source: scikit-learn, sklearn/naive_bayes.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.forest.ir import Category
from bareboat.forest.readers.sklearn_estimator import attribute, class_labels
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.estimators.inputs import numbers
from bareboat.pipeline.estimators.linear import LINK_BOUND, label_of, sums_of_products
from bareboat.pipeline.ir import Function, Op, Slots
from bareboat.pipeline.transformers.registry import Path


def compile_gaussian(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a GaussianNB."""
    classes = class_labels(estimator)
    slots = numbers(estimator, builder, block)
    scores: list[Slots] = []
    for means, spread, prior in zip(
        attribute(estimator, "theta_"), estimator.var_, estimator.class_prior_, strict=True
    ):
        away = builder.add(Op.SUBTRACT, slots, numbers=means)
        squares = builder.add(Op.FUNCTION, away, whole=[Function.SQUARE])
        shares = builder.add(Op.DIVIDE, squares, numbers=spread)
        start = -0.5 * np.sum(np.log(2.0 * np.pi * spread))
        score = sums_of_products(builder, shares, np.full((1, len(slots)), -0.5), np.array([start]))
        scores.append(builder.add(Op.ADD, score, numbers=[np.log(prior)]))
    return _answer(builder, np.concatenate(scores), classes)


def compile_multinomial(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a MultinomialNB."""
    classes = class_labels(estimator)
    slots = numbers(estimator, builder, block)
    weights = np.asarray(attribute(estimator, "feature_log_prob_"))
    return _answer(builder, sums_of_products(builder, slots, weights, estimator.class_log_prior_), classes)


def compile_complement(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a ComplementNB."""
    classes = class_labels(estimator)
    slots = numbers(estimator, builder, block)
    weights = np.asarray(attribute(estimator, "feature_log_prob_"))
    return _answer(builder, sums_of_products(builder, slots, weights, np.zeros(len(weights))), classes)


def compile_bernoulli(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a BernoulliNB."""
    classes = class_labels(estimator)
    slots = numbers(estimator, builder, block)
    yes = np.asarray(attribute(estimator, "feature_log_prob_"))
    no = np.log(1 - np.exp(yes))
    if estimator.binarize is not None:
        slots = builder.add(Op.GREATER, slots, numbers=np.full(len(slots), float(estimator.binarize)), whole=[0])
    start = estimator.class_log_prior_ + no.sum(axis=1)
    return _answer(builder, sums_of_products(builder, slots, yes - no, start), classes)


def _answer(builder: Builder, scores: Slots, classes: tuple[Category, ...]) -> Answer:
    proba = builder.add(Op.SOFTMAX, scores, bound=LINK_BOUND)
    return Answer(classes=classes, proba=proba, label=label_of(builder, scores))
