"""DummyClassifier and DummyRegressor: the same answer to every row."""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.forest.ir import Floats
from bareboat.forest.readers.sklearn_estimator import attribute, class_labels, refuse_option
from bareboat.pipeline.answer import Answer
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import Op, Slots
from bareboat.pipeline.transformers.registry import Path


def compile_dummy_classifier(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a DummyClassifier.

    Raises:
        ModelError: it draws its answers at random.
    """
    classes = class_labels(estimator)
    prior = np.asarray(attribute(estimator, "class_prior_"), np.float64)
    if estimator.strategy == "most_frequent":
        proba = np.eye(len(classes))[prior.argmax()]
    elif estimator.strategy == "prior":
        proba = prior
    elif estimator.strategy == "constant":
        proba = (estimator.classes_ == estimator.constant).astype(np.float64)
    else:
        raise refuse_option(estimator, "strategy", estimator.strategy, "one that answers every row alike")
    return Answer(classes=classes, proba=constant(builder, block, proba))


def compile_dummy_regressor(estimator: Any, builder: Builder, block: Block, _path: Path) -> Answer:
    """Compile a DummyRegressor."""
    return Answer(value=constant(builder, block, np.ravel(np.asarray(attribute(estimator, "constant_"), np.float64))))


def constant(builder: Builder, block: Block, numbers: Floats) -> Slots:
    """Append numbers that no row changes."""
    slots = block.slots[:1] if block.width else np.zeros(1, np.int32)
    return builder.add(Op.LOOKUP, slots, len(numbers), numbers=numbers, whole=[0, 0])
