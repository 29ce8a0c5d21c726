"""The trees of an XGBoost model -> Trees.

Source: RegTree::LoadModel and MultiTargetTree::LoadModel (src/tree/, 1.0 to 3.4), GetDecision (src/predictor/) and
Decision (src/common/categorical.h).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import CategorySet, Floats, Rule, Trees
from bareboat.forest.readers.document import SAVE_AGAIN, Part
from bareboat.forest.sets import SetRoom, bits_of

Indices = NDArray[np.int64]

CATEGORY_END = 1 << 24
"""Categories are below it, as every whole number up to it is a float32."""


@dataclass(frozen=True, slots=True, eq=False)
class _Nodes:
    """The nodes of all trees, one after the other: leaves and splits, and those that pruning cut off.

    Args:
        start: (n_trees + 1,) where each tree's nodes start.
        left, right: (n,) children within the tree; left is -1 for a leaf.
        number: (n,) a split's threshold, a leaf's value, float32.
        feature, default_left: (n,).
        cover, gain: (n,) or None where not every tree has them.
        sets: (n,) index into `rights`, -1 for what is no categorical split.
        rights: the categories that go right, as the bits of an integer.
    """

    start: Indices
    left: Indices
    right: Indices
    number: NDArray[np.float32]
    feature: Indices
    default_left: NDArray[np.bool_]
    cover: Floats | None
    gain: Floats | None
    sets: Indices
    rights: list[int]


def read_trees(trees: list[Part], groups: Indices, weights: NDArray[np.float32] | None, n_features: int) -> Trees:
    """Read trees.

    Args:
        trees: as the model has them.
        groups: (n_trees,) the output that each adds to.
        weights: (n_trees,) of dart, which multiply each tree's leaves, or None.
        n_features: of the model.
    Raises:
        ModelError: arrays of a tree contradict each other, or its children form no tree.
    """
    nodes = _nodes(trees)
    seen = _reached(nodes, trees)
    is_split = seen & (nodes.left >= 0)
    splits, leaves = np.flatnonzero(is_split), np.flatnonzero(seen & (nodes.left < 0))
    owner = np.repeat(np.arange(len(trees)), np.diff(nodes.start))
    _check_splits(nodes, splits, owner, trees, n_features)
    leaf_start = np.zeros(len(trees) + 1, np.int64)
    np.cumsum(np.bincount(owner[leaves], minlength=len(trees)), out=leaf_start[1:])
    # A child's number within its tree: that of a split, or ~ that of a leaf.
    place = np.zeros(len(owner), np.int64)
    place[splits] = np.arange(len(splits)) - (leaf_start - np.arange(len(trees) + 1))[owner[splits]]
    place[leaves] = ~(np.arange(len(leaves)) - leaf_start[owner[leaves]])
    at = nodes.start[owner[splits]]
    is_set = nodes.sets[splits] >= 0
    set_number, sets = _sets(nodes, splits, is_set)
    nan_left = nodes.default_left[splits]
    with np.errstate(over="ignore"):
        below = np.nextafter(nodes.number[splits], np.float32(-np.inf))  # x < t is x <= the float32 before t
    return Trees(
        leaf_start=leaf_start,
        output=groups.astype(np.int32),
        feature=nodes.feature[splits].astype(np.int32),
        rule=np.where(is_set, Rule.CATEGORY_NOT_NEGATIVE, np.where(nan_left, Rule.NAN_LEFT, Rule.NAN_RIGHT)).astype(
            np.uint8
        ),
        threshold=np.where(is_set, 0.0, below.astype(np.float64)),
        left=place[at + nodes.left[splits]].astype(np.int32),
        right=place[at + nodes.right[splits]].astype(np.int32),
        set_number=set_number,
        sets=sets,
        leaf_value=_leaf_values(nodes, leaves, owner, trees, weights),
        leaf_id=(leaves - nodes.start[owner[leaves]]).astype(np.int32),
        leaf_cover=None if nodes.cover is None else nodes.cover[leaves],
        split_cover=None if nodes.cover is None else nodes.cover[splits],
        split_gain=None if nodes.gain is None else nodes.gain[splits],
    )


def _nodes(trees: list[Part]) -> _Nodes:
    start = np.zeros(len(trees) + 1, np.int64)
    columns: dict[str, list[NDArray[Any]]] = {}
    rights: list[int] = []
    room = SetRoom()
    for place, tree in enumerate(trees):
        count = tree["tree_param"]["num_nodes"].integer(at_least=1)
        start[place + 1] = start[place] + count
        for key in ("left_children", "right_children", "split_indices", "default_left"):
            columns.setdefault(key, []).append(tree[key].integers(count))
        columns.setdefault("split_conditions", []).append(tree["split_conditions"].numbers(count))
        for key in ("sum_hessian", "loss_changes"):  # trees with vector leaves have them from 3.2 on
            if key in tree:
                columns.setdefault(key, []).append(tree[key].numbers(count))
        columns.setdefault("sets", []).append(_tree_sets(tree, count, rights, room))
    joined = {key: np.concatenate(parts) for key, parts in columns.items() if len(parts) == len(trees)}
    with np.errstate(over="ignore"):
        number = joined["split_conditions"].astype(np.float32)
    return _Nodes(
        start=start,
        left=joined["left_children"],
        right=joined["right_children"],
        number=number,
        feature=joined["split_indices"],
        default_left=joined["default_left"] != 0,
        cover=_finite(joined.get("sum_hessian")),
        gain=_finite(joined.get("loss_changes")),
        sets=joined["sets"],
        rights=rights,
    )


def _finite(numbers: Floats | None) -> Floats | None:
    """Return a statistic as the float32 that it was, or None when it is not known for every node."""
    if numbers is None:
        return None
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32).astype(np.float64)
    return single if np.isfinite(single).all() else None


def _tree_sets(tree: Part, count: int, rights: list[int], room: SetRoom) -> Indices:
    """Return each node's index into `rights`, which gets this tree's sets; -1 for a node without."""
    which = np.full(count, -1, np.int64)
    if "split_type" not in tree:  # before 1.3
        return which
    categorical = np.flatnonzero(tree["split_type"].integers(count))
    nodes = tree["categories_nodes"].integers()
    if not np.array_equal(nodes, categorical):
        raise tree["categories_nodes"].error("other nodes than split_type calls categorical", "the same", SAVE_AGAIN)
    if not len(nodes):
        return which
    starts = tree["categories_segments"].integers(len(nodes))
    sizes = tree["categories_sizes"].integers(len(nodes))
    categories = tree["categories"].integers()
    if len(categories) and not 0 <= categories.min() <= categories.max() < CATEGORY_END:
        raise tree["categories"].error("a category out of range", f"0 to {CATEGORY_END - 1}", SAVE_AGAIN)
    if starts.min() < 0 or sizes.min() < 1 or (starts + sizes).max() > len(categories):
        raise tree["categories_segments"].error(
            "a part that reaches outside categories", f"parts of 0 to {len(categories)}", SAVE_AGAIN
        )
    which[nodes] = np.arange(len(rights), len(rights) + len(nodes))
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        codes = categories[start : start + size]
        if not room.has(int(codes.max())):
            raise tree["categories"].error("too many sets of large categories", "fewer, or smaller codes")
        rights.append(bits_of(codes))
    return which


def _reached(nodes: _Nodes, trees: list[Part]) -> NDArray[np.bool_]:
    """Return which nodes hang on their tree's root: pruning leaves others behind. Level by level over all trees."""
    counts = np.diff(nodes.start)
    owner = np.repeat(np.arange(len(trees)), counts)
    seen = np.zeros(len(owner), bool)
    level = nodes.start[:-1]
    while len(level):
        twice = seen[level]
        seen[level] = True
        if twice.any() or len(np.unique(level)) != len(level):
            tree = trees[int(owner[level[twice]][0] if twice.any() else owner[_repeated(level)])]
            raise tree.error("children that form a cycle or share a branch", "children that form one tree", SAVE_AGAIN)
        inner = level[nodes.left[level] != -1]
        children = np.concatenate([nodes.left[inner], nodes.right[inner]])
        of = np.tile(owner[inner], 2)
        outside = (children < 1) | (children >= counts[of])
        if outside.any():
            tree, child = trees[int(of[outside][0])], int(children[outside][0])
            raise tree.error(f"the child {child}", f"1 to {counts[of[outside][0]] - 1}, or -1", SAVE_AGAIN)
        level = children + nodes.start[of]
    return seen


def _repeated(values: Indices) -> int:
    ordered = np.sort(values)
    return int(ordered[1:][ordered[1:] == ordered[:-1]][0])


def _check_splits(nodes: _Nodes, splits: Indices, owner: Indices, trees: list[Part], n_features: int) -> None:
    feature, number = nodes.feature[splits], nodes.number[splits]
    wrong = splits[(feature < 0) | (feature >= n_features)]
    if len(wrong):
        raise trees[int(owner[wrong[0]])].error(
            f"the feature {nodes.feature[wrong[0]]} in split_indices", f"0 to {n_features - 1}", SAVE_AGAIN
        )
    # No value is below -inf, so such a split would send even -inf right, which no `<=` does.
    wrong = splits[(np.isnan(number) | (number == -np.inf)) & (nodes.sets[splits] < 0)]
    if len(wrong):
        raise trees[int(owner[wrong[0]])].error(
            f"the threshold {nodes.number[wrong[0]]} in split_conditions", "a number above -inf", SAVE_AGAIN
        )


def _sets(
    nodes: _Nodes, splits: Indices, is_set: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], tuple[CategorySet, ...]]:
    """Return each split's index into the sets, equal ones shared. A category that a set does not name goes left."""
    number = np.full(len(splits), -1, np.int32)
    known: dict[CategorySet, int] = {}
    for place in np.flatnonzero(is_set).tolist():
        split = splits[place]
        categories = CategorySet(
            codes=0,
            right=nodes.rights[int(nodes.sets[split])],
            others_left=True,
            nan_left=bool(nodes.default_left[split]),
        )
        number[place] = known.setdefault(categories, len(known))
    return number, tuple(known)


def _leaf_values(
    nodes: _Nodes, leaves: Indices, owner: Indices, trees: list[Part], weights: NDArray[np.float32] | None
) -> Floats:
    """Return (n_leaves, 1), or (n_leaves, n_outputs) of trees with vector leaves; float32 numbers."""
    widths = {
        tree["tree_param"]["size_leaf_vector"].integer() for tree in trees if "size_leaf_vector" in tree["tree_param"]
    }
    width = max(widths, default=1)
    if width > 1:
        values = np.concatenate(
            [
                _vectors(tree, width, nodes, leaves[owner[leaves] == place], int(nodes.start[place]))
                for place, tree in enumerate(trees)
            ]
        )
    else:
        values = nodes.number[leaves].reshape(-1, 1)
    if weights is not None:
        values = values * weights[owner[leaves]].reshape(-1, 1)
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(wrong):
        raise trees[int(owner[leaves[wrong[0]]])].error("a leaf that is not finite", "finite leaves", SAVE_AGAIN)
    return values.astype(np.float64)


def _vectors(tree: Part, width: int, nodes: _Nodes, leaves: Indices, start: int) -> NDArray[np.float32]:
    """Return one tree's leaves: rows of `leaf_weights`, which `right` counts, or before 3.2 each node's weights."""
    if tree["tree_param"]["size_leaf_vector"].integer() != width:
        raise tree.error("leaves of another size than other trees have", f"size_leaf_vector {width}", SAVE_AGAIN)
    part = tree["leaf_weights"] if "leaf_weights" in tree else tree["base_weights"]
    table = part.numbers()
    rows = nodes.right[leaves] if "leaf_weights" in tree else leaves - start
    if len(table) % width or rows.min() < 0 or rows.max() >= len(table) // width:
        raise part.error(f"{len(table)} numbers", f"{width} for each leaf", SAVE_AGAIN)
    with np.errstate(over="ignore"):
        return table.reshape(-1, width)[rows].astype(np.float32)
