"""The error after each round, on the rows that were learned from and on those that were not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Floats
from bareboat.forest.metrics import METRICS, Truth


@dataclass(frozen=True, slots=True)
class Curves:
    """Errors after 1, 2, ... rounds; smaller is better.

    Args:
        metric: what the error is: log_loss, rmse, mae or pinball.
        train: of the rows that were learned from; () when it was not computed.
        validation: of the rows that end the rounds; () without such a part.
        oob: of each round on the rows that it did not see; () where the library has none.
        oob_improvement: by how much each round made its loss smaller on the rows that it did not see.
    """

    metric: str
    train: tuple[float, ...]
    validation: tuple[float, ...] = ()
    oob: tuple[float, ...] = ()
    oob_improvement: tuple[float, ...] = ()

    @property
    def grown(self) -> int:
        """How many rounds there were."""
        return max(len(self.train), len(self.validation), len(self.oob))

    def best(self) -> tuple[int, str]:
        """Return how many rounds to keep, and why."""
        if self.validation:
            return int(np.argmin(self.validation)) + 1, f"the smallest {self.metric} on the validation rows"
        if self.oob_improvement:
            total = np.cumsum(self.oob_improvement)
            return int(np.argmax(total)) + 1, "the greatest improvement on the rows that each round did not see"
        return self.grown, "all rounds, as there are no validation rows"

    def to_dict(self) -> dict[str, Any]:
        """Return the curves as JSON has them; those that are not there are left out."""
        curves = {"train": self.train, "validation": self.validation, "oob": self.oob}
        curves["oob_improvement"] = self.oob_improvement
        return {"metric": self.metric, **{name: list(values) for name, values in curves.items() if values}}


def error_of(metric: str, alpha: float) -> Callable[[Floats, Truth], float]:
    """Return the function that gives the error of outputs: (n, n_classes) probabilities, or (n,) values."""
    if metric == "pinball":
        return lambda outputs, truth: float(np.mean(pinball(outputs, truth, alpha)))
    return METRICS[metric]


def pinball(outputs: Floats, truth: Truth, alpha: float) -> NDArray[np.float64]:
    """Return the quantile loss of each row, as sklearn.metrics.mean_pinball_loss has it."""
    over = truth - outputs
    losses: NDArray[np.float64] = np.maximum(alpha * over, (alpha - 1) * over)
    return losses


def staged(outputs: Iterable[Any], truth: Truth, error: Callable[[Floats, Truth], float]) -> tuple[float, ...]:
    """Return the error after each round."""
    return tuple(error(np.asarray(each), truth) for each in outputs)


def plain(values: Sequence[Any]) -> tuple[float, ...]:
    """Return numbers of numpy as Python's."""
    return tuple(float(value) for value in values)
