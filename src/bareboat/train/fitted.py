"""What a library is asked to fit, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bareboat.forest.ir import Floats
from bareboat.forest.metrics import Truth
from bareboat.train.curves import Curves
from bareboat.train.features import Feature
from bareboat.train.losses import Loss
from bareboat.train.notes import Notes
from bareboat.train.options import Options


@dataclass(frozen=True, slots=True, eq=False)
class Fitting:
    """What to fit.

    Args:
        options: what was asked for.
        loss: that it has, or that goes with the task.
        n_classes: 0 of a regression.
        features: which columns of the frames are categories.
        train: a data frame, and (n,) places of classes or values.
        validation: the same of the rows that end the rounds, or None.
        notes: for what the library could not do as asked.
        is_refit: whether the size is chosen, and all rounds that are asked for are kept.
    """

    options: Options
    loss: Loss
    n_classes: int
    features: tuple[Feature, ...]
    train: tuple[Any, Truth]
    validation: tuple[Any, Truth] | None
    notes: Notes
    is_refit: bool = False

    @property
    def kind(self) -> str:
        """What the loss is of: binary, multi or value."""
        return "value" if not self.n_classes else "binary" if self.n_classes == 2 else "multi"

    @property
    def categories(self) -> list[str]:
        """The safe names of the features that are categories."""
        return [feature.safe for feature in self.features if feature.is_category]

    @property
    def least_in_leaf(self) -> int:
        """How many rows a leaf has at least: 20, as libraries have it, and fewer of a small table."""
        return max(2, min(20, len(self.train[1]) // 20))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model at its best size.

    Args:
        library: with its version, such as `lightgbm 4.6.0`.
        estimator: the class or function that was fitted, as its documentation names it.
        settings: that it was fitted with, all that is not its default.
        file_name: what the model file is called.
        data: its bytes.
        curves: over all rounds that were grown.
        rounds: how many of them the model has.
        why: that many.
        importances: (n_features,) in the order of the features; they add up to 1, or are all 0.
        importance: what they are, in a few words.
        predict: the library's own answers to a data frame: (n, n_classes) probabilities, or (n,) values.
    """

    library: str
    estimator: str
    settings: Mapping[str, Any]
    file_name: str
    data: bytes
    curves: Curves
    rounds: int
    why: str
    importances: Floats
    importance: str
    predict: Any
    packages: tuple[str, ...] = field(default=())
