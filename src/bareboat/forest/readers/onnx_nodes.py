"""The attributes of an ONNX tree ensemble -> one table of nodes, of either of the two layouts.

TreeEnsembleRegressor and TreeEnsembleClassifier name their nodes by tree and number, leaves among them;
TreeEnsemble (ai.onnx.ml 5) has splits and leaves in two lists of their own.
Source: onnx, docs/Operators-ml.md. That `nodes_values` stands in for the vote of a leaf without one is ONNX Runtime's;
such leaves are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import Floats

Places = NDArray[np.int64]


class Mode(IntEnum):
    """What a node asks; the numbers are TreeEnsemble's."""

    BRANCH_LEQ = 0
    BRANCH_LT = 1
    BRANCH_GTE = 2
    BRANCH_GT = 3
    BRANCH_EQ = 4
    BRANCH_NEQ = 5
    BRANCH_MEMBER = 6
    LEAF = 7


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """All nodes of all trees.

    Args:
        roots: (n_trees,) the first node of each tree.
        mode: (n_nodes,) of Mode.
        feature, value: (n_nodes,) what is compared with what.
        missing_true: (n_nodes,) whether NaN takes the true branch.
        true, false: (n_nodes,) the nodes of the branches, -1 for a leaf.
        name: (n_nodes,) the source's number of a leaf.
        vote_node, vote_output, vote_weight: (n_votes,) what leaves add to which output.
        members: {node: values} of BRANCH_MEMBER.
    """

    roots: Places
    mode: NDArray[np.uint8]
    feature: Places
    value: Floats
    missing_true: NDArray[np.bool_]
    true: Places
    false: Places
    name: Places
    vote_node: Places
    vote_output: Places
    vote_weight: Floats
    members: dict[int, tuple[float, ...]] = field(default_factory=dict)


def numbers(attributes: Mapping[str, Any], key: str) -> Floats:
    """Return a list of numbers that may also be given as a tensor (`<key>_as_tensor`); empty when there is none."""
    from onnx import numpy_helper

    tensor = attributes.get(key + "_as_tensor")
    if tensor is not None:
        return np.asarray(numpy_helper.to_array(tensor), np.float64)
    value = attributes.get(key, ())
    if hasattr(value, "dims"):
        return np.asarray(numpy_helper.to_array(value), np.float64)
    return np.asarray(value, np.float32).astype(np.float64)


def whole_numbers(attributes: Mapping[str, Any], key: str, count: int | None = None) -> Places:
    """Return a list of integers.

    Raises:
        ModelError: there are not `count` of them, or one is too large for any model.
    """
    values = np.asarray(attributes.get(key, ()), np.int64)
    if count is not None and len(values) != count:
        raise ModelError(f"{len(values)} {key}", expected=f"{count}, one for each node")
    if len(values) and not -(1 << 31) <= values.min() <= values.max() < 1 << 31:
        raise ModelError(f"a number of 64 bits in {key}", expected="numbers of 32 bits")
    return values


def named_nodes(attributes: Mapping[str, Any], votes: str) -> Nodes:
    """Read the attributes of a TreeEnsembleRegressor (`votes` "target") or TreeEnsembleClassifier ("class").

    Raises:
        ModelError: lists of different lengths, nodes that do not exist or exist twice, or votes off the leaves.
    """
    modes = [name.decode() for name in attributes.get("nodes_modes", ())]
    unknown = sorted(set(modes) - set(Mode.__members__) | set(modes) & {"BRANCH_MEMBER"})
    if unknown or not modes:
        found = f"the mode {unknown[0]!r}" if unknown else "no nodes_modes"
        raise ModelError(found, expected=" or ".join(list(Mode.__members__)[:6]) + " or LEAF")
    mode = np.array([Mode[name] for name in modes], np.uint8)
    count = len(mode)
    tree = whole_numbers(attributes, "nodes_treeids", count)
    number = whole_numbers(attributes, "nodes_nodeids", count)
    value = _of_each_node(numbers(attributes, "nodes_values"), "nodes_values", count)
    missing = whole_numbers(attributes, "nodes_missing_value_tracks_true")
    names = _Names(tree, number)
    is_leaf = mode == Mode.LEAF
    vote_node = names.places(
        whole_numbers(attributes, votes + "_treeids"), whole_numbers(attributes, votes + "_nodeids"), "votes"
    )
    weight = numbers(attributes, votes + "_weights")
    output = whole_numbers(attributes, votes + "_ids", len(weight))
    if len(vote_node) != len(weight):
        raise ModelError(f"{len(vote_node)} {votes}_nodeids", expected=f"{len(weight)}, as {votes}_weights has")
    if not is_leaf[vote_node].all():
        raise ModelError("a vote of a node that is no leaf", expected=f"leaves in {votes}_nodeids")
    branches = np.full((2, count), -1, np.int64)
    for row, key in zip(branches, ("nodes_truenodeids", "nodes_falsenodeids"), strict=True):
        child = whole_numbers(attributes, key, count)
        row[~is_leaf] = names.places(tree[~is_leaf], child[~is_leaf], key)
    _refuse_voteless(value[is_leaf & ~np.isin(np.arange(count), vote_node)])
    return Nodes(
        roots=names.first,
        mode=mode,
        feature=whole_numbers(attributes, "nodes_featureids", count),
        value=value,
        missing_true=missing == 1 if len(missing) == count else np.zeros(count, bool),
        true=branches[0],
        false=branches[1],
        name=number,
        vote_node=vote_node,
        vote_output=output,
        vote_weight=weight,
    )


def listed_nodes(attributes: Mapping[str, Any]) -> Nodes:
    """Read the attributes of a TreeEnsemble. Each branch that ends in a leaf gets a leaf of its own.

    Raises:
        ModelError: lists of different lengths, or branches to nodes that do not exist.
    """
    modes = numbers(attributes, "nodes_modes")
    count = len(modes)
    if count == 0 or not np.isin(modes, np.arange(Mode.LEAF)).all():
        raise ModelError(f"nodes_modes of up to {modes.max(initial=0)} in {count} nodes", expected="0 to 6")
    mode = modes.astype(np.uint8)
    weight = numbers(attributes, "leaf_weights")
    output = whole_numbers(attributes, "leaf_targetids", len(weight))
    branches = np.zeros((2, count), np.int64)
    leaves: list[Places] = []
    n_nodes = count
    for row, side in zip(branches, ("true", "false"), strict=True):
        child = whole_numbers(attributes, f"nodes_{side}nodeids", count)
        is_leaf = whole_numbers(attributes, f"nodes_{side}leafs", count) == 1
        if child.min() < 0 or (child >= np.where(is_leaf, len(weight), count)).any():
            raise ModelError(f"a branch in nodes_{side}nodeids to nowhere", expected="a node or a leaf")
        row[:] = child
        row[is_leaf] = n_nodes + np.arange(is_leaf.sum())
        n_nodes += int(is_leaf.sum())
        leaves.append(child[is_leaf])
    leaf = np.concatenate(leaves)
    roots = whole_numbers(attributes, "tree_roots")
    if not len(roots) or roots.min() < 0 or roots.max() >= count:
        raise ModelError("tree_roots that are no nodes", expected=f"0 to {count - 1}")
    missing = whole_numbers(attributes, "nodes_missing_value_tracks_true")
    nothing = np.full(len(leaf), -1, np.int64)
    return Nodes(
        roots=roots,
        mode=np.concatenate([mode, np.full(len(leaf), int(Mode.LEAF), np.uint8)]),
        feature=np.concatenate([whole_numbers(attributes, "nodes_featureids", count), 0 * nothing]),
        value=np.concatenate(
            [_of_each_node(numbers(attributes, "nodes_splits"), "nodes_splits", count), 0.0 * nothing]
        ),
        missing_true=np.concatenate([missing == 1 if len(missing) == count else np.zeros(count, bool), nothing == 0]),
        true=np.concatenate([branches[0], nothing]),
        false=np.concatenate([branches[1], nothing]),
        name=np.concatenate([np.arange(count), leaf]),
        vote_node=count + np.arange(len(leaf)),
        vote_output=output[leaf],
        vote_weight=weight[leaf],
        members=_members(mode, numbers(attributes, "membership_values")),
    )


class _Names:
    """Where the node of a tree and a number stands."""

    def __init__(self, tree: Places, number: Places) -> None:
        starts = np.concatenate([[True], tree[1:] != tree[:-1]])
        self.first: Places = np.flatnonzero(starts)
        ids = tree[self.first]
        if len(np.unique(ids)) != len(ids):
            raise ModelError("nodes_treeids that come back to a tree", expected="each tree's nodes one after the other")
        self._sorted = np.lexsort((number, tree))
        self._tree, self._number = tree, number
        twice = (np.diff(tree[self._sorted]) == 0) & (np.diff(number[self._sorted]) == 0)
        if twice.any():
            raise ModelError("a node that stands twice in its tree", expected="each of nodes_nodeids once in a tree")
        self._low = int(number.min())
        self._span = int(number.max()) - self._low + 1
        self._ids, self._rank = np.unique(tree, return_inverse=True)
        self._keys = self._rank[self._sorted] * self._span + (number[self._sorted] - self._low)

    def places(self, tree: Places, number: Places, what: str) -> Places:
        """Return the nodes' places in the table.

        Raises:
            ModelError: there is no such node.
        """
        if len(tree) != len(number):
            raise ModelError(f"{len(tree)} trees for {len(number)} nodes in {what}", expected="as many of either")
        rank = np.searchsorted(self._ids, tree)
        known = (rank < len(self._ids)) & (number >= self._low) & (number < self._low + self._span)
        known[known] = self._ids[rank[known]] == tree[known]
        key = rank * self._span + (number - self._low)
        at = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        known &= self._keys[at] == key
        if not known.all():
            wrong = int(np.argmin(known))
            raise ModelError(f"node {number[wrong]} of tree {tree[wrong]} in {what}", expected="a node that exists")
        return self._sorted[at]


def _of_each_node(values: Floats, key: str, count: int) -> Floats:
    if len(values) != count:
        raise ModelError(f"{len(values)} {key}", expected=f"{count}, one for each node")
    return values


def _refuse_voteless(values: Floats) -> None:
    if (values != 0.0).any():
        raise ModelError(
            "a leaf without a vote whose nodes_values is not 0, which ONNX Runtime takes for its vote",
            expected="a vote for each leaf",
            fix="convert the model again with a current converter",
        )


def _members(mode: NDArray[np.uint8], values: Floats) -> dict[int, tuple[float, ...]]:
    sets: list[list[float]] = [[]]
    for value in values.tolist():
        if np.isnan(value):
            sets.append([])
        else:
            sets[-1].append(value)
    nodes = np.flatnonzero(mode == Mode.BRANCH_MEMBER).tolist()
    if not sets[-1]:
        sets.pop()
    if len(sets) != len(nodes):
        raise ModelError(f"{len(sets)} sets in membership_values", expected=f"{len(nodes)}, one a BRANCH_MEMBER")
    return {node: tuple(each) for node, each in zip(nodes, sets, strict=True)}
