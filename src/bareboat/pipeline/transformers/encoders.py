"""OneHotEncoder, OrdinalEncoder and TargetEncoder: what tells values apart by being equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder, Value
from bareboat.pipeline.ir import ABSENT, REFUSED, Dtype, Op, Slots
from bareboat.pipeline.transformers.registry import compiles
from bareboat.pipeline.transformers.values import is_nan, is_text, plain


@compiles("OneHotEncoder")
def one_hot_encoder(transformer: Any, builder: Builder, block: Block) -> Block:
    """One column for each category that is not dropped; infrequent ones share the last."""
    drops = attribute(transformer, "drop_idx_")
    parts: list[Slots] = []
    for feature, slot in enumerate(block.slots.tolist()):
        categories = _categories(transformer, feature)
        groups, infrequent = _groups(transformer, feature, len(categories))
        drop = None if drops is None or drops[feature] is None else groups[int(drops[feature])]
        count = max(groups) + 1
        columns = [
            ABSENT if group == drop else group - int(drop is not None and group > drop) for group in range(count)
        ]
        unknown = ABSENT
        if transformer.handle_unknown == "error":
            unknown = REFUSED
        elif infrequent is not None and transformer.handle_unknown != "ignore":
            unknown = columns[infrequent]
        width = count - int(drop is not None)
        if width or unknown == REFUSED:
            code, whole = coded(builder, slot, categories, [columns[group] for group in groups], unknown)
            parts.append(builder.add(Op.ONE_HOT, [code], max(width, 1), whole=whole)[:width])
        else:
            builder.touch(slot)
    slots = np.concatenate([np.zeros(0, np.int32), *parts])
    return block.of(slots, transformer.dtype, sparse=bool(transformer.sparse_output))


@compiles("OrdinalEncoder")
def ordinal_encoder(transformer: Any, builder: Builder, block: Block) -> Block:
    """The place of a category among those of its column; infrequent ones share the last."""
    is_strict = transformer.handle_unknown == "error"
    parts: list[Slots] = []
    for feature, slot in enumerate(block.slots.tolist()):
        categories = _categories(transformer, feature)
        has_nan = is_nan(categories[-1])
        groups, _ = _groups(transformer, feature, len(categories) - int(has_nan))
        numbers = [float(group) for group in groups]
        if has_nan:
            numbers.append(float(transformer.encoded_missing_value))
        if not is_strict:
            numbers.append(float(transformer.unknown_value))
        unknown = REFUSED if is_strict else len(categories)
        code, whole = coded(builder, slot, categories, list(range(len(categories))), unknown)
        parts.append(builder.add(Op.LOOKUP, [code], 1, numbers=numbers, whole=whole))
    return block.of(np.concatenate([np.zeros(0, np.int32), *parts]), transformer.dtype, sparse=False)


@compiles("TargetEncoder")
def target_encoder(transformer: Any, builder: Builder, block: Block) -> Block:
    """The mean of the target by category, of each class if there are several; the mean of all for what is unknown."""
    encodings = attribute(transformer, "encodings_")
    mean = np.asarray(attribute(transformer, "target_mean_"), np.float64).reshape(-1)
    n_out = len(transformer.classes_) if transformer.target_type_ == "multiclass" else 1
    parts: list[Slots] = []
    for feature, slot in enumerate(block.slots.tolist()):
        categories = _categories(transformer, feature)
        table = np.array([*zip(*encodings[feature * n_out : (feature + 1) * n_out], strict=True), mean[:n_out]])
        code, whole = coded(builder, slot, categories, list(range(len(categories))), len(categories))
        parts.append(builder.add(Op.LOOKUP, [code], n_out, numbers=table, whole=whole))
    return block.of(np.concatenate([np.zeros(0, np.int32), *parts]), "float64", sparse=False)


def coded(
    builder: Builder, slot: int, categories: Sequence[Value], targets: Sequence[int], unknown: int
) -> tuple[int, list[int]]:
    """Return a slot of codes and the table of ONE_HOT or LOOKUP that gives each category its target.

    Args:
        slot: codes, numbers, or a column that nothing has read yet.
        categories: each once; NaN is the missing one.
        targets: of each category.
        unknown: of every other value.
    Raises:
        ModelError: there is text among the categories of a slot of numbers.
    """
    missing = next((target for value, target in zip(categories, targets, strict=True) if is_nan(value)), unknown)
    known = [(value, target) for value, target in zip(categories, targets, strict=True) if not is_nan(value)]
    if builder.is_code(slot) or any(is_text(value) for value, _ in known):
        vocabulary = builder.vocabulary(slot)
        if vocabulary is None:
            raise ModelError("compares numbers that an earlier step computes with text", expected="numbers")
        places = {int(vocabulary.code(value)): target for value, target in known}
        table = [places.get(code, unknown) for code in range(max(places, default=-1) + 1)]
        return slot, [unknown, missing, *table]
    builder.refuse_infinite(np.array([slot], np.int32))
    _as_number(builder, slot, [value for value, _ in known], strict=unknown == REFUSED)
    ordered = sorted((float(value), target) for value, target in known)  # type: ignore[arg-type]
    numbers = [value for value, _ in ordered]
    table = [target for _, target in ordered]
    if len(known) < len(categories):
        numbers.append(math.nan)
        table.append(missing)
    (code,) = builder.add(Op.FIND, [slot], 1, numbers=numbers).tolist()
    return code, [unknown, missing, *table]


def _as_number(builder: Builder, slot: int, values: Sequence[Value], *, strict: bool) -> None:
    dtype: Dtype = "float"
    if values and all(isinstance(value, bool) for value in values):
        dtype = "bool"
    elif strict and all(isinstance(value, int) for value in values):
        dtype = "int"
    column = builder.input(slot)
    if column is not None:
        column.as_number(dtype)


def _categories(transformer: Any, feature: int) -> list[Value]:
    categories = np.asarray(attribute(transformer, "categories_")[feature])
    if categories.dtype.kind not in "OUbiuf":
        raise ModelError(f"has categories of {categories.dtype.name}", expected="text, numbers or booleans")
    return [plain(value) for value in categories.tolist()]


def _groups(transformer: Any, feature: int, count: int) -> tuple[list[int], int | None]:
    """Return for each category the number of its group, the infrequent ones being the last, and the number of that."""
    indices = getattr(transformer, "_infrequent_indices", None)
    if indices is None or indices[feature] is None:
        return list(range(count)), None
    infrequent = set(np.asarray(indices[feature]).tolist())
    last = count - len(infrequent)
    numbers = iter(range(count))
    return [last if place in infrequent else next(numbers) for place in range(count)], last
