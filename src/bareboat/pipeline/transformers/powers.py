"""PowerTransformer, and QuantileTransformer to a uniform distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import REFUSED, Function, Op, Slots
from bareboat.pipeline.transformers.functions import applied
from bareboat.pipeline.transformers.registry import check_double, compiles, inverts
from bareboat.pipeline.transformers.scalers import centred, undo_centred

_EPS = float(np.finfo(np.float64).eps)


@compiles("PowerTransformer")
def power_transformer(transformer: Any, builder: Builder, block: Block) -> Block:
    """Make each column more like a normal one, by the power that was found for it."""
    check_double(block)
    builder.numbers(block.slots)
    builder.refuse_infinite(block.slots)
    powers = np.asarray(attribute(transformer, "lambdas_"))
    made = _box_cox if transformer.method == "box-cox" else _yeo_johnson
    pairs = zip(block.slots.tolist(), powers, strict=True)
    slots = np.array([made(builder, slot, power) for slot, power in pairs], np.int32)
    result = block.of(slots, "float64", sparse=False)
    return centred(transformer._scaler, builder, result) if transformer.standardize else result


@inverts("PowerTransformer")
def undo_power(transformer: Any, builder: Builder, slots: Slots) -> Slots:
    """Undo it; where there was no number that it could have come from, the result is NaN."""
    if transformer.standardize:
        slots = undo_centred(transformer._scaler, builder, slots)
    powers = np.broadcast_to(np.asarray(attribute(transformer, "lambdas_")), (len(slots),))
    made = _undo_box_cox if transformer.method == "box-cox" else _undo_yeo_johnson
    return np.array([made(builder, slot, power) for slot, power in zip(slots.tolist(), powers, strict=True)], np.int32)


@compiles("QuantileTransformer")
def quantile_transformer(transformer: Any, builder: Builder, block: Block) -> Block:
    """Interpolate between quantiles, from below and from above, and take the mean of both."""
    check_double(block)
    if transformer.output_distribution != "uniform" or block.sparse:
        found = "a sparse matrix" if block.sparse else f"output_distribution={transformer.output_distribution!r}"
        raise ModelError(f"QuantileTransformer of {found}", expected="uniform, of a dense matrix")
    builder.numbers(block.slots)
    builder.refuse_infinite(block.slots)
    quantiles = np.asarray(attribute(transformer, "quantiles_"), np.float64)
    references = np.asarray(attribute(transformer, "references_"), np.float64)
    slots = [
        _quantile(builder, slot, quantiles[:, feature], references) for feature, slot in enumerate(block.slots.tolist())
    ]
    return block.of(slots, "float64")


def _quantile(builder: Builder, slot: int, quantiles: Any, references: Any) -> int:
    (below,) = builder.add(Op.INTERPOLATE, [slot], 1, numbers=[*quantiles, *references]).tolist()
    (minus,) = builder.add(Op.FUNCTION, [slot], 1, whole=[int(Function.NEGATIVE)]).tolist()
    turned = [*-quantiles[::-1], *-references[::-1]]
    (above,) = builder.add(Op.INTERPOLATE, [minus], 1, numbers=turned).tolist()
    (mean,) = builder.add(Op.AVERAGE, [below, above], 1, numbers=[1.0, -1.0, 2.0]).tolist()
    first, last = float(quantiles[0]), float(quantiles[-1])
    ends = [first] if first == last else [first, last]
    found = builder.add(Op.FIND, [slot], 1, numbers=ends)
    # Of the mean, nothing is kept at the first and at the last quantile, which are 0 and 1 themselves.
    table = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    kept, added = builder.add(Op.LOOKUP, found, 2, numbers=table, whole=[0, 0, *range(1, len(ends) + 1)]).tolist()
    (inside,) = builder.add(Op.PRODUCT, [mean, kept], 1).tolist()
    return _total(builder, inside, added)


def _yeo_johnson(builder: Builder, slot: int, power: Any) -> int:
    """log1p and expm1 of what is above 0, and of what is below it; one of both is 0.

    A power stays a scalar of numpy: 2 - power is float32 where that was what scikit-learn was fitted on.
    """
    above, below = _halves(builder, slot)
    above = _raised(builder, _call(builder, Function.LOG1P, above), power, power)
    below = _call(builder, Function.LOG1P, _call(builder, Function.NEGATIVE, below))
    return _total(builder, above, _raised(builder, below, 2 - power, -(2 - power)))


def _raised(builder: Builder, slot: int, power: Any, divisor: Any) -> int:
    if abs(power) < _EPS:
        return slot if math.copysign(1.0, divisor) > 0 else _call(builder, Function.NEGATIVE, slot)
    product = _one(builder, Op.MULTIPLY, slot, power)
    return _one(builder, Op.DIVIDE, _call(builder, Function.EXPM1, product), divisor)


def _undo_yeo_johnson(builder: Builder, slot: int, power: Any) -> int:
    above, below = _halves(builder, slot)
    above = _one(builder, Op.SUBTRACT, _exponential(builder, above, power), 1.0)
    below = _one(builder, Op.REVERSE, _exponential(builder, _call(builder, Function.NEGATIVE, below), 2 - power), 1.0)
    return _total(builder, above, below)


def _exponential(builder: Builder, slot: int, power: Any) -> int:
    """(x * power + 1) to the power of 1 / power, or exp(x) where the power is 0."""
    if abs(power) <= _EPS:
        return _call(builder, Function.EXP, slot)
    logarithm = _call(builder, Function.LOG1P, _one(builder, Op.MULTIPLY, slot, power))
    return _call(builder, Function.EXP, _one(builder, Op.DIVIDE, logarithm, power))


def _box_cox(builder: Builder, slot: int, power: Any) -> int:
    """A row that is not above 0 is refused, as scikit-learn does; a missing one stays missing."""
    present = builder.add(Op.REPLACE, [slot], numbers=[math.nan, 1.0])
    is_above = builder.add(Op.GREATER, present, numbers=[0.0])
    (nothing,) = builder.add(Op.LOOKUP, is_above, 1, numbers=[0.0], whole=[REFUSED, REFUSED, REFUSED, 0]).tolist()
    logarithm = _call(builder, Function.LOG, slot)
    return _total(builder, _raised(builder, logarithm, power, power) if power else logarithm, nothing)


_undo_box_cox = _exponential


def _halves(builder: Builder, slot: int) -> tuple[int, int]:
    above = builder.add(Op.CLIP, [slot], numbers=[0.0, math.inf])
    below = builder.add(Op.CLIP, [slot], numbers=[-math.inf, 0.0])
    return int(above[0]), int(below[0])


def _call(builder: Builder, function: Function, slot: int) -> int:
    return int(applied(builder, function, np.array([slot], np.int32))[0])


def _one(builder: Builder, op: Op, slot: int, number: Any) -> int:
    return int(builder.add(op, [slot], numbers=[number])[0])


def _total(builder: Builder, one: int, other: int) -> int:
    return int(builder.add(Op.AVERAGE, [one, other], 1, numbers=[1.0, 1.0, 1.0])[0])
