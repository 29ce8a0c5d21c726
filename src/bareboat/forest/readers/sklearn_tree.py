"""scikit-learn's Tree (`estimator.tree_`) -> Tree, by whole arrays.

Source: scikit-learn, sklearn/tree/_tree.pyx: a row, rounded to float32, goes left when its value is at most the
threshold (float64); a NaN goes where `missing_go_to_left` says. Nodes are numbered with the root first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Floats, Rule, Tree

_LEAF = -1

Features = NDArray[np.integer[Any]]


def renumbered(
    is_leaf: NDArray[np.bool_], left: NDArray[np.integer[Any]], right: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the children of the splits as `ir.Tree` numbers them.

    Args:
        is_leaf, left, right: (n_nodes,) splits and leaves in one numbering, the root first.
    Returns:
        left, right: (n_splits,), splits and leaves each counted in the order of nodes.
    """
    number = np.where(is_leaf, ~(np.cumsum(is_leaf) - 1), np.cumsum(~is_leaf) - 1).astype(np.int32)
    return number[left[~is_leaf]], number[right[~is_leaf]]


def read_tree(
    tree: Any,
    leaf_value: Floats,
    *,
    features: Features | None = None,
    missing: bool = True,
    output: int = 0,
) -> Tree:
    """Turn one tree into the IR's numbering.

    Args:
        tree: `tree_` of a fitted decision tree.
        leaf_value: (n_nodes,) or (n_nodes, n_outputs) what each node adds if it is a leaf.
        features: which column of X each of the tree's features is, or None when they are the same.
        missing: whether NaN follows `missing_go_to_left`; else it goes right, as every comparison with it fails.
        output: the output that the tree adds to.
    """
    nodes_left, nodes_right = tree.children_left, tree.children_right
    is_leaf = nodes_left == _LEAF
    splits = ~is_leaf
    left, right = renumbered(is_leaf, nodes_left, nodes_right)
    feature = tree.feature[splits]
    cover = tree.weighted_n_node_samples
    weighted = cover * tree.impurity
    gain = weighted[splits] - weighted[nodes_left[splits]] - weighted[nodes_right[splits]]
    go_left = tree.missing_go_to_left[splits] if missing else np.zeros(len(feature), np.uint8)
    return Tree(
        feature=(feature if features is None else features[feature]).astype(np.int32),
        rule=np.where(go_left, int(Rule.NAN_LEFT), int(Rule.NAN_RIGHT)).astype(np.int32),
        threshold=tree.threshold[splits],
        left=left,
        right=right,
        leaf_value=leaf_value[is_leaf],
        output=output,
        leaf_id=np.flatnonzero(is_leaf).astype(np.int32),
        leaf_cover=cover[is_leaf],
        split_cover=cover[splits],
        split_gain=gain,
    )
