"""The categorical splits of a LightGBM model -> their sets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import CategorySet, Integers, Rule
from bareboat.forest.readers.lightgbm_columns import Columns
from bareboat.forest.readers.lightgbm_text import SAVE_AGAIN, Fields, ModelText


def category_sets(
    text: ModelText,
    blocks: Sequence[Fields],
    splits: Columns,
    rule: NDArray[np.uint8],
    threshold: NDArray[np.float64],
) -> tuple[Integers, tuple[CategorySet, ...]]:
    """Read the sets of codes that go left; the threshold of a categorical split is the number of its tree's set.

    Args:
        text: for messages.
        blocks: the trees that have splits.
        splits: their fields.
        rule, threshold: (n_splits,).
    Returns:
        set_number: (n_splits,) the place of each split's set among `sets`, -1 for a numeric split.
        sets: one a categorical split.
    Raises:
        ModelError: the sets' bounds contradict each other, or a split's set does not exist.
    """
    numbers = np.full(len(rule), -1, np.int32)
    places = np.flatnonzero(rule == Rule.CATEGORY)
    if not len(places) and not any(text.integer(block.need("num_cat")) for block in blocks):
        return numbers, ()
    sets: list[CategorySet] = []
    for block, own in zip(blocks, splits.parts(places), strict=True):
        if not len(own):
            continue
        words = _sets_of(text, block)
        for place in own.tolist():
            cut = float(threshold[place])
            if not (0 <= cut < len(words) and cut.is_integer()):
                raise splits.error(
                    "threshold",
                    place,
                    splits.place_of(cut, "threshold", place) + ", a categorical split",
                    f"the number of a set, 0 to {len(words) - 1}",
                )
            numbers[place] = len(sets)
            sets.append(CategorySet(int.from_bytes(words[int(cut)], "little")))
    return numbers, tuple(sets)


def _sets_of(text: ModelText, block: Fields) -> list[bytes]:
    """Return the bits of each set of a tree, 32 a word, lowest first."""
    n_sets = text.integer(block.need("num_cat"))
    if not n_sets:
        raise text.error(block.need("num_cat"), "num_cat=0 with categorical splits", "their number", SAVE_AGAIN)
    boundaries = text.integers(block.need("cat_boundaries"), n_sets + 1)
    if boundaries[0] != 0 or any(a > b for a, b in pairwise(boundaries)):
        raise text.error(block["cat_boundaries"], "cat_boundaries that do not rise from 0", "rising from 0", SAVE_AGAIN)
    field = block.need("cat_threshold")
    words = text.integers(field, boundaries[-1])
    if words and not 0 <= min(words) <= max(words) < 1 << 32:
        raise text.error(field, "a number in cat_threshold that is not of 32 bits", "0 to 4294967295", SAVE_AGAIN)
    bits = np.array(words, "<u4").tobytes()
    return [bits[4 * a : 4 * b] for a, b in pairwise(boundaries)]
