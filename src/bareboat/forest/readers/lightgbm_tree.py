"""The `Tree=` blocks of a LightGBM model -> Trees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import LinearLeaves, Rule, Trees
from bareboat.forest.readers.lightgbm_columns import Columns
from bareboat.forest.readers.lightgbm_sets import category_sets
from bareboat.forest.readers.lightgbm_text import SAVE_AGAIN, Fields, ModelText
from bareboat.forest.soundness import tree_fault

_TREE = """
num_leaves num_cat split_feature split_gain threshold decision_type left_child right_child leaf_value leaf_weight
leaf_count internal_value internal_weight internal_count cat_boundaries cat_threshold is_linear leaf_const
num_features leaf_features leaf_coeff shrinkage
"""
TREE_KEYS = frozenset(_TREE.split())

# decision_type: bit 0 categorical, bit 1 default left, bits 2-3 missing type (0 None, 1 Zero, 2 NaN).
# Source: include/LightGBM/tree.h. A categorical split ignores the other bits.
RULES = np.array(
    [
        Rule.MISSING_IS_ZERO,
        Rule.CATEGORY,
        Rule.MISSING_IS_ZERO,
        Rule.CATEGORY,
        Rule.ZERO_RIGHT,
        Rule.CATEGORY,
        Rule.ZERO_LEFT,
        Rule.CATEGORY,
        Rule.NAN_RIGHT,
        Rule.CATEGORY,
        Rule.NAN_LEFT,
        Rule.CATEGORY,
    ],
    np.uint8,
)
_INT_MAX = (1 << 31) - 1


def read_trees(text: ModelText, sizes: Sequence[int], n_features: int, n_outputs: int) -> Trees:
    """Read all trees; the text of tree `i` must be `sizes[i]` bytes long.

    `shrinkage` is in the leaves' values already, and weights and inner values say nothing that scores need.

    Raises:
        ModelError: a block is cut off, or its counts, indices or children contradict each other.
    """
    blocks = [_block(text, number, size, len(sizes)) for number, size in enumerate(sizes)]
    n_leaves = np.array([text.integer(block.need("num_leaves"), at_least=1) for block in blocks], np.int64)
    leaf_start = np.concatenate(([0], np.cumsum(n_leaves)))
    leaves = Columns(text, blocks, n_leaves)
    leaf_value = leaves.numbers("leaf_value")
    grown = [block for block, count in zip(blocks, n_leaves.tolist(), strict=True) if count > 1]
    splits = Columns(text, grown, n_leaves[n_leaves > 1] - 1)
    feature = splits.integers("split_feature", 0, n_features - 1, "feature")
    rule = RULES[splits.integers("decision_type", 0, len(RULES) - 1)]
    left = splits.integers("left_child", -_INT_MAX, _INT_MAX, "child").astype(np.int32)
    right = splits.integers("right_child", -_INT_MAX, _INT_MAX, "child").astype(np.int32)
    fault = tree_fault(leaf_start, left, right)
    if fault:
        raise text.error(blocks[fault[0]].need("left_child"), fault[1], "children that form one tree", SAVE_AGAIN)
    threshold = splits.numbers("threshold", infinite=True)
    set_number, sets = category_sets(text, grown, splits, rule, threshold)
    threshold[rule == Rule.CATEGORY] = 0.0
    return Trees(
        leaf_start=leaf_start,
        output=np.arange(len(blocks), dtype=np.int32) % n_outputs,
        feature=feature.astype(np.int32),
        rule=rule,
        threshold=threshold,
        left=left,
        right=right,
        set_number=set_number,
        sets=sets,
        leaf_value=leaf_value[:, None],
        linear=_linear_leaves(text, blocks, n_leaves, leaf_value, n_features),
        leaf_cover=_counts(leaves, blocks, "leaf_count"),
        split_cover=_counts(splits, grown, "internal_count"),
        split_gain=_gains(splits, grown),
    )


def _block(text: ModelText, number: int, size: int, n_trees: int) -> Fields:
    owner = f"Tree={number} of {n_trees} trees"
    start, first = text.offset, text.line
    line = text.next_line()
    if line is None:
        raise text.cut_off(owner)
    if line != b"Tree=%d" % number:
        found = "the end of the trees" if line == b"end of trees" else repr(line[:40].decode())
        raise text.error(first, f"{found} instead of Tree={number}", f"{n_trees} trees, as tree_sizes says", SAVE_AGAIN)
    fields = text.fields(TREE_KEYS, owner)
    _skip_blank(text, owner)
    if text.offset - start != size:
        raise text.error(
            first,
            f"Tree={number} is {text.offset - start} bytes long",
            expected=f"{size}, as tree_sizes says",
            fix=f"{SAVE_AGAIN}; an editor or a transfer as text may have changed its line ends",
        )
    return fields


def _skip_blank(text: ModelText, owner: str) -> None:
    line = text.next_line()
    if line is None:
        raise text.cut_off(owner)
    if line:
        raise text.error(text.line - 1, f"{line[:40].decode()!r} after {owner}", "an empty line", SAVE_AGAIN)


def _counts(columns: Columns, blocks: Sequence[Fields], key: str) -> NDArray[np.float64] | None:
    """Return how many training rows there were, where every tree says so."""
    if not all(key in block for block in blocks):
        return None
    return columns.integers(key, 0, _INT_MAX, "count").astype(np.float64)


def _gains(columns: Columns, blocks: Sequence[Fields]) -> NDArray[np.float64] | None:
    """Return the gains as LightGBM keeps and sums them: rounded to float32."""
    if not all("split_gain" in block for block in blocks):
        return None
    with np.errstate(over="ignore"):
        return columns.numbers("split_gain").astype(np.float32).astype(np.float64)


def _linear_leaves(
    text: ModelText,
    blocks: Sequence[Fields],
    n_leaves: NDArray[np.int64],
    leaf_value: NDArray[np.float64],
    n_features: int,
) -> LinearLeaves | None:
    flags = [text.integer(block["is_linear"]) if "is_linear" in block else 0 for block in blocks]
    if not any(flags):
        return None
    is_linear = np.array(flags, np.bool_)
    linear = [block for block, flag in zip(blocks, flags, strict=True) if flag]
    leaves = Columns(text, linear, n_leaves[is_linear])
    of_linear = np.repeat(is_linear, n_leaves)
    constant = leaf_value.copy()
    constant[of_linear] = leaves.numbers("leaf_const")
    counts = np.zeros(len(leaf_value), np.int64)
    counts[of_linear] = leaves.integers("num_features", 0, n_features)
    tree_counts = np.add.reduceat(counts, np.concatenate(([0], np.cumsum(n_leaves)[:-1])))[is_linear]
    coefficients = Columns(text, linear, tree_counts)
    return LinearLeaves(
        constant=constant,
        start=np.concatenate(([0], np.cumsum(counts))),
        feature=coefficients.integers("leaf_features", 0, n_features - 1, "feature").astype(np.int32),
        coefficient=coefficients.numbers("leaf_coeff"),
    )
