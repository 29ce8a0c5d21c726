"""The nodes of an ONNX tree ensemble -> Trees, by whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import CategorySet, Floats, Rule, Trees
from bareboat.forest.readers.onnx_nodes import Mode, Nodes, Places
from bareboat.forest.readers.onnx_sharing import is_shared, unshared
from bareboat.forest.sets import SetRoom

LARGEST_CODE = 1 << 20
"""A number that BRANCH_EQ compares with becomes a bit of a set, so there is an end to them."""

_TRUE_IS_RIGHT = (Mode.BRANCH_GTE, Mode.BRANCH_GT, Mode.BRANCH_NEQ)
_BELOW = (Mode.BRANCH_LT, Mode.BRANCH_GTE)
_EQUALS = (Mode.BRANCH_EQ, Mode.BRANCH_NEQ, Mode.BRANCH_MEMBER)


def read_trees(nodes: Nodes, n_outputs: int, number: type[np.floating[Any]]) -> Trees:
    """Turn the table of nodes into the IR's numbering.

    Args:
        nodes: of all trees.
        n_outputs: how many outputs there are to vote for.
        number: what values and thresholds are compared as.
    Returns:
        Trees whose leaves are vectors when a tree votes for more than one output.
    Raises:
        ModelError: nodes that form no trees, or a comparison that the IR does not have.
    """
    if is_shared(nodes):
        nodes = unshared(nodes)
    tree = _tree_of_each(nodes)
    place_in_order = np.ones(len(tree), np.int64)
    place_in_order[nodes.roots] = 0
    order = np.lexsort((place_in_order, tree))
    order = order[tree[order] >= 0]
    tree = tree[order]
    is_leaf = nodes.mode[order] == Mode.LEAF
    leaves, splits = order[is_leaf], order[~is_leaf]
    leaf_start = np.concatenate([[0], np.cumsum(np.bincount(tree[is_leaf], minlength=len(nodes.roots)))])
    split_start = leaf_start[:-1] - np.arange(len(nodes.roots))
    code = np.zeros(len(nodes.mode), np.int64)
    code[leaves] = ~(np.arange(len(leaves)) - leaf_start[tree[is_leaf]])
    code[splits] = np.arange(len(splits)) - split_start[tree[~is_leaf]]
    mode = nodes.mode[splits]
    swapped = np.isin(mode, _TRUE_IS_RIGHT)
    true, false = code[nodes.true[splits]], code[nodes.false[splits]]
    set_number, sets = _sets(nodes, splits)
    value, output = _leaf_values(nodes, leaves, tree[is_leaf], n_outputs)
    return Trees(
        leaf_start=leaf_start.astype(np.int64),
        output=output,
        feature=nodes.feature[splits].astype(np.int32),
        rule=_rules(mode, nodes.missing_true[splits], swapped),
        threshold=_thresholds(mode, nodes.value[splits], number),
        left=np.where(swapped, false, true).astype(np.int32),
        right=np.where(swapped, true, false).astype(np.int32),
        set_number=set_number,
        sets=sets,
        leaf_value=value,
        leaf_id=nodes.name[leaves].astype(np.int32),
    )


def _tree_of_each(nodes: Nodes) -> Places:
    """Return (n_nodes,) the tree that each node hangs in, -1 for none; nodes have one parent at most."""
    count = len(nodes.mode)
    above = np.full(count, -1, np.int64)
    splits = np.flatnonzero(nodes.mode != Mode.LEAF)
    for branch in (nodes.true, nodes.false):
        above[branch[splits]] = splits
    tree = np.full(count, -1, np.int64)
    tree[nodes.roots] = np.arange(len(nodes.roots))
    orphans = above < 0
    above[orphans] = np.flatnonzero(orphans)
    for _ in range(max(count - 1, 1).bit_length()):  # each round doubles the way up that is taken
        above = above[above]
    return tree[above]


def _rules(mode: NDArray[np.uint8], missing_true: NDArray[np.bool_], swapped: NDArray[np.bool_]) -> NDArray[np.uint8]:
    rules = np.where(missing_true != swapped, int(Rule.NAN_LEFT), int(Rule.NAN_RIGHT))
    return np.where(np.isin(mode, _EQUALS), int(Rule.CATEGORY_WHOLE), rules).astype(np.uint8)


def _thresholds(mode: NDArray[np.uint8], value: Floats, number: type[np.floating[Any]]) -> Floats:
    """Return thresholds of `at most`: the next number below where the source says `below`."""
    numeric = ~np.isin(mode, _EQUALS)
    below = np.isin(mode, _BELOW)
    if np.isnan(value[numeric]).any() or (value[below] == -np.inf).any():
        raise ModelError("a split at NaN, or below minus infinity", expected="numbers to compare with")
    lower = np.nextafter(value.astype(number), number(-np.inf)).astype(np.float64)
    return np.where(numeric, np.where(below, lower, value), 0.0)


def _sets(nodes: Nodes, splits: Places) -> tuple[NDArray[np.int32], tuple[CategorySet, ...]]:
    numbers = np.full(len(splits), -1, np.int32)
    sets: dict[CategorySet, int] = {}
    room = SetRoom()
    for at in np.flatnonzero(np.isin(nodes.mode[splits], _EQUALS)).tolist():
        node = int(splits[at])
        bits = 0
        for value in nodes.members.get(node, (float(nodes.value[node]),)):
            if not (0.0 <= value <= LARGEST_CODE and value.is_integer()):
                raise ModelError(
                    f"{Mode(nodes.mode[node]).name} at {value}", expected=f"a whole number from 0 to {LARGEST_CODE}"
                )
            bits |= 1 << int(value)
        if not room.has(bits.bit_length()):
            raise ModelError("too many sets of large categories", expected="fewer, or smaller codes")
        # NaN is unequal to every number, so it takes the true branch of BRANCH_NEQ, which is the right one here.
        nan_left = bool(nodes.missing_true[node]) and nodes.mode[node] != Mode.BRANCH_NEQ
        numbers[at] = sets.setdefault(CategorySet(bits, nan_left=nan_left), len(sets))
    return numbers, tuple(sets)


def _leaf_values(nodes: Nodes, leaves: Places, tree: Places, n_outputs: int) -> tuple[Floats, NDArray[np.int32]]:
    """Return the leaves' values, (n_leaves, 1) or (n_leaves, n_outputs), and each tree's output."""
    place = np.full(len(nodes.mode), -1, np.int64)
    place[leaves] = np.arange(len(leaves))
    leaf = place[nodes.vote_node]
    if (leaf < 0).any():
        raise ModelError("a vote of a leaf that hangs in no tree", expected="leaves of the trees")
    if len(leaf) and not 0 <= nodes.vote_output.min() <= nodes.vote_output.max() < n_outputs:
        raise ModelError("a vote for an output that is not there", expected=f"0 to {n_outputs - 1}")
    if len(np.unique(leaf * n_outputs + nodes.vote_output)) != len(leaf):
        raise ModelError("a leaf that votes twice for an output", expected="one vote for each output")
    n_trees = len(nodes.roots)
    pairs = np.unique(tree[leaf] * n_outputs + nodes.vote_output)
    output = np.zeros(n_trees, np.int32)
    if len(np.unique(pairs // n_outputs)) == len(pairs):
        output[pairs // n_outputs] = pairs % n_outputs
        values = np.zeros((len(leaves), 1))
        values[leaf, 0] = nodes.vote_weight
    else:
        values = np.zeros((len(leaves), n_outputs))
        values[leaf, nodes.vote_output] = nodes.vote_weight
    return values, output
