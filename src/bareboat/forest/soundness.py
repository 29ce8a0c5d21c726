"""Flat arrays of trees -> what keeps them from being trees, all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Integers


def tree_fault(
    leaf_start: NDArray[np.int64], left: Integers, right: Integers, tree_names: NDArray[np.int64] | None = None
) -> tuple[int, str] | None:
    """Say which tree's children do not form one binary tree over all its splits and leaves, and why, or None.

    Args:
        leaf_start: (n_trees + 1,) rising by at least 1, as `ir.Trees` has it.
        left, right: (n_splits,) children, as `ir.Trees` has them.
        tree_names: (n_trees,) what to call the trees instead of their places.
    Returns:
        The tree's name and the fault, in the tree's own numbering.
    """
    n_trees = len(leaf_start) - 1
    split_start = leaf_start - np.arange(n_trees + 1)
    n_leaves = np.diff(leaf_start)
    tree = np.repeat(np.arange(n_trees), n_leaves - 1)
    child = np.stack((left, right), axis=1).astype(np.int64)  # (n_splits, 2)
    outside = (child >= (n_leaves[tree] - 1)[:, None]) | (~child >= n_leaves[tree][:, None])
    fault = _first(outside.any(axis=1))
    if fault is not None:
        wrong = int(child[fault][outside[fault]][0])
        kind, end = ("splits", n_leaves[tree[fault]] - 2) if wrong >= 0 else ("leaves", n_leaves[tree[fault]] - 1)
        return _named(tree[fault], f"child {wrong} points outside: there are {kind} 0 to {end}", tree_names)
    is_split = child >= 0
    to_split = (child + split_start[tree][:, None])[is_split]
    to_leaf = (~child + leaf_start[:-1][tree][:, None])[~is_split]
    met_leaves = np.bincount(to_leaf, minlength=int(leaf_start[-1]))
    met_leaves[leaf_start[:-1][n_leaves == 1]] += 1  # the only leaf of a tree
    met_splits = np.bincount(to_split, minlength=len(left))
    met_splits[split_start[:-1][n_leaves > 1]] += 1  # the roots
    fault = _first(met_splits > 1)
    if fault is not None:
        text = f"split {fault - split_start[tree[fault]]} is reached twice: its children form a cycle or share a branch"
        return _named(tree[fault], text, tree_names)
    fault = _first(met_leaves > 1)
    if fault is not None:
        owner = int(np.searchsorted(leaf_start, fault, side="right")) - 1
        return _named(owner, f"leaf {fault - leaf_start[owner]} is reached twice", tree_names)
    # Each child is met at most once and their number is right, so all are met; only cycles apart from a root remain.
    lost = _first(~_reached(split_start, child, tree, n_leaves))
    if lost is None:
        return None
    text = f"split {lost - split_start[tree[lost]]} is never reached: its children form a cycle or nothing points to it"
    return _named(tree[lost], text, tree_names)


def _reached(
    split_start: NDArray[np.int64], child: NDArray[np.int64], tree: NDArray[np.int64], n_leaves: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(n_splits,) which splits a root leads to. Where children always come after their parents, all are."""
    own = np.arange(len(child)) - split_start[tree]
    if ((child < 0) | (child > own[:, None])).all():
        return np.ones(len(child), np.bool_)
    reached = np.zeros(len(child), np.bool_)
    front = split_start[:-1][n_leaves > 1]
    while len(front):
        reached[front] = True
        below = child[front]
        front = (below + split_start[tree[front]][:, None])[below >= 0]
    return reached


def _first(wrong: Any) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None


def _named(tree: int | np.integer, fault: str, tree_names: NDArray[np.int64] | None) -> tuple[int, str]:
    return int(tree if tree_names is None else tree_names[tree]), fault
