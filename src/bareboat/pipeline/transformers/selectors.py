"""Selectors of columns: no step at all, only fewer columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.transformers.registry import compiles


@compiles(
    "GenericUnivariateSelect",
    "RFE",
    "RFECV",
    "SelectFdr",
    "SelectFpr",
    "SelectFromModel",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SequentialFeatureSelector",
    "VarianceThreshold",
)
def selector(transformer: Any, builder: Builder, block: Block) -> Block:
    """Keep the columns that the selector supports; most refuse a row in which any column is missing."""
    from sklearn.exceptions import NotFittedError

    try:
        mask = np.asarray(transformer.get_support(), bool)
    except (NotFittedError, AttributeError) as error:
        raise ModelError("is not fitted", expected="a fitted selector", fix="call its fit first") from error
    if not _keeps_frames(transformer) and not _allows_nan(transformer):
        builder.refuse_missing(block.slots)
    return block.at(mask)


def _keeps_frames(transformer: Any) -> bool:
    """Whether frames stay frames, so that nobody looks into them."""
    return bool(getattr(transformer, "_sklearn_output_config", {}).get("transform") == "pandas")


def _allows_nan(transformer: Any) -> bool:
    try:
        if hasattr(transformer, "__sklearn_tags__"):
            return bool(transformer.__sklearn_tags__().input_tags.allow_nan)
        return bool(transformer._get_tags()["allow_nan"])
    except (AttributeError, KeyError, TypeError):
        return False
