"""The columns between two steps of a model: what a transformer takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bareboat.pipeline.ir import Slots


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A table in the making; the builder knows which of its slots hold codes and which may be missing.

    Args:
        slots: (k,) one for each column, in order.
        dtype: what scikit-learn holds the table as, by numpy's name: float32 is what it then computes in.
        sparse: whether scikit-learn holds it as a sparse matrix, with which some steps compute otherwise.
    """

    slots: Slots
    dtype: str = "float64"
    sparse: bool = False

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.slots)

    def at(self, places: Any) -> Block:
        """Return some of the columns, by place or mask."""
        return Block(self.slots[places], self.dtype, self.sparse)

    def of(self, slots: Any, dtype: Any = None, *, sparse: bool | None = None) -> Block:
        """Return other columns, held as these are unless said otherwise."""
        return Block(
            np.asarray(slots, np.int32).reshape(-1),
            self.dtype if dtype is None else np.dtype(dtype).name,
            self.sparse if sparse is None else sparse,
        )


def side_by_side(blocks: Sequence[Block], *, sparse: bool | None = None) -> Block:
    """Return the columns of all blocks, as scikit-learn stacks them: sparse when one is, unless said otherwise."""
    if not blocks:
        return Block(np.zeros(0, np.int32))
    dtypes = [block.dtype for block in blocks]
    return Block(
        np.concatenate([block.slots for block in blocks]).astype(np.int32),
        np.result_type(*dtypes).name,
        any(block.sparse for block in blocks) if sparse is None else sparse,
    )
