"""Estimators of scikit-learn that predict with another one inside: pipelines, searches, thresholds, targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute, class_labels
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.estimators.dispatch import Compile, answer_of
from bareboat.pipeline.estimators.linear import normalized, pair
from bareboat.pipeline.ir import Function, Op, Slots
from bareboat.pipeline.transformers import compile_inverse, compile_transformer
from bareboat.pipeline.transformers.registry import Path


def compile_pipeline(pipeline: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a Pipeline whose last step predicts. imblearn's samplers do nothing while it predicts."""
    for name, step in pipeline.steps[:-1]:
        if not is_sampler(step):
            block = compile_transformer(step, builder, block, (*path, name))
    name, last = pipeline.steps[-1]
    return answer_of(last, builder, block, (*path, name))


def compile_inner(name: str) -> Compile:
    """Return the compiler of an estimator that predicts as the one in its attribute `name` does."""

    def compile_it(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
        return answer_of(attribute(estimator, name), builder, block, (*path, name.rstrip("_")))

    return compile_it


def compile_threshold(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a FixedThresholdClassifier or TunedThresholdClassifierCV: the label goes by a threshold.

    Source: scikit-learn, sklearn/model_selection/_classification_threshold.py, `_threshold_scores_to_class_labels`.
    """
    inner_estimator = getattr(estimator, "estimator_", estimator.estimator)
    inner = answer_of(inner_estimator, builder, block, (*path, "estimator"))
    asked = estimator._get_response_method()
    methods = [asked] if isinstance(asked, str) else list(asked)
    has = {"predict_proba": inner.proba, "decision_function": inner.decision}
    method = next((each for each in methods if has[each] is not None), None)
    if method is None or len(inner.classes) != 2:
        raise ModelError("an estimator without scores of two classes", expected="a binary classifier")
    if hasattr(estimator, "best_threshold_"):
        threshold = float(estimator.best_threshold_)
        positive = estimator._curve_scorer._get_pos_label()
    else:
        positive = estimator.pos_label
        is_auto = isinstance(estimator.threshold, str)
        threshold = (0.5 if method == "predict_proba" else 0.0) if is_auto else float(estimator.threshold)
    place = 1 if positive is None else list(attribute(estimator, "classes_")).index(positive)
    if method == "predict_proba":
        assert inner.proba is not None
        score = inner.proba[place : place + 1]
    else:
        assert inner.decision is not None
        score = inner.decision if place else builder.add(Op.FUNCTION, inner.decision, whole=[Function.NEGATIVE])
    label = builder.add(Op.GREATER, score, numbers=[threshold], whole=[1])
    if place == 0:
        label = builder.add(Op.REVERSE, label, numbers=[1.0])
    return replace(inner, label=int(label[0]))


def compile_target(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a TransformedTargetRegressor."""
    inner = answer_of(attribute(estimator, "regressor_"), builder, block, (*path, "regressor"))
    value = inner.predicted(builder)
    return Answer(value=compile_inverse(estimator.transformer_, builder, value, (*path, "transformer")))


def compile_one_vs_rest(estimator: Any, builder: Builder, block: Block, path: Path) -> Answer:
    """Compile a OneVsRestClassifier of one label.

    Source: scikit-learn, sklearn/multiclass.py.
    """
    classes = class_labels(estimator)
    if estimator.multilabel_:
        raise ModelError("it predicts several labels for a row", expected="one label")
    inner = [
        answer_of(each, builder, block, (*path, f"class {place}"))
        for place, each in enumerate(attribute(estimator, "estimators_"))
    ]
    scores = np.concatenate([_score(each) for each in inner])
    decision = None if any(each.decision is None for each in inner) else scores
    proba = None
    if all(each.proba is not None for each in inner):
        positive = np.concatenate([each.proba[1:] for each in inner if each.proba is not None])
        proba = normalized(builder, pair(builder, positive) if len(inner) == 1 else positive, even=False)
    if len(inner) == 1:
        threshold = 0.0 if decision is not None else 0.5
        label = builder.add(Op.GREATER, scores, numbers=[threshold], whole=[0])
    else:
        label = builder.add(Op.ARGMAX, scores, 1)
    return Answer(classes=classes, proba=proba, decision=decision, label=int(label[0]))


def is_sampler(step: Any) -> bool:
    """Whether a step of imblearn's Pipeline only takes part in fitting."""
    return type(step).__module__.startswith("imblearn.") and hasattr(type(step), "fit_resample")


def _score(inner: Answer) -> Slots:
    if inner.decision is not None:
        return inner.decision
    if inner.proba is None:
        raise ModelError("an estimator with neither decisions nor probabilities", expected="one that has them")
    return inner.proba[1:]
