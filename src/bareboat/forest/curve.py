"""Errors after each round -> how many rounds are enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bareboat.forest.ir import Floats
from bareboat.forest.metrics import Metric, Truth


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The error of a model after each of its rounds, on one set of examples.

    Args:
        metric: its name.
        errors: (n_rounds,) the error after 1, 2, ... rounds; smaller is better.
    """

    metric: str
    errors: Floats

    @property
    def n_rounds(self) -> int:
        """How many rounds the model has."""
        return len(self.errors)

    @property
    def best(self) -> int:
        """The number of rounds with the smallest error; the first of several."""
        return int(self.errors.argmin()) + 1

    def enough(self, within: float) -> int:
        """Return the smallest number of rounds whose error is at most (1 + within) times the smallest."""
        return int((self.errors <= self.error_after(self.best) * (1.0 + within)).argmax()) + 1

    def error_after(self, rounds: int) -> float:
        """Return the error after 1 <= rounds <= n_rounds."""
        return float(self.errors[rounds - 1])

    def saved(self, rounds: int) -> float:
        """Return the share of rounds that is left out when the first `rounds` are kept."""
        return 1.0 - rounds / self.n_rounds

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as JSON has it."""
        return {"metric": self.metric, "best_rounds": self.best, "errors": self.errors.tolist()}


def staged_errors(stages: Iterable[Floats], truth: Truth, metric: Metric) -> Curve:
    """Return the error after each round.

    Args:
        stages: the outputs after each round: (n, n_classes) probabilities, or (n,) values.
        truth: (n,) places of classes, or values.
        metric: what the error is.
    """
    return Curve(metric.name, np.array([metric(outputs, truth) for outputs in stages]))
