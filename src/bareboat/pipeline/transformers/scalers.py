"""Scalers, Normalizer and Binarizer: arithmetic on each column, in scikit-learn's own order."""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.forest.ir import Floats
from bareboat.forest.readers.sklearn_estimator import attribute
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import Op, Slots
from bareboat.pipeline.transformers.registry import check_double, compiles, inverts

NORMS = {"l1": 0, "l2": 1, "max": 2}
LEAST = 10 * float(np.finfo(np.float64).eps)
"""A smaller norm counts as 0 for a dense matrix."""


@compiles("StandardScaler", "RobustScaler")
def centred(transformer: Any, builder: Builder, block: Block) -> Block:
    """Subtract a centre and divide by a scale; a sparse matrix is multiplied by the reciprocal of the scale instead."""
    centre, scale = _centre_and_scale(transformer)
    slots = _numbers(builder, block)
    if centre is not None and not block.sparse:
        slots = builder.add(Op.SUBTRACT, slots, numbers=centre)
    return block.of(_divided(builder, slots, scale, sparse=block.sparse), "float64")


@inverts("StandardScaler", "RobustScaler")
def undo_centred(transformer: Any, builder: Builder, slots: Slots) -> Slots:
    """Multiply by the scale and add the centre."""
    centre, scale = _centre_and_scale(transformer)
    if scale is not None:
        slots = builder.add(Op.MULTIPLY, slots, numbers=_wide(scale, slots))
    return slots if centre is None else builder.add(Op.ADD, slots, numbers=_wide(centre, slots))


@compiles("MinMaxScaler")
def min_max(transformer: Any, builder: Builder, block: Block) -> Block:
    """Multiply, add, and clip to the range if that is asked for."""
    slots = builder.add(Op.MULTIPLY, _numbers(builder, block), numbers=attribute(transformer, "scale_"))
    slots = builder.add(Op.ADD, slots, numbers=attribute(transformer, "min_"))
    if transformer.clip:
        slots = builder.add(Op.CLIP, slots, numbers=list(transformer.feature_range) * block.width)
    return block.of(slots, "float64")


@inverts("MinMaxScaler")
def undo_min_max(transformer: Any, builder: Builder, slots: Slots) -> Slots:
    """Subtract and divide."""
    slots = builder.add(Op.SUBTRACT, slots, numbers=_wide(attribute(transformer, "min_"), slots))
    return builder.add(Op.DIVIDE, slots, numbers=_wide(attribute(transformer, "scale_"), slots))


@compiles("MaxAbsScaler")
def max_abs(transformer: Any, builder: Builder, block: Block) -> Block:
    """Divide by the greatest absolute value."""
    slots = _divided(builder, _numbers(builder, block), attribute(transformer, "scale_"), sparse=block.sparse)
    if getattr(transformer, "clip", False):
        slots = builder.add(Op.CLIP, slots, numbers=[-1.0, 1.0] * block.width)
    return block.of(slots, "float64")


@inverts("MaxAbsScaler")
def undo_max_abs(transformer: Any, builder: Builder, slots: Slots) -> Slots:
    """Multiply by the greatest absolute value."""
    return builder.add(Op.MULTIPLY, slots, numbers=_wide(attribute(transformer, "scale_"), slots))


@compiles("Normalizer")
def normalizer(transformer: Any, builder: Builder, block: Block) -> Block:
    """Divide each row by its norm; sums of many numbers may end in other last places."""
    check_double(block)
    builder.numbers(block.slots)
    builder.refuse_missing(block.slots)
    norm = NORMS[transformer.norm]
    bound = 0.0 if transformer.norm == "max" else float(block.width)
    return block.of(
        builder.add(Op.NORMALIZE, block.slots, numbers=() if block.sparse else [LEAST], whole=[norm, 0], bound=bound),
        "float64",
    )


@compiles("Binarizer")
def binarizer(transformer: Any, builder: Builder, block: Block) -> Block:
    """Tell what is greater than the threshold."""
    check_double(block)
    builder.numbers(block.slots)
    builder.refuse_missing(block.slots)
    return block.of(builder.add(Op.GREATER, block.slots, numbers=[transformer.threshold] * block.width))


def _numbers(builder: Builder, block: Block) -> Slots:
    check_double(block)
    builder.numbers(block.slots)
    builder.refuse_infinite(block.slots)
    return block.slots


def _centre_and_scale(transformer: Any) -> tuple[Floats | None, Floats | None]:
    if type(transformer).__name__ == "StandardScaler":
        centre, scale = attribute(transformer, "mean_"), attribute(transformer, "scale_")
        return centre if transformer.with_mean else None, scale if transformer.with_std else None
    centre, scale = attribute(transformer, "center_"), attribute(transformer, "scale_")
    return centre if transformer.with_centering else None, scale if transformer.with_scaling else None


def _divided(builder: Builder, slots: Slots, scale: Floats | None, *, sparse: bool) -> Slots:
    if scale is None:
        return slots
    return (
        builder.add(Op.MULTIPLY, slots, numbers=1.0 / scale) if sparse else builder.add(Op.DIVIDE, slots, numbers=scale)
    )


def _wide(parameter: Floats, slots: Slots) -> Floats:
    """Give a parameter of one column to all slots: a target of several outputs is scaled by one number."""
    return np.broadcast_to(np.asarray(parameter, np.float64), (len(slots),))
