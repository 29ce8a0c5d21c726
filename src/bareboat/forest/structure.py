"""The shape of a tree: whether children form one tree, and its splits in preorder."""

from __future__ import annotations

from collections.abc import Sequence


def structure_fault(left: Sequence[int], right: Sequence[int], n_leaves: int) -> str | None:
    """Say what keeps children from forming one binary tree over all splits and leaves, or None.

    Args:
        left, right: (n_leaves - 1,) children as `ir.Tree` has them.
        n_leaves: how many leaves there are.
    """
    n_splits = len(left)
    if n_splits == 0:
        return None if n_leaves == 1 else f"no splits for {n_leaves} leaves"
    seen_splits = bytearray(n_splits)
    seen_leaves = bytearray(n_leaves)
    pending = [0]
    while pending:
        child = pending.pop()
        if child >= 0:
            if child >= n_splits:
                return f"child {child} points outside: there are splits 0 to {n_splits - 1}"
            if seen_splits[child]:
                return f"split {child} is reached twice: its children form a cycle or share a branch"
            seen_splits[child] = 1
            pending += (right[child], left[child])
        else:
            if ~child >= n_leaves:
                return f"child {child} points outside: there are leaves 0 to {n_leaves - 1}"
            if seen_leaves[~child]:
                return f"leaf {~child} is reached twice"
            seen_leaves[~child] = 1
    missing = seen_splits.find(0)
    if missing >= 0:
        return f"split {missing} is never reached: its children form a cycle or nothing points to it"
    return None if all(seen_leaves) else f"leaf {seen_leaves.find(0)} is never reached"


def preorder(left: Sequence[int], right: Sequence[int]) -> tuple[list[tuple[int, int, int]], list[int], int]:
    """Walk a sound tree from left to right.

    Returns:
        splits: in preorder (parent, its left branch, its right branch), each as (split, first leaf of its left
            branch, first leaf of its right branch), where leaves count from left to right.
        leaves: (n_leaves,) the source's leaf numbers from left to right.
        depth: splits on the longest way from the root to a leaf.
    """
    splits: list[tuple[int, int, int]] = []
    leaves: list[int] = []
    if not left:
        return splits, [0], 0
    depth = 0
    place: dict[int, int] = {}
    # A split is met twice: first (below the root: from its parent), then when its left branch is done.
    pending: list[tuple[int, int, int]] = [(0, 1, -1)]
    while pending:
        child, level, from_left_of = pending.pop()
        if from_left_of >= 0:
            at = place.pop(from_left_of)
            split, first, _ = splits[at]
            splits[at] = (split, first, len(leaves))
        if child < 0:
            leaves.append(~child)
            continue
        depth = max(depth, level)
        place[child] = len(splits)
        splits.append((child, len(leaves), 0))
        pending.append((right[child], level + 1, child))
        pending.append((left[child], level + 1, -1))
    return splits, leaves, depth
