"""The votes of an ONNX tree ensemble -> outputs and classes, as ONNX Runtime makes them.

Source: ONNX Runtime, core/providers/cpu/ml/tree_ensemble_aggregator.h and ml_common.h (1.31), and its answers where
the specification leaves them open: a classifier of two classes whose votes are all for the first has them for the
second; a regressor of one target leaves post_transform out. What it reads in two ways is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Category, Floats, Transform, Trees
from bareboat.forest.readers.onnx_nodes import Nodes, Places, numbers
from bareboat.forest.readers.reader import MOST_OUTPUTS

_AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")
_POST = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
_TRANSFORMS = {"NONE": Transform.IDENTITY, "SOFTMAX": Transform.SOFTMAX, "LOGISTIC": Transform.LOGISTIC}


@dataclass(frozen=True, slots=True)
class Scores:
    """What is made of the votes.

    Args:
        n_outputs: columns of the raw score.
        transform, average: as `Ensemble` has them.
        base: (n_outputs,) what is added after all trees.
        classes: the labels, () for a regressor.
    """

    n_outputs: int
    transform: Transform
    average: bool
    base: Floats
    classes: tuple[Category, ...] = ()


def regressor_scores(attributes: Mapping[str, Any], *, has_argmax: bool) -> Scores:
    """Read the conventions of a TreeEnsembleRegressor or a TreeEnsemble.

    Raises:
        ModelError: an aggregate_function, post_transform or number of base_values that is not known or not followed.
    """
    n_targets = int(attributes.get("n_targets", 1))
    aggregate = _name(attributes.get("aggregate_function", b"SUM"), _AGGREGATES)
    post = _name(attributes.get("post_transform", b"NONE"), _POST)
    if aggregate not in ("SUM", "AVERAGE"):
        raise ModelError(f"aggregate_function {aggregate}", expected="SUM or AVERAGE")
    if not 1 <= n_targets <= MOST_OUTPUTS:
        raise ModelError(f"n_targets of {n_targets}", expected=f"1 to {MOST_OUTPUTS}")
    if n_targets == 1 and post != "NONE":
        raise ModelError(
            f"post_transform {post} of a single target, which ONNX Runtime leaves out",
            expected="NONE",
            fix="make it NONE, and transform the answers yourself",
        )
    if post != "NONE" and not isinstance(attributes["post_transform"], bytes):
        raise ModelError(
            f"post_transform {attributes['post_transform']}: ONNX numbers {post} so, ONNX Runtime another one",
            expected="0, which is NONE to both",
            fix="leave it out, and transform the answers yourself",
        )
    base = numbers(attributes, "base_values")
    if len(base) not in (0, n_targets):
        raise ModelError(f"{len(base)} base_values", expected=f"{n_targets}, one for each target")
    if aggregate == "AVERAGE" and base.any():
        raise ModelError("base_values with aggregate_function AVERAGE", expected="SUM, or no base_values")
    return Scores(
        n_outputs=n_targets,
        transform=_transform(post),
        average=aggregate == "AVERAGE",
        base=base if len(base) else np.zeros(n_targets),
        classes=tuple(range(n_targets)) if has_argmax and n_targets > 1 else (),
    )


def classifier_scores(attributes: Mapping[str, Any], nodes: Nodes) -> tuple[Scores, Nodes]:
    """Read the conventions of a TreeEnsembleClassifier.

    Returns:
        scores: with one output when all votes of two classes are for the first: it is the second's.
        nodes: their votes for that output.
    Raises:
        ModelError: a post_transform that is not known, or votes that ONNX Runtime reads in more than one way.
    """
    classes: tuple[Category, ...] = tuple(label.decode() for label in attributes.get("classlabels_strings", ()))
    classes = classes or tuple(int(label) for label in attributes.get("classlabels_int64s", ()))
    post = _name(attributes.get("post_transform", b"NONE"), _POST)
    transform = _transform(post)
    base = numbers(attributes, "base_values")
    if len(classes) < 2:
        raise ModelError(f"{len(classes)} class labels", expected="two or more")
    if len(classes) > 2 or len(np.unique(nodes.vote_output)) > 1:
        _check_several(len(classes), base, nodes)
        base = base if len(base) else np.zeros(len(classes))
        return Scores(len(classes), transform, False, base, classes), nodes
    if nodes.vote_output.any():
        raise ModelError("votes for the second of two classes alone", expected="votes for both, or for the first")
    if len(base) > 1:
        raise ModelError(f"{len(base)} base_values for votes of one class", expected="one")
    if post == "SOFTMAX" or (post == "NONE" and (nodes.vote_weight < 0).any()):
        raise ModelError(
            f"post_transform {post} of votes for one class" + (" that are below 0" if post == "NONE" else ""),
            expected="LOGISTIC, or NONE with votes of at least 0",
        )
    return Scores(1, transform, False, base if len(base) else np.zeros(1), classes), nodes


def with_base(trees: Trees, scores: Scores) -> Trees:
    """Return the trees with what is added after them as last ones: trees of one leaf."""
    if not scores.base.any():
        return trees
    width = trees.leaf_value.shape[1]
    n_more = 1 if width > 1 else scores.n_outputs
    outputs = np.arange(n_more, dtype=np.int32)
    return replace(
        trees,
        leaf_start=np.concatenate([trees.leaf_start, trees.leaf_start[-1] + 1 + np.arange(n_more)]),
        output=np.concatenate([trees.output, outputs]),
        leaf_value=np.concatenate([trees.leaf_value, scores.base.reshape(n_more, width)]),
        leaf_id=None if trees.leaf_id is None else np.concatenate([trees.leaf_id, 0 * outputs]),
    )


def _check_several(n_classes: int, base: Floats, nodes: Nodes) -> None:
    if len(base) not in (0, n_classes):
        raise ModelError(f"{len(base)} base_values", expected=f"{n_classes}, one for each class")
    if n_classes > 2:
        return
    if len(base):
        raise ModelError("base_values for votes of two classes", expected="none: ONNX Runtime mixes the two up")
    second: Places = nodes.vote_node[nodes.vote_output == 1]
    if len(second) != np.count_nonzero(np.bincount(nodes.vote_node)):
        raise ModelError("leaves that do not vote for the second of two classes", expected="votes of each leaf")


def _name(value: Any, names: tuple[str, ...]) -> str:
    """Return the name of an option that is text in the older operators and a number in TreeEnsemble."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return names[value] if 0 <= value < len(names) else str(value)


def _transform(post: str) -> Transform:
    if post not in _TRANSFORMS:
        raise ModelError(f"post_transform {post}", expected=" or ".join(_TRANSFORMS))
    return _TRANSFORMS[post]
