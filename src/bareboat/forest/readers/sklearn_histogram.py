"""HistGradientBoosting* of scikit-learn -> Ensemble.

Source: scikit-learn, sklearn/ensemble/_hist_gradient_boosting/gradient_boosting.py and _predictor.pyx. Values are
compared as float64. With categorical features a ColumnTransformer puts these first and encodes each as its place
among `OrdinalEncoder.categories_`; an unknown category becomes NaN, and NaN goes where `missing_go_to_left` says.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import CategorySet, Ensemble, Floats, Rule, Transform, Tree, Trees
from bareboat.forest.readers.sklearn_categories import Coder, Columns, read_columns
from bareboat.forest.readers.sklearn_estimator import (
    attribute,
    class_labels,
    feature_names,
    name_of,
    refuse_option,
)
from bareboat.forest.readers.sklearn_tree import renumbered

# Loss -> transform of one output. Source: the links in sklearn/_loss/loss.py.
_LOSSES: dict[str, Transform] = {
    "squared_error": Transform.IDENTITY,
    "absolute_error": Transform.IDENTITY,
    "quantile": Transform.IDENTITY,
    "poisson": Transform.EXP,
    "gamma": Transform.EXP,
    "log_loss": Transform.SIGMOID,
}


def read_hist_gradient_boosting(boosting: Any, source: str) -> Ensemble:
    """Read a HistGradientBoosting*.

    Raises:
        ModelError: its loss or a category is not known.
    """
    names = feature_names(boosting)
    if not isinstance(boosting.loss, str) or boosting.loss not in _LOSSES:
        raise refuse_option(boosting, "loss", boosting.loss, "one of " + ", ".join(_LOSSES))
    classes = class_labels(boosting) if hasattr(boosting, "classes_") else ()
    columns = read_columns(boosting, len(names))
    trees = [
        _tree(predictor, columns, output)
        for iteration in attribute(boosting, "_predictors")
        for output, predictor in enumerate(iteration)
    ]
    base: Floats = np.ravel(attribute(boosting, "_baseline_prediction"))
    if base.dtype != np.float64:
        raise ModelError(f"{name_of(boosting)} with a baseline of {base.dtype}", expected="float64")
    n_outputs = len(base)
    return Ensemble(
        feature_names=names,
        categories=columns.categories,
        objective=boosting.loss,
        source=source,
        transform=Transform.SOFTMAX if n_outputs > 1 else _LOSSES[boosting.loss],
        n_classes=len(classes),
        classes=classes,
        n_outputs=n_outputs,
        trees=Trees.of(trees),
        trees_per_round=n_outputs,
        base=base,
    )


def _tree(predictor: Any, columns: Columns, output: int) -> Tree:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    left, right = renumbered(is_leaf, nodes["left"], nodes["right"])
    splits = nodes[~is_leaf]
    feature = columns.order[splits["feature_idx"]]
    is_categorical = splits["is_categorical"].astype(bool)
    rule = np.where(splits["missing_go_to_left"], int(Rule.NAN_LEFT), int(Rule.NAN_RIGHT))
    return Tree(
        feature=feature,
        rule=np.where(is_categorical, int(Rule.CATEGORY_WHOLE), rule).astype(np.int32),
        threshold=np.where(is_categorical, 0.0, splits["num_threshold"]),
        left=left,
        right=right,
        leaf_value=nodes["value"][is_leaf],
        categories=_sets(predictor, splits, feature, np.flatnonzero(is_categorical), columns),
        output=output,
        leaf_id=np.flatnonzero(is_leaf).astype(np.int32),
        leaf_cover=nodes["count"][is_leaf].astype(np.float64),
        split_cover=splits["count"].astype(np.float64),
        split_gain=splits["gain"],
    )


def _sets(
    predictor: Any, splits: Any, feature: NDArray[np.int32], categorical: NDArray[np.intp], columns: Columns
) -> dict[int, CategorySet] | None:
    sets = {}
    for split in categorical.tolist():
        words = np.asarray(predictor.raw_left_cat_bitsets[splits["bitset_idx"][split]], "<u4")
        coder: Coder = columns.coders[int(feature[split])]
        sets[split] = coder.category_set(
            int.from_bytes(words.tobytes(), "little"), missing_left=bool(splits["missing_go_to_left"][split])
        )
    return sets or None
