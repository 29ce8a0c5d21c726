"""A tree ensemble as bareboat understands it: what every reader returns and what the file writer takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Category = str | int | float | bool
"""A category, or a class label, as requests name it; a category's place in its feature's tuple is the code that the
trees compare."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


class Rule(IntEnum):
    """How a split reads its feature. The numbers are those of the `.forest` file's `columns` section.

    A numeric split goes left when the value is at most its threshold; the rules differ in what a missing value does.
    A categorical split goes left when its `CategorySet` says so; the rules differ in how a number becomes a code.
    """

    MISSING_IS_ZERO = 0
    """NaN is compared as 0.0."""
    NAN_LEFT = 1
    NAN_RIGHT = 2
    ZERO_LEFT = 3
    """NaN and 0.0 go left, whatever the threshold."""
    ZERO_RIGHT = 4
    CATEGORY = 5
    """The value cut towards zero; at most -1, 2^31 and more are no code (LightGBM)."""
    CATEGORY_NOT_NEGATIVE = 6
    """The value cut towards zero; below 0, 2^31 and more are no code (XGBoost, HistGradientBoosting)."""
    CATEGORY_WHOLE = 7
    """The value itself; what is no whole number from 0 to 2^31 - 1 is no code (ONNX's BRANCH_EQ)."""

    @property
    def is_categorical(self) -> bool:
        """Whether splits of this rule test a set instead of a threshold."""
        return self.value >= Rule.CATEGORY.value


class Transform(IntEnum):
    """What turns raw scores into outputs. The numbers are those of the `.forest` file's header.

    `p` is `Ensemble.parameters`. With `Ensemble.single_sum` each step of SIGMOID, SOFTMAX, EXP and
    LOGISTIC is rounded to float32, and of the others the result.
    """

    IDENTITY = 0
    SIGMOID = 1
    """1 / (1 + exp(-p[0] * x)), each output by itself. In float32 exp of at most 88.7, as XGBoost does."""
    SOFTMAX = 2
    """exp(x - max) / sum; the sum in float64."""
    EXP = 3
    LOG1P_EXP = 4
    SIGNED_SQUARE = 5
    """sign(x) * x * x."""
    STEP = 6
    """1.0 when x > 0, else 0.0."""
    ISOLATION = 7
    """-(2 ** (-x / p[0])) - p[1]: IsolationForest's decision_function of summed path lengths, below 0 for outliers."""
    SAMME = 8
    """AdaBoost's probabilities of summed votes: d = x / p[0]; two classes: softmax(-(d1 - d0) / 2, (d1 - d0) / 2), else
    softmax(d / (n_classes - 1))."""
    LOGISTIC = 9
    """v = 1 / (1 + exp(-abs(x))), and 1 - v where x < 0: ONNX Runtime's post_transform."""


@dataclass(frozen=True, slots=True)
class CategorySet:
    """The categories that go left at a split.

    Args:
        codes: the bits of an integer: bit `c` is set when code `c` goes left.
        right: codes that go right although `others_left` is set, in the same way; 0 when it is not.
        others_left: whether all further codes, and numbers that are no code, go left.
        nan_left: whether NaN goes left.
    """

    codes: int
    right: int = 0
    others_left: bool = False
    nan_left: bool = False


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
    """One tree, in the source's own numbering of splits and leaves. What readers and tests make; sequences or arrays.

    Split 0 is the root. A child >= 0 is a split, a child < 0 is leaf `~child`. A tree of one leaf has no splits.

    Args:
        feature: (n_splits,) index into the forest's features.
        rule: (n_splits,) how each split reads its feature.
        threshold: (n_splits,) not NaN, infinite where only NaN goes the other way; 0.0 for a categorical split.
        left, right: (n_splits,) children.
        leaf_value: (n_leaves,) or (n_leaves, n_outputs), finite.
        categories: {split: set} of the categorical splits.
        output: the output that the tree adds to; 0 when its leaves are vectors.
        linear: (n_leaves,) or None when every leaf is a plain value.
        leaf_id: (n_leaves,) what `apply` calls each leaf, not negative, or None for its place.
        leaf_cover: (n_leaves,) weight of the training rows in each leaf, or None when unknown.
        split_cover: (n_splits,) the same for splits, or None for the sum of the two branches.
        split_gain: (n_splits,) what each split gained, in the source's own measure, finite, or None when unknown.
    """

    feature: Sequence[int] | Integers
    rule: Sequence[Rule] | Integers
    threshold: Sequence[float] | Floats
    left: Sequence[int] | Integers
    right: Sequence[int] | Integers
    leaf_value: Sequence[float] | Sequence[Sequence[float]] | Floats
    categories: dict[int, CategorySet] | None = None
    output: int = 0
    linear: Sequence[LinearLeaf] | None = None
    leaf_id: Sequence[int] | Integers | None = None
    leaf_cover: Sequence[float] | Floats | None = None
    split_cover: Sequence[float] | Floats | None = None
    split_gain: Sequence[float] | Floats | None = None

    @property
    def n_splits(self) -> int:
        """How many splits there are: one less than leaves."""
        return len(self.feature)

    @property
    def n_leaves(self) -> int:
        """How many leaves there are, at least one."""
        return len(self.leaf_value)


@dataclass(frozen=True, slots=True, eq=False)
class LinearLeaves:
    """The linear models of all leaves, one after the other.

    Args:
        constant: (n_leaves,) of a leaf without a model: its plain value.
        start: (n_leaves + 1,) where each leaf's coefficients start.
        feature: (start[-1],).
        coefficient: (start[-1],).
    """

    constant: Floats
    start: NDArray[np.int64]
    feature: Integers
    coefficient: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """All trees, one after the other, as flat arrays. Tree `t` has the leaves `leaf_start[t]` to `leaf_start[t + 1]`
    and, as it has one split less, the splits from `leaf_start[t] - t` on. Children count within their tree, as `Tree`
    has them.

    Args:
        leaf_start: (n_trees + 1,).
        output: (n_trees,) the output that each tree adds to; 0 where leaves are vectors.
        feature, rule, threshold, left, right: (n_splits,) as `Tree` has them.
        set_number: (n_splits,) index into `sets`, -1 for a numeric split.
        sets: of the categorical splits.
        leaf_value: (n_leaves, 1) or (n_leaves, n_outputs).
        linear: or None when no leaf is linear.
        leaf_id: (n_leaves,) what `apply` calls each leaf, or None for its place within its tree.
        leaf_cover: (n_leaves,) or None when unknown.
        split_cover: (n_splits,) or None: the sums of the branches.
        split_gain: (n_splits,) or None when unknown.
    """

    leaf_start: NDArray[np.int64]
    output: Integers
    feature: Integers
    rule: NDArray[np.uint8]
    threshold: Floats
    left: Integers
    right: Integers
    set_number: Integers
    sets: tuple[CategorySet, ...]
    leaf_value: Floats
    linear: LinearLeaves | None = None
    leaf_id: Integers | None = None
    leaf_cover: Floats | None = None
    split_cover: Floats | None = None
    split_gain: Floats | None = None

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> Trees:
        """Join trees. `leaf_id`, covers and gains are kept when every tree has them."""
        starts = np.zeros(len(trees) + 1, np.int64)
        np.cumsum([tree.n_leaves for tree in trees], out=starts[1:])
        sets: list[CategorySet] = []
        numbers: list[Integers] = []
        for tree in trees:
            number = np.full(tree.n_splits, -1, np.int32)
            for split, categories in sorted((tree.categories or {}).items()):
                number[split] = len(sets)
                sets.append(categories)
            numbers.append(number)
        return cls(
            leaf_start=starts,
            output=np.array([tree.output for tree in trees], np.int32),
            feature=_joined([tree.feature for tree in trees], np.int32),
            rule=_joined([tree.rule for tree in trees], np.uint8),
            threshold=_joined([tree.threshold for tree in trees], np.float64),
            left=_joined([tree.left for tree in trees], np.int32),
            right=_joined([tree.right for tree in trees], np.int32),
            set_number=_joined(numbers, np.int32),
            sets=tuple(sets),
            leaf_value=np.concatenate(
                [np.asarray(tree.leaf_value, np.float64).reshape(tree.n_leaves, -1) for tree in trees]
            ),
            linear=_linear(trees),
            leaf_id=_joined_or_none([tree.leaf_id for tree in trees], np.int32),
            leaf_cover=_joined_or_none([tree.leaf_cover for tree in trees], np.float64),
            split_cover=_joined_or_none([tree.split_cover for tree in trees], np.float64),
            split_gain=_joined_or_none([tree.split_gain for tree in trees], np.float64),
        )

    def __len__(self) -> int:
        return len(self.leaf_start) - 1

    def __getitem__(self, number: int) -> Tree:
        """Return tree `number`, 0 <= number < len(self); its arrays are views."""
        if not 0 <= number < len(self):
            raise IndexError(f"tree {number} of {len(self)}")
        leaves = slice(int(self.leaf_start[number]), int(self.leaf_start[number + 1]))
        splits = slice(leaves.start - number, leaves.stop - number - 1)
        sets = {split: self.sets[which] for split, which in enumerate(self.set_number[splits].tolist()) if which >= 0}
        value = self.leaf_value[leaves]
        return Tree(
            feature=self.feature[splits],
            rule=self.rule[splits].astype(np.int32),
            threshold=self.threshold[splits],
            left=self.left[splits],
            right=self.right[splits],
            leaf_value=value[:, 0] if value.shape[1] == 1 else value,
            categories=sets or None,
            output=int(self.output[number]),
            linear=None if self.linear is None else [_linear_leaf(self.linear, leaf) for leaf in _places(leaves)],
            leaf_id=_part(self.leaf_id, leaves),
            leaf_cover=_part(self.leaf_cover, leaves),
            split_cover=_part(self.split_cover, splits),
            split_gain=_part(self.split_gain, splits),
        )

    @property
    def split_tree(self) -> NDArray[np.int64]:
        """(n_splits,) the tree of each split."""
        return np.repeat(np.arange(len(self)), np.diff(self.leaf_start) - 1)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ensemble:
    """A trained ensemble: each output starts at its base and adds the leaves of its trees in order.

    Args:
        feature_names: the model's own names, in its order.
        categories: for each feature the categories whose places are its codes, or None.
        objective: the source's word for what was learned, such as `multiclass`.
        source: who wrote the model, such as `lightgbm v4` or `sklearn 1.9.1 RandomForestClassifier`.
        transform: what turns raw scores into outputs.
        parameters: of the transform, at least one; (1.0,) where it takes none.
        n_classes: 0 for a regressor, 2 for a binary classifier.
        classes: (n_classes,) the labels, or () when the source does not say.
        n_outputs: columns of the raw score; 1 for a binary classifier whose one output is its second class.
        trees: at least one.
        trees_per_round: how many trees one boosting round (or bagged estimator) adds; divides the number of trees.
        base: (n_outputs,) where the sums start.
        average: outputs are the raw score divided by the number of rounds, then transformed.
        single_input: values are rounded to float32 before they are compared.
        single_sum: sums and transforms are done in float32; leaf values and base are exact in it.
        tiny_is_zero: values within 1e-35 (as float32 has it) of 0.0 are read as 0.0, as LightGBM does.
        notes: what a person should know of how the model was read, such as rounds left out; not kept in the file.
    """

    feature_names: tuple[str, ...]
    categories: tuple[tuple[Category, ...] | None, ...]
    objective: str
    source: str
    transform: Transform
    n_classes: int
    n_outputs: int
    trees: Trees
    trees_per_round: int
    base: Floats
    parameters: tuple[float, ...] = (1.0,)
    classes: tuple[Category, ...] = ()
    average: bool = False
    single_input: bool = False
    single_sum: bool = False
    tiny_is_zero: bool = False
    notes: tuple[str, ...] = ()

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
        return int(self.trees.leaf_start[-1])

    @property
    def n_rounds(self) -> int:
        """How many boosting rounds (or bagged estimators) there are."""
        return self.n_trees // self.trees_per_round

    @property
    def has_vector_leaves(self) -> bool:
        """Whether a leaf adds to every output."""
        return bool(self.trees.leaf_value.shape[1] > 1)

    @property
    def is_classifier(self) -> bool:
        """Whether outputs are probabilities of classes."""
        return self.n_classes > 0


def _joined(parts: Sequence[Any], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.asarray(part, dtype) for part in parts])


def _joined_or_none(parts: Sequence[Any], dtype: type[np.generic]) -> NDArray[Any] | None:
    return None if any(part is None for part in parts) else _joined(parts, dtype)


def _linear(trees: Sequence[Tree]) -> LinearLeaves | None:
    if all(tree.linear is None for tree in trees):
        return None
    leaves: list[LinearLeaf] = []
    for tree in trees:
        leaves += tree.linear or [LinearLeaf(float(value), (), ()) for value in np.ravel(tree.leaf_value)]
    start = np.zeros(len(leaves) + 1, np.int64)
    np.cumsum([len(leaf.features) for leaf in leaves], out=start[1:])
    return LinearLeaves(
        constant=np.array([leaf.constant for leaf in leaves], np.float64),
        start=start,
        feature=np.array([feature for leaf in leaves for feature in leaf.features], np.int32),
        coefficient=np.array([each for leaf in leaves for each in leaf.coefficients], np.float64),
    )


def _linear_leaf(linear: LinearLeaves, leaf: int) -> LinearLeaf:
    start, end = (int(each) for each in linear.start[leaf : leaf + 2])
    return LinearLeaf(
        float(linear.constant[leaf]),
        tuple(linear.feature[start:end].tolist()),
        tuple(linear.coefficient[start:end].tolist()),
    )


def _places(part: slice) -> range:
    return range(part.start, part.stop)


def _part(values: NDArray[Any] | None, part: slice) -> NDArray[Any] | None:
    return None if values is None else values[part]
