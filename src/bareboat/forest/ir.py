"""A tree ensemble as bareboat understands it: what every reader returns and what the file writer takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

Category = str | int | float | bool
"""A category as requests name it; its place in the feature's tuple is the code that the trees compare."""


class Rule(IntEnum):
    """How a split reads its feature. The numbers are those of the `.forest` file's `columns` section.

    A numeric split goes left when the value is at most its threshold; the rules differ in what a missing value does.
    """

    MISSING_IS_ZERO = 0
    """NaN is compared as 0.0."""
    NAN_LEFT = 1
    NAN_RIGHT = 2
    ZERO_LEFT = 3
    """NaN and 0.0 go left, whatever the threshold."""
    ZERO_RIGHT = 4
    CATEGORY = 5
    """Left when the value, cut to an integer, is in the node's set; NaN, negative and unheard-of go right."""


class Transform(IntEnum):
    """What turns raw scores into outputs. The numbers are those of the `.forest` file's header."""

    IDENTITY = 0
    SIGMOID = 1
    """1 / (1 + exp(-parameter * x)), each output by itself."""
    SOFTMAX = 2
    EXP = 3
    LOG1P_EXP = 4
    SIGNED_SQUARE = 5
    """sign(x) * x * x."""


@dataclass(frozen=True, slots=True)
class LinearLeaf:
    """A leaf that holds a linear model: `constant + sum(coefficient * feature)`, added in this order.

    When one of its features is NaN the tree answers with the leaf's plain value instead.
    """

    constant: float
    features: tuple[int, ...]
    coefficients: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree, in the source's own numbering of splits and leaves.

    Split 0 is the root. A child >= 0 is a split, a child < 0 is leaf `~child`. A tree of one leaf has no splits.

    Args:
        feature: (n_splits,) index into the forest's features.
        rule: (n_splits,) how each split reads its feature.
        threshold: (n_splits,) not NaN, infinite where only NaN goes the other way; 0.0 for a categorical split.
        categories: (n_splits,) the categories that go left, as the bits of an integer; 0 for a numeric split.
        left, right: (n_splits,) children.
        leaf_value: (n_leaves,) finite.
        linear: (n_leaves,) or None when every leaf is a plain value.
    """

    feature: tuple[int, ...]
    rule: tuple[Rule, ...]
    threshold: tuple[float, ...]
    categories: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    leaf_value: tuple[float, ...]
    linear: tuple[LinearLeaf, ...] | None = None

    @property
    def n_splits(self) -> int:
        """How many splits there are: one less than leaves."""
        return len(self.feature)

    @property
    def n_leaves(self) -> int:
        """How many leaves there are, at least one."""
        return len(self.leaf_value)


@dataclass(frozen=True, slots=True)
class Forest:
    """A trained ensemble: tree `i` adds to output `i % n_outputs`, in order, starting from 0.0.

    Args:
        feature_names: the model's own names, in its order.
        categories: for each feature the categories whose places are its codes, or None.
        objective: the source's word for what was learned, such as `multiclass`.
        transform: what turns raw scores into outputs.
        parameter: the sigmoid's factor; 1.0 for every other transform.
        n_classes: 0 for a regressor, 2 for a binary classifier.
        n_outputs: columns of the raw score.
        trees: at least one, a multiple of `n_outputs`.
        average: outputs are the raw score divided by the number of rounds, then transformed.
        tiny_is_zero: values within 1e-35 (as float32 has it) of 0.0 are read as 0.0, as LightGBM does.
        source: who wrote the model, such as `lightgbm v4`.
    """

    feature_names: tuple[str, ...]
    categories: tuple[tuple[Category, ...] | None, ...]
    objective: str
    transform: Transform
    parameter: float
    n_classes: int
    n_outputs: int
    trees: tuple[Tree, ...]
    average: bool
    tiny_is_zero: bool
    source: str

    @property
    def n_features(self) -> int:
        """How many values a row has."""
        return len(self.feature_names)

    @property
    def n_trees(self) -> int:
        """How many trees there are, over all outputs and rounds."""
        return len(self.trees)

    @property
    def n_leaves(self) -> int:
        """How many leaves there are, over all trees."""
        return sum(tree.n_leaves for tree in self.trees)

    @property
    def n_rounds(self) -> int:
        """How many boosting rounds (or bagged trees an output) there are."""
        return len(self.trees) // self.n_outputs

    @property
    def is_classifier(self) -> bool:
        """Whether outputs are probabilities of classes."""
        return self.n_classes > 0
