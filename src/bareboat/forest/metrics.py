"""What a model answers and what was true -> one number that is smaller for a better model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.forest.ir import Floats

Truth = NDArray[np.float64] | NDArray[np.intp]
"""(n,) the place of each row's class, or its value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A mean over rows, or a function of one.

    Args:
        name: as `--metric` takes it.
        losses: (outputs of the model, truth) -> (n,) what each row costs.
        of_mean: what is made of the mean of the losses.
        of_classes: whether it judges probabilities of classes; else values.
    """

    name: str
    losses: Callable[[Floats, Truth], Floats]
    of_mean: Callable[[float], float] = float
    of_classes: bool = False

    def __call__(self, outputs: Floats, truth: Truth) -> float:
        """Return the error.

        Args:
            outputs: (n, n_classes) probabilities, or (n,) values.
            truth: (n,).
        """
        return self.of_mean(float(np.mean(self.losses(outputs, truth))))


def _log_loss(outputs: Floats, truth: Truth) -> Floats:
    """sklearn.metrics.log_loss: probabilities are kept away from 0 and 1."""
    epsilon = np.finfo(np.float64).eps
    of_truth = outputs[np.arange(len(outputs)), truth.astype(np.intp)]
    losses: Floats = -np.log(np.clip(of_truth, epsilon, 1 - epsilon))
    return losses


def _wrong(outputs: Floats, truth: Truth) -> Floats:
    wrong: Floats = (outputs.argmax(axis=1) != truth).astype(np.float64)
    return wrong


def _brier(outputs: Floats, truth: Truth) -> Floats:
    right = np.zeros_like(outputs)
    right[np.arange(len(right)), truth.astype(np.intp)] = 1.0
    squares: Floats = ((outputs - right) ** 2).sum(axis=1)
    return squares / 2 if outputs.shape[1] == 2 else squares


def _poisson(outputs: Floats, truth: Truth) -> Floats:
    value = _positive(outputs, "poisson_deviance")
    log = np.where(truth > 0, truth * np.log(np.where(truth > 0, truth, 1.0) / value), 0.0)
    return 2 * (log - truth + value)


def _gamma(outputs: Floats, truth: Truth) -> Floats:
    value, true = _positive(outputs, "gamma_deviance"), _positive(truth.astype(np.float64), "gamma_deviance")
    return 2 * (np.log(value / true) + true / value - 1)


def _tweedie(outputs: Floats, truth: Truth) -> Floats:
    value, power = _positive(outputs, "tweedie_deviance"), 1.5
    return 2 * (
        np.maximum(truth, 0.0) ** (2 - power) / ((1 - power) * (2 - power))
        - truth * value ** (1 - power) / (1 - power)
        + value ** (2 - power) / (2 - power)
    )


def _positive(values: Floats, metric: str) -> Floats:
    if len(values) and values.min() <= 0:
        raise InputError(
            f"{metric} of the value {values.min():g}", expected="values above 0", fix="--metric with another one"
        )
    return values


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("log_loss", _log_loss, of_classes=True),
        Metric("error_rate", _wrong, of_classes=True),
        Metric("brier", _brier, of_classes=True),
        Metric("rmse", lambda outputs, truth: (outputs - truth) ** 2, of_mean=lambda mean: float(np.sqrt(mean))),
        Metric("mae", lambda outputs, truth: np.abs(outputs - truth)),
        Metric("mape", lambda outputs, truth: np.abs(outputs - truth) / np.maximum(np.abs(truth), np.finfo(float).eps)),
        Metric("poisson_deviance", _poisson),
        Metric("gamma_deviance", _gamma),
        Metric("tweedie_deviance", _tweedie),
    )
}

# A word of the objective -> the metric. What is in none of them is judged by its squares.
_BY_WORD = (
    ("mape", "mape"),
    ("poisson", "poisson_deviance"),
    ("gamma", "gamma_deviance"),
    ("tweedie", "tweedie_deviance"),
    ("absolute", "mae"),
    ("regression_l1", "mae"),
    ("quantile", "mae"),
    ("huber", "mae"),
    ("fair", "mae"),
)


def choose_metric(name: str | None, objective: str, *, is_classifier: bool) -> Metric:
    """Return the metric of a name, or the one that goes with what a model was trained for.

    Raises:
        InputError: there is no such metric for this kind of model, or the model's answers have no true values.
    """
    fitting = [each.name for each in METRICS.values() if each.of_classes == is_classifier]
    if name is None:
        return METRICS["log_loss"] if is_classifier else METRICS[_of_regressor(objective)]
    if name not in fitting:
        kind = "a classifier" if is_classifier else "a regressor"
        raise InputError(
            f"no metric {name!r} for {kind}", expected=f"one of {', '.join(fitting)}", fix=f"metric {fitting[0]!r}"
        )
    return METRICS[name]


def _of_regressor(objective: str) -> str:
    if any(word in objective for word in ("rank", "ndcg", "isolation")):
        raise InputError(
            f"a model of the objective {objective!r}, whose answers have no true values",
            expected="a classifier or a regressor",
            fix="name the metric that you mean",
        )
    return next((name for word, name in _BY_WORD if word in objective), "rmse")
