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
    _check_finite(builder, block, missing)
    fill_dtype = getattr(transformer, "_fill_dtype", None)  # scikit-learn 1.8 on
    keeps_all = transformer.keep_empty_features or (fill_dtype is None and transformer.strategy == "constant")
    is_kept = np.array([keeps_all or not is_nan(plain(value)) for value in statistics.tolist()])
    fills = (statistics[is_kept] if fill_dtype is None else statistics[is_kept].astype(fill_dtype)).tolist()
    kept, numbers = [], []
    for slot, fill in zip(block.slots[is_kept].tolist(), map(plain, fills), strict=True):
        if attribute(transformer, "_fit_dtype").kind == "O":
            _decide(builder, slot, [missing, fill])
        if not builder.is_code(slot):
            builder.numbers(np.array([slot], np.int32))
        source, held = _missing_in(transformer, builder, slot)
        kept.append(source)
        numbers += [held, _held(builder, slot, fill)]
    indicated = getattr(transformer, "indicator_", None)
    imputed = block.of(builder.add(Op.REPLACE, kept, numbers=numbers) if kept else kept)
    return imputed if indicated is None else side_by_side([imputed, _indicators(indicated, builder, block)])


@compiles("MissingIndicator")
def missing_indicator(transformer: Any, builder: Builder, block: Block) -> Block:
    """Tell what is missing; it may be an error that it is missing where nothing was when it was fitted."""
    missing = plain(transformer.missing_values)
    _check_finite(builder, block, missing)
    if transformer.features == "missing-only" and transformer.error_on_new:
        new = np.setdiff1d(np.arange(block.width), attribute(transformer, "features_"))
        for slot in block.slots[new].tolist():
            _decide(builder, slot, [missing])
            builder.refuse(slot, _held(builder, slot, missing))
    sparse = block.sparse if transformer.sparse == "auto" else bool(transformer.sparse)
    result = _indicators(transformer, builder, block)
    return result.of(result.slots, sparse=sparse)


def _indicators(transformer: Any, builder: Builder, block: Block) -> Block:
    slots, numbers = [], []
    for slot in block.slots[np.asarray(attribute(transformer, "features_"), np.int64)].tolist():
        _decide(builder, slot, [plain(transformer.missing_values)])
        source, held = _missing_in(transformer, builder, slot)
        slots.append(source)
        numbers.append(held)
    return block.of(builder.add(Op.MATCHES, slots, numbers=numbers) if slots else slots, "bool")


def _missing_in(transformer: Any, builder: Builder, slot: int) -> tuple[int, float]:
    """Return a slot and what it holds where a value is missing: pandas.NA stands for None as well as for NaN."""
    missing = plain(transformer.missing_values)
    if not isinstance(transformer.missing_values, float) and is_nan(missing) and builder.is_code(slot):
        none = _held(builder, slot, None)
        return int(builder.add(Op.REPLACE, [slot], numbers=[math.nan, none])[0]), none
    return slot, _held(builder, slot, missing)


def _check_finite(builder: Builder, block: Block, missing: Value) -> None:
    """Note that NaN is refused where it is not what is missing."""
    if is_nan(missing):
        builder.refuse_infinite(block.slots)
    else:
        builder.refuse_missing(block.slots)


def _decide(builder: Builder, slot: int, values: list[Value]) -> None:
    """Read a column as what these values say; if all are NaN, a later step tells."""
    builder.touch(slot)
    if any(is_text(value) for value in values):
        builder.vocabulary(slot)
    elif not all(is_nan(value) for value in values) and not builder.is_code(slot):
        builder.numbers(np.array([slot], np.int32))


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
