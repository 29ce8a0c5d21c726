"""What an estimator asks of the columns that it is given."""

from __future__ import annotations

from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.readers.sklearn_estimator import attribute
from bareboat.pipeline.block import Block
from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import Slots
from bareboat.pipeline.transformers.registry import check_double


def numbers(estimator: Any, builder: Builder, block: Block) -> Slots:
    """Return the slots of a block that an estimator computes with, as many as it was fitted on.

    Raises:
        ModelError: there are others, or one holds text.
    """
    fitted = int(attribute(estimator, "n_features_in_"))
    if fitted != block.width:
        raise ModelError(f"it is given {block.width} columns", expected=f"the {fitted} that it was fitted on")
    check_double(block)
    builder.numbers(block.slots)
    if not allows_missing(estimator):
        builder.refuse_missing(block.slots)
    return block.slots


def allows_missing(estimator: Any) -> bool:
    """Whether scikit-learn's estimator takes NaN."""
    try:
        from sklearn.utils import get_tags
    except ImportError:  # before 1.6
        return bool(estimator._get_tags()["allow_nan"])
    return bool(get_tags(estimator).input_tags.allow_nan)
