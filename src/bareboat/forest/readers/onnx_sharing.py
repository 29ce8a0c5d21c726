"""Nodes that several branches lead to -> nodes with one parent each.

Converters write a categorical split as a chain of BRANCH_EQ on one feature whose true branches all lead to the same
node; such a chain becomes one BRANCH_MEMBER. A leaf that is shared in another way is doubled, a split is refused.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.readers.onnx_nodes import Mode, Nodes

_EQUALS = (Mode.BRANCH_EQ, Mode.BRANCH_MEMBER)


def is_shared(nodes: Nodes) -> bool:
    """Return whether several branches lead to a node, or one to a root."""
    children = np.concatenate([nodes.true, nodes.false, nodes.roots])
    return bool((np.bincount(children[children >= 0]) > 1).any())


def unshared(nodes: Nodes) -> Nodes:
    """Return the same trees, each node with one parent.

    Raises:
        ModelError: a split is shared by branches that are no chain of BRANCH_EQ, or nodes form a cycle.
    """
    votes: dict[int, list[int]] = {}
    for vote, node in enumerate(nodes.vote_node.tolist()):
        votes.setdefault(node, []).append(vote)
    copy = _Copy(nodes)
    roots = [copy.node(root) for root in nodes.roots.tolist()]
    origin = np.array(copy.origin, np.int64)
    copied = [(place, vote) for place, node in enumerate(copy.origin) for vote in votes.get(node, ())]
    places, of_vote = np.array(copied, np.int64).reshape(-1, 2).T
    mode = nodes.mode[origin]
    mode[list(copy.members)] = Mode.BRANCH_MEMBER
    return replace(
        nodes,
        roots=np.array(roots, np.int64),
        mode=mode,
        feature=nodes.feature[origin],
        value=nodes.value[origin],
        missing_true=nodes.missing_true[origin],
        true=np.array(copy.true, np.int64),
        false=np.array(copy.false, np.int64),
        name=nodes.name[origin],
        vote_node=places,
        vote_output=nodes.vote_output[of_vote],
        vote_weight=nodes.vote_weight[of_vote],
        members=copy.members,
    )


class _Copy:
    """The new table while it grows."""

    def __init__(self, nodes: Nodes) -> None:
        self._mode = nodes.mode.tolist()
        self._feature = nodes.feature.tolist()
        self._value = nodes.value.tolist()
        self._missing = nodes.missing_true.tolist()
        self._true = nodes.true.tolist()
        self._false = nodes.false.tolist()
        self._members = nodes.members
        self._taken: set[int] = set()
        self.origin: list[int] = []
        self.true: list[int] = []
        self.false: list[int] = []
        self.members: dict[int, tuple[float, ...]] = {}

    def node(self, root: int) -> int:
        """Copy a tree; return its root's place."""
        first = len(self.origin)
        pending = [(root, self.true, -1)]
        while pending:
            node, side, parent = pending.pop()
            while self._true[node] == self._false[node] and self._mode[node] != Mode.LEAF:
                self._take(node)
                node = self._true[node]
            place = len(self.origin)
            if parent >= 0:
                side[parent] = place
            self.origin.append(node)
            self.true.append(-1)
            self.false.append(-1)
            if self._mode[node] == Mode.LEAF:
                continue
            false = self._chain(node, place) if self._mode[node] in _EQUALS else self._false[node]
            self._take(node)
            pending += ((self._true[node], self.true, place), (false, self.false, place))
        return first

    def _chain(self, node: int, place: int) -> int:
        """Gather what a chain that starts at `node` compares with; return the false branch of its last node."""
        true, feature = self._true[node], self._feature[node]
        values: list[float] = []
        links = 0
        while self._mode[node] in _EQUALS and (self._true[node], self._feature[node]) == (true, feature):
            if links:
                self._take(node)
            if self._missing[node] != self._missing[self.origin[place]]:
                raise ModelError(
                    "a chain of BRANCH_EQ that differ in nodes_missing_value_tracks_true",
                    expected="one answer to NaN: ONNX Runtime takes the first one's",
                )
            values += self._members.get(node, (self._value[node],))
            node, links = self._false[node], links + 1
        if links > 1 or self._mode[self.origin[place]] == Mode.BRANCH_MEMBER:
            self.members[place] = tuple(values)
        return int(node)

    def _take(self, node: int) -> None:
        if node in self._taken:
            raise ModelError(
                f"split {node}, to which several branches lead",
                expected="trees, in which one branch leads to each node",
                fix="convert the model again without sharing nodes",
            )
        self._taken.add(node)
