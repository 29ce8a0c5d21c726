"""PCA and TruncatedSVD."""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.forest.ir import Floats
from bareboat.forest.readers.sklearn_estimator import attribute, check_version
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import Op, Slots
from bareboat.pipeline.transformers.registry import check_double, compiles


@compiles("PCA", "IncrementalPCA")
def pca(transformer: Any, builder: Builder, block: Block) -> Block:
    """Project, centre and, if asked for, divide by the standard deviations."""
    components, mean = np.asarray(attribute(transformer, "components_")), np.asarray(attribute(transformer, "mean_"))
    slots = _checked(builder, block)
    centre = -(mean.reshape(1, -1) @ components.T)[0]  # in float32 where that was what it was fitted on
    if tuple(map(int, check_version().split(".")[:2])) < (1, 5) and not block.sparse:
        slots = builder.add(Op.SUBTRACT, slots, numbers=mean)
        centre = np.zeros(len(components))
    slots = _projected(builder, slots, components, centre)
    if transformer.whiten:
        scale = np.sqrt(np.asarray(attribute(transformer, "explained_variance_")))
        scale = np.maximum(scale, np.finfo(scale.dtype).eps)
        slots = builder.add(Op.DIVIDE, slots, numbers=scale)
    return block.of(slots, "float64", sparse=False)


@compiles("TruncatedSVD")
def truncated_svd(transformer: Any, builder: Builder, block: Block) -> Block:
    """Project."""
    components = np.asarray(attribute(transformer, "components_"))
    slots = _projected(builder, _checked(builder, block), components, np.zeros(len(components)))
    return block.of(slots, "float64", sparse=False)


def _checked(builder: Builder, block: Block) -> Slots:
    check_double(block)
    builder.numbers(block.slots)
    builder.refuse_missing(block.slots)
    return block.slots


def _projected(builder: Builder, slots: Slots, components: Floats, centre: Floats) -> Slots:
    numbers = np.concatenate([centre, components.reshape(-1)]).astype(np.float64)
    return builder.add(Op.DOT, slots, len(components), numbers=numbers, bound=float(len(slots) + 1))
