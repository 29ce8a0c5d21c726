"""Pipeline, ColumnTransformer and FeatureUnion: transformers that are made of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute
from bareboat.pipeline.block import Block, side_by_side
from bareboat.pipeline.build import Builder
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.ir import Op, Slots
from bareboat.pipeline.transformers.registry import (
    INVERSES,
    Path,
    collected,
    compile_known,
    composes,
    inverts,
    is_dropped,
    is_nothing,
)


def _named(steps: Any) -> Iterator[tuple[str, Any]]:
    for step in steps:
        yield str(step[0]), step[1]


def _of_columns(transformer: Any) -> Iterator[tuple[str, Any]]:
    fitted = getattr(transformer, "transformers_", None)
    if fitted is None:
        yield from _named(transformer.transformers)
        return
    places = attribute(transformer, "_transformer_to_input_indices")
    for name, step, _ in fitted:
        if len(places[name]):
            yield name, step


@composes("Pipeline", lambda transformer: _named(transformer.steps))
def pipeline(transformer: Any, builder: Builder, block: Block, path: Path) -> Block:
    """Compile the steps one after the other."""
    for name, step in transformer.steps:
        block = compile_known(step, builder, block, (*path, name))
    return block


@composes("ColumnTransformer", _of_columns)
def column_transformer(transformer: Any, builder: Builder, block: Block, path: Path) -> Block:
    """Compile each transformer over its own columns; what has none gives none."""
    weights = transformer.transformer_weights or {}
    places = attribute(transformer, "_transformer_to_input_indices")
    parts = []
    for name, step, _ in attribute(transformer, "transformers_"):
        indices = np.asarray(places[name], np.int64).reshape(-1)
        if not is_dropped(step) and len(indices):
            parts.append((name, step, block.at(indices), weights.get(name)))
    if not parts:
        return Block(block.slots[:0])
    return side_by_side(_beside(builder, parts, path), sparse=bool(attribute(transformer, "sparse_output_")))


@composes("FeatureUnion", lambda transformer: _named(transformer.transformer_list))
def feature_union(transformer: Any, builder: Builder, block: Block, path: Path) -> Block:
    """Compile all transformers over the same columns."""
    weights = transformer.transformer_weights or {}
    steps = [(name, step) for name, step in transformer.transformer_list if not is_dropped(step)]
    return side_by_side(_beside(builder, [(name, step, block, weights.get(name)) for name, step in steps], path))


@inverts("Pipeline")
def undo_pipeline(transformer: Any, builder: Builder, slots: Slots) -> Slots:
    """Undo the steps, the last one first."""
    for name, step in reversed(transformer.steps):
        if is_nothing(step):
            continue
        known = INVERSES.get(type(step).__name__)
        if known is None:
            raise ModelError(f"its step {name!r} has no inverse that can be compiled", expected=", ".join(INVERSES))
        slots = known(step, builder, slots)
    return slots


def _beside(builder: Builder, parts: list[tuple[str, Any, Block, float | None]], path: Path) -> list[Block]:
    """Compile steps that stand beside each other, and name all that cannot be."""
    blocks, problems = [], []
    for name, step, block, weight in parts:
        try:
            blocks.append(_weighted(builder, compile_known(step, builder, block, (*path, name)), weight))
        except NotCompilable as error:
            problems.append(error)
    if problems:
        raise collected(problems)
    return blocks


def _weighted(builder: Builder, block: Block, weight: float | None) -> Block:
    if weight is None or not block.width:
        return block
    builder.numbers(block.slots)
    # numpy keeps float32 times a Python number in float32: only a weight of one power of two then is the same.
    if block.dtype == "float32" and np.frexp(weight)[0] not in (0.5, -0.5):
        raise ModelError(f"is weighted by {weight} in float32", expected="float64")
    return block.of(
        builder.add(Op.MULTIPLY, block.slots, numbers=[weight] * block.width),
        np.result_type(block.dtype, type(weight)).name if block.dtype != "float32" else "float32",
    )
