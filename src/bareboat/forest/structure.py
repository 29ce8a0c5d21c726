"""Trees -> their splits in preorder and their leaves from left to right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import Trees
from bareboat.forest.soundness import tree_fault

Indices = NDArray[Any]
"""int32, or int64 where a forest has more than 2^31 splits and leaves."""


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Where the splits and leaves of a forest lie in its file.

    Args:
        split_place: (n_splits,) place of each split when every tree's splits lie in preorder.
        first: (n_splits,) the leftmost leaf of its branch, within its tree.
        right: (n_splits,) the leftmost leaf of its right branch, within its tree.
        leaf_place: (n_leaves,) place of each leaf when every tree's leaves lie from left to right.
        depth: splits on the longest way from a root to a leaf.
    """

    split_place: Indices
    first: Indices
    right: Indices
    leaf_place: Indices
    depth: int


def lay_out(trees: Trees) -> Structure:
    """Return where each split and leaf lies.

    All trees are walked at once, a level at a time: a few array operations for each level of the deepest tree.

    Raises:
        ModelError: the children of a tree do not form one tree over its splits and leaves.
    """
    assert len(trees.left) == int(trees.leaf_start[-1]) - len(trees)
    fault = tree_fault(trees.leaf_start, trees.left, trees.right)
    if fault is not None:
        raise ModelError(
            f"tree {fault[0]}: {fault[1]}", expected="children that form one tree", fix="save the model again"
        )
    child, roots = _nodes(trees)
    levels = _levels(child, roots)
    n_splits, n_leaves, index = len(trees.left), int(trees.leaf_start[-1]), child.dtype
    n_below = np.ones(n_splits + n_leaves, index)
    for level, left, right in reversed(levels):
        n_below[level] = n_below[left] + n_below[right]
    # The splits of a branch of n leaves are n - 1, so the right branch's lie n_left places after their parent.
    first, place = np.zeros(n_splits + n_leaves, index), np.empty(n_splits + n_leaves, index)
    place[roots] = roots
    for level, left, right in levels:
        n_left, low, at = n_below[left], first[level], place[level]
        first[left], first[right] = low, low + n_left
        place[left], place[right] = at + 1, at + n_left
    leaf_tree_start = np.repeat(trees.leaf_start[:-1], np.diff(trees.leaf_start)).astype(index)
    return Structure(
        split_place=place[:n_splits],
        first=first[:n_splits],
        right=first[child[1]],
        leaf_place=first[n_splits:] + leaf_tree_start,
        depth=len(levels),
    )


def _nodes(trees: Trees) -> tuple[Indices, Indices]:
    """Return the children as nodes of the whole forest (2, n_splits), and the roots that are splits.

    Nodes are the splits of all trees, then the leaves of all trees.
    """
    n_splits, counts = len(trees.left), np.diff(trees.leaf_start)
    index = np.int32 if n_splits + int(trees.leaf_start[-1]) < 1 << 31 else np.int64
    split_start = (trees.leaf_start - np.arange(len(trees) + 1))[:-1].astype(index)
    of_split = np.repeat(split_start, counts - 1)
    of_leaf = np.repeat((trees.leaf_start[:-1] + n_splits).astype(index), counts - 1)
    child = np.empty((2, n_splits), index)
    for side, local in enumerate((trees.left, trees.right)):
        child[side] = np.where(local >= 0, local + of_split, of_leaf + ~local)
    return child, split_start[counts > 1]


def _levels(child: Indices, roots: Indices) -> list[tuple[Indices, Indices, Indices]]:
    """Return the splits of each level, from the roots on, with their left and right children."""
    levels = []
    level = roots
    while len(level):
        below = child[:, level]
        levels.append((level, below[0], below[1]))
        level = below[below < child.shape[1]]
    return levels
