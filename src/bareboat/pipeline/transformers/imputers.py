"""SimpleImputer and MissingIndicator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute
from bareboat.pipeline.block import Block, side_by_side
from bareboat.pipeline.build import Builder, Value
from bareboat.pipeline.ir import Op
from bareboat.pipeline.transformers.registry import compiles
from bareboat.pipeline.transformers.values import is_nan, is_text, plain


@compiles("SimpleImputer")
def simple_imputer(transformer: Any, builder: Builder, block: Block) -> Block:
    """Replace what is missing; columns in which nothing was seen are dropped, unless they are kept."""
    statistics = np.asarray(attribute(transformer, "statistics_"))
    missing = plain(transformer.missing_values)
    _check_missing(builder, block, missing)
    is_kept = np.array([transformer.keep_empty_features or not is_nan(plain(value)) for value in statistics.tolist()])
    fills = statistics[is_kept].astype(attribute(transformer, "_fill_dtype")).tolist()
    kept, numbers = block.slots[is_kept], []
    for slot, fill in zip(kept.tolist(), map(plain, fills), strict=True):
        if attribute(transformer, "_fit_dtype").kind == "O":
            _decide(builder, slot, [missing, fill])
        if not builder.is_code(slot):
            builder.numbers(np.array([slot], np.int32))
        numbers += [_held(builder, slot, missing), _held(builder, slot, fill)]
    indicated = getattr(transformer, "indicator_", None)
    imputed = block.of(builder.add(Op.REPLACE, kept, numbers=numbers) if len(kept) else kept)
    if indicated is None:
        return imputed
    return side_by_side([imputed, _indicators(indicated, builder, block, missing)])


@compiles("MissingIndicator")
def missing_indicator(transformer: Any, builder: Builder, block: Block) -> Block:
    """Tell what is missing; it may be an error that it is missing where nothing was when it was fitted."""
    missing = plain(transformer.missing_values)
    _check_missing(builder, block, missing)
    if transformer.features == "missing-only" and transformer.error_on_new:
        new = np.setdiff1d(np.arange(block.width), attribute(transformer, "features_"))
        for slot in block.slots[new].tolist():
            _decide(builder, slot, [missing])
            builder.refuse(slot, _held(builder, slot, missing))
    sparse = block.sparse if transformer.sparse == "auto" else bool(transformer.sparse)
    result = _indicators(transformer, builder, block, missing)
    return result.of(result.slots, sparse=sparse)


def _indicators(transformer: Any, builder: Builder, block: Block, missing: Value) -> Block:
    slots = block.slots[np.asarray(attribute(transformer, "features_"), np.int64)]
    if not len(slots):
        return block.of(slots, "bool")
    for slot in slots.tolist():
        _decide(builder, slot, [missing])
    return block.of(
        builder.add(Op.MATCHES, slots, numbers=[_held(builder, slot, missing) for slot in slots.tolist()]), "bool"
    )


def _check_missing(builder: Builder, block: Block, missing: Value) -> None:
    """Note that NaN is refused where it is not what is missing."""
    if not is_nan(missing):
        builder.refuse_missing(block.slots)


def _decide(builder: Builder, slot: int, values: list[Value]) -> None:
    """Read a column as text if one of these values can be nothing else; else a later step tells what it is."""
    builder.touch(slot)
    if any(is_text(value) for value in values):
        builder.vocabulary(slot)


def _held(builder: Builder, slot: int, value: Value) -> float:
    """Return what a slot holds for a value."""
    if is_nan(value):
        return math.nan
    if builder.is_code(slot):
        vocabulary = builder.vocabulary(slot)
        assert vocabulary is not None
        return vocabulary.code(value)
    if is_text(value):
        raise ModelError(f"puts {value!r} among numbers that an earlier step computes", expected="a number")
    return float(value)  # type: ignore[arg-type]
