"""One tree of an ensemble -> questions, answers and where a missing value goes, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from bareboat.errors import InputError
from bareboat.forest.ir import Category, CategorySet, Ensemble, Rule, Tree, Trees
from bareboat.forest.rounds import tree_range
from bareboat.forest.structure import lay_out

_SHOWN = 8
"""Categories of a set that are named; of more, only the first."""
_VALUES = 6
"""Numbers of a vector leaf that are shown."""


@dataclass(frozen=True, slots=True)
class Split:
    """A split.

    Args:
        number: within the tree, in preorder.
        question: `petal width <= 0.8`; left is yes.
        missing: what a missing value answers: `yes`, `no`, or `as 0`.
        left, right: a split's number, or ~ a leaf's.
        cover: weight of the training rows, or None.
        gain: in the source's measure, or None.
    """

    number: int
    question: str
    missing: str
    left: int
    right: int
    cover: float | None
    gain: float | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: its id as `apply` has it, what it adds (of a vector leaf: to each output), and its cover."""

    name: int
    values: tuple[float, ...]
    is_linear: bool
    cover: float | None


@dataclass(frozen=True, slots=True)
class TreeView:
    """A tree in words.

    Args:
        number: of `n_trees`, from 0 on.
        round: the boosting round that added it, from 0 on.
        output: the label or number of the output that it adds to; "" when there is one only, or leaves are vectors.
        splits: in preorder.
        leaves: from left to right.
        depth: splits on the longest way to a leaf.
    """

    number: int
    n_trees: int
    round: int
    output: str
    splits: tuple[Split, ...]
    leaves: tuple[Leaf, ...]
    depth: int

    @property
    def title(self) -> str:
        """The tree in a line."""
        adds = f", adds to {self.output}" if self.output else ""
        leaves = "1 leaf" if len(self.leaves) == 1 else f"{len(self.leaves)} leaves"
        return f"tree {self.number} of 0 to {self.n_trees - 1}: round {self.round}{adds}; {leaves}, depth {self.depth}"

    def lines(self) -> Iterator[str]:
        """Yield the tree as text, a split or a leaf a line."""
        pending: list[tuple[int, str, str]] = [(0 if self.splits else ~0, "", "")]
        while pending:
            at, lead, answer = pending.pop()
            trunk = "" if not answer else "├─ " if answer == "yes" else "└─ "
            word = f"{lead}{trunk}{answer}{': ' if answer else ''}"
            if at < 0:
                yield word + self.leaf_text(self.leaves[~at])
                continue
            split = self.splits[at]
            yield word + self.split_text(split)
            below = lead + ("" if not answer else "│  " if answer == "yes" else "   ")
            pending.append((split.right, below, "no"))
            pending.append((split.left, below, "yes"))

    @staticmethod
    def split_text(split: Split) -> str:
        """Return a split in a line."""
        cover = "" if split.cover is None else f"  cover {split.cover:.6g}"
        return f"{split.question}?  missing: {split.missing}{cover}"

    @staticmethod
    def leaf_text(leaf: Leaf) -> str:
        """Return a leaf in a line."""
        values = ", ".join(f"{value:.6g}" for value in leaf.values[:_VALUES])
        shown = f"[{values}{', ...' if len(leaf.values) > _VALUES else ''}]" if len(leaf.values) > 1 else values
        cover = "" if leaf.cover is None else f"  cover {leaf.cover:.6g}"
        return f"leaf {leaf.name}: {'linear, ' if leaf.is_linear else ''}{shown}{cover}"

    def to_dict(self) -> dict[str, Any]:
        """Return the tree as JSON has it; children below 0 are leaves, ~ their place."""
        return {
            "tree": self.number,
            "n_trees": self.n_trees,
            "round": self.round,
            "output": self.output,
            "depth": self.depth,
            "splits": [
                {
                    "split": each.number,
                    "question": each.question,
                    "missing": each.missing,
                    "left": each.left,
                    "right": each.right,
                    "cover": each.cover,
                    "gain": each.gain,
                }
                for each in self.splits
            ],
            "leaves": [
                {"leaf": each.name, "values": list(each.values), "linear": each.is_linear, "cover": each.cover}
                for each in self.leaves
            ],
        }


def tree_view(ensemble: Ensemble, number: int) -> TreeView:
    """Return a tree in words.

    Args:
        ensemble: the trees.
        number: 0 <= number < n_trees.
    Raises:
        InputError: there is no such tree.
    """
    try:
        number = index(number)
    except TypeError:
        number = -1
    if not 0 <= number < ensemble.n_trees:
        raise InputError(f"no tree {number}", expected=f"0 to {ensemble.n_trees - 1}")
    tree = ensemble.trees[number]
    structure = lay_out(tree_range(ensemble.trees, number, number + 1))
    place, leaf_place = structure.split_place.tolist(), structure.leaf_place.tolist()
    covers = _covers(ensemble.trees, tree, number)

    def child(which: int) -> int:
        return int(place[which] if which >= 0 else ~leaf_place[~which])

    splits = tuple(
        Split(
            number=place[split],
            question=_question(ensemble, tree, split),
            missing=_missing(tree, split),
            left=child(int(tree.left[split])),
            right=child(int(tree.right[split])),
            cover=None if covers is None else float(covers[split]),
            gain=None if tree.split_gain is None else float(tree.split_gain[split]),
        )
        for split in np.argsort(structure.split_place).tolist()
    )
    values = np.asarray(tree.leaf_value, np.float64).reshape(tree.n_leaves, -1)
    found = tuple(
        Leaf(
            name=leaf if tree.leaf_id is None else int(tree.leaf_id[leaf]),
            values=tuple(values[leaf].tolist()),
            is_linear=tree.linear is not None and bool(tree.linear[leaf].features),
            cover=None if tree.leaf_cover is None else float(tree.leaf_cover[leaf]),
        )
        for leaf in np.argsort(structure.leaf_place).tolist()
    )
    return TreeView(
        number=number,
        n_trees=ensemble.n_trees,
        round=number // ensemble.trees_per_round,
        output=_output(ensemble, tree),
        splits=splits,
        leaves=found,
        depth=structure.depth,
    )


def _covers(trees: Trees, tree: Tree, number: int) -> Any:
    """Return the cover of each split, or None."""
    if tree.split_cover is not None or trees.leaf_cover is None:
        return tree.split_cover
    from bareboat.forest.covers import tree_covers

    return tree_covers(trees, number)


def _output(ensemble: Ensemble, tree: Tree) -> str:
    if ensemble.n_outputs == 1 or ensemble.has_vector_leaves:
        return ""
    if len(ensemble.classes) == ensemble.n_outputs:
        return f"class {ensemble.classes[tree.output]}"
    return f"{'class' if ensemble.is_classifier else 'output'} {tree.output}"


def _question(ensemble: Ensemble, tree: Tree, split: int) -> str:
    feature = int(tree.feature[split])
    name = ensemble.feature_names[feature]
    if Rule(tree.rule[split]).is_categorical:
        assert tree.categories is not None
        return f"{name} {_set(tree.categories[split], ensemble.categories[feature])}"
    threshold = float(tree.threshold[split])
    if ensemble.source.startswith("xgboost"):
        # The reader made `<= just below t` of XGBoost's `< t`; this is the way back.
        return f"{name} < {_number(float(np.nextafter(np.float32(threshold), np.float32(np.inf))))}"
    return f"{name} <= {_number(threshold)}"


def _number(value: float) -> str:
    return f"{value:.6g}"


def _missing(tree: Tree, split: int) -> str:
    match Rule(tree.rule[split]):
        case Rule.MISSING_IS_ZERO:
            return "as 0"
        case Rule.NAN_LEFT:
            return "yes"
        case Rule.NAN_RIGHT:
            return "no"
        case Rule.ZERO_LEFT:
            return "yes, and 0 too"
        case Rule.ZERO_RIGHT:
            return "no, and 0 too"
    assert tree.categories is not None
    return "yes" if tree.categories[split].nan_left else "no"


def _set(categories: CategorySet, names: tuple[Category, ...] | None) -> str:
    bits = categories.right if categories.others_left else categories.codes
    codes = [code for code in range(bits.bit_length()) if bits >> code & 1]
    shown = [str(names[code]) if names is not None and code < len(names) else str(code) for code in codes[:_SHOWN]]
    more = f", ... ({len(codes)})" if len(codes) > _SHOWN else ""
    return f"{'not in' if categories.others_left else 'in'} {{{', '.join(shown)}{more}}}"
