"""The trees of a CatBoost model -> Trees.

An oblivious tree asks the same question at all splits of a level; the answers are the bits of the leaf's number, the
first question's the lowest. Here the last question is the root, so that leaves stand in the order of their numbers.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import CategorySet, Rule, Tree, Trees
from bareboat.forest.readers.catboost_features import WITH_POOL, Features
from bareboat.forest.readers.document import SAVE_AGAIN, Part

DEPTH = 16
"""The deepest oblivious tree that CatBoost grows."""

Question = tuple[int, Rule, float, CategorySet | None]
"""feature, rule, threshold and set of a split: right is CatBoost's yes."""


def read_trees(document: Part, features: Features, n_outputs: int, scale: float) -> Trees:
    """Read `oblivious_trees` or `trees`.

    Args:
        document: the model.
        features: what its splits ask of.
        n_outputs: values in a leaf.
        scale: what leaves are multiplied by.
    Raises:
        ModelError: a split is of a kind that is not read, or a tree contradicts itself.
    """
    if "oblivious_trees" in document:
        trees = [_oblivious(tree, features, n_outputs, scale) for tree in document["oblivious_trees"]]
    else:
        trees = [_grown(tree, features, n_outputs, scale) for tree in document["trees"]]
    if not trees:
        raise document.error("a model without trees", "at least one tree", "train for a round or more")
    joined = Trees.of(trees)
    if not np.isfinite(joined.leaf_value).all():
        raise document.error("leaves that are not finite", "finite numbers", SAVE_AGAIN)
    return joined


def _question(split: Part, features: Features) -> Question:
    kind = split["split_type"].text()
    if kind == "FloatFeature":
        feature, rule = features.floats[split["float_feature_index"].integer(below=len(features.floats))]
        return feature, rule, split["border"].number(), None
    if kind == "OneHotFeature":
        which = split["cat_feature_index"].integer(below=len(features.categorical))
        value = split["value"].integer(at_least=-(1 << 31))
        rights = features.rights[which].get(value)
        if rights is None:
            raise split.error(f"a category without a name (hash {value})", "the texts of categories", WITH_POOL)
        chosen = CategorySet(codes=0, right=rights, others_left=True, nan_left=True)
        return features.categorical[which], Rule.CATEGORY_WHOLE, 0.0, chosen
    if kind == "OnlineCtr":
        raise split.error(
            "a split on target statistics of categories (OnlineCtr)",
            "splits on numbers and on single categories",
            "train with one_hot_max_size above the number of categories, or serve it with catboost",
        )
    raise split.error(f"a split of the type {kind!r}", "FloatFeature or OneHotFeature")


@cache
def _perfect(depth: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Return the question (counted from the last), left and right of each split of a perfect tree, level by level."""
    splits = np.arange((1 << depth) - 1)
    level = np.log2(splits + 1).astype(np.int32) if depth else np.zeros(0, np.int32)
    children = np.stack([2 * splits + 1, 2 * splits + 2])
    children = np.where(children < len(splits), children, ~(children - len(splits)))
    return level, children[0].astype(np.int32), children[1].astype(np.int32)


def _oblivious(tree: Part, features: Features, n_outputs: int, scale: float) -> Tree:
    splits = tree.get("splits")
    questions = [] if splits is None or splits.value is None else [_question(split, features) for split in splits]
    depth = len(questions)
    if depth > DEPTH:
        raise tree.error(f"{depth} splits", f"at most {DEPTH}", SAVE_AGAIN)
    level, left, right = _perfect(depth)
    asked = [questions[depth - 1 - each] for each in level.tolist()]
    values = tree["leaf_values"].numbers(n_outputs << depth).reshape(-1, n_outputs) * scale
    return Tree(
        feature=[question[0] for question in asked],
        rule=[question[1] for question in asked],
        threshold=[question[2] for question in asked],
        left=left,
        right=right,
        leaf_value=values if n_outputs > 1 else values[:, 0],
        categories={split: question[3] for split, question in enumerate(asked) if question[3] is not None} or None,
        leaf_cover=tree["leaf_weights"].numbers(1 << depth) if "leaf_weights" in tree else None,
    )


def _grown(tree: Part, features: Features, n_outputs: int, scale: float) -> Tree:
    """Read a tree that grew leaf by leaf: each node is a leaf, or has a split and two branches."""
    asked: list[Question] = []
    children: list[list[int]] = []
    values: list[list[float]] = []
    weights: list[float] = []
    pending: list[tuple[Part, int, int]] = [(tree, -1, 0)]
    while pending:
        node, parent, side = pending.pop()
        if "split" in node:
            number = len(asked)
            asked.append(_question(node["split"], features))
            children.append([0, 0])
            pending += [(node["right"], number, 1), (node["left"], number, 0)]
        else:
            number = ~len(values)
            value = node["value"]
            values.append(
                [value.number()]
                if n_outputs == 1 and not isinstance(value.value, list)
                else value.numbers(n_outputs).tolist()
            )
            weights.append(node["weight"].number() if "weight" in node else np.nan)
        if parent >= 0:
            children[parent][side] = number
    leaf_value = np.array(values, np.float64) * scale
    return Tree(
        feature=[question[0] for question in asked],
        rule=[question[1] for question in asked],
        threshold=[question[2] for question in asked],
        left=[each[0] for each in children],
        right=[each[1] for each in children],
        leaf_value=leaf_value if n_outputs > 1 else leaf_value[:, 0],
        categories={split: question[3] for split, question in enumerate(asked) if question[3] is not None} or None,
        leaf_cover=None if np.isnan(weights).any() else weights,
    )
