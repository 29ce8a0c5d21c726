"""KBinsDiscretizer."""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import ABSENT, Op, Slots
from bareboat.pipeline.transformers.registry import check_double, compiles


@compiles("KBinsDiscretizer")
def k_bins(transformer: Any, builder: Builder, block: Block) -> Block:
    """The number of the bin that a value falls into, or one column for each bin."""
    check_double(block)
    if transformer.dtype is not None and np.dtype(transformer.dtype) != np.float64:
        raise ModelError(f"bins in {np.dtype(transformer.dtype).name}", expected="float64", fix="dtype=None")
    builder.numbers(block.slots)
    builder.refuse_missing(block.slots)
    parts: list[Slots] = []
    edges, counts = attribute(transformer, "bin_edges_"), attribute(transformer, "n_bins_")
    for slot, borders, count in zip(block.slots.tolist(), edges, counts, strict=True):
        code = builder.add(Op.BIN, [slot], 1, numbers=borders[1:-1])
        if transformer.encode != "ordinal":
            whole = [ABSENT, ABSENT, *range(int(count))]
            code = builder.add(Op.ONE_HOT, code, int(count), whole=whole)
        parts.append(code)
    slots = np.concatenate([np.zeros(0, np.int32), *parts])
    return block.of(slots, "float64", sparse=transformer.encode == "onehot")
