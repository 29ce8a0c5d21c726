"""Answers to rows that were held out, and what was true -> scores with their intervals, beside those of a guess."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Floats
from bareboat.forest.metrics import METRICS
from bareboat.train.curves import pinball
from bareboat.train.task import Task

RESAMPLES = 1000
_LEVEL, _Z = 0.95, 1.959963984540054
_BIGGEST_RESAMPLE = 20_000_000
"""Rows * resamples up to which the bootstrap is drawn; of more rows fewer are drawn."""


@dataclass(frozen=True, slots=True)
class Score:
    """One score of a model on rows that it has not seen.

    Args:
        name: accuracy, log_loss, rmse and the like.
        value: on these rows.
        low, high: the ends of its 95 % interval.
        interval: how that was found.
        guess: the score of the best answer that knows no features, or None.
        is_better_high: whether greater is better.
    """

    name: str
    value: float
    low: float
    high: float
    interval: str
    guess: float | None
    is_better_high: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": _LEVEL,
            "interval": self.interval,
            "guess": self.guess,
            "better": "high" if self.is_better_high else "low",
        }


def judge(
    task: Task, outputs: Floats, truth: NDArray[Any], learned: NDArray[Any], *, loss: str, alpha: float, seed: int
) -> list[Score]:
    """Score answers.

    Args:
        outputs: (n, n_classes) probabilities or (n,) values.
        truth: (n,) places of classes or values.
        learned: the answers of the rows that were learned from, which the guess knows.
        loss: that was trained for; quantile adds its own score.
        seed: of the resamples.
    Returns:
        The first is the one to name.
    """
    resampled = _Resampler(len(truth), seed)
    if task.is_classification:
        return _of_classes(task, outputs, truth.astype(np.intp), learned.astype(np.intp), resampled)
    return _of_values(outputs, truth, learned, resampled, alpha if loss == "quantile" else None)


def _of_classes(
    task: Task, outputs: Floats, truth: NDArray[np.intp], learned: NDArray[np.intp], resampled: _Resampler
) -> list[Score]:
    n, shares = len(truth), np.bincount(learned, minlength=task.n_classes) / len(learned)
    right = outputs.argmax(axis=1) == truth
    low, high = wilson(int(right.sum()), n)
    guess = float((truth == shares.argmax()).mean())
    scores = [Score("accuracy", float(right.mean()), low, high, "Wilson", guess, True)]
    counts = np.bincount(truth, minlength=task.n_classes)
    weight = 1.0 / counts[truth] / (counts > 0).sum()

    def balanced(rows: NDArray[np.intp]) -> float:
        return float((right[rows] * weight[rows]).sum() / weight[rows].sum())

    scores.append(_score("balanced_accuracy", balanced, resampled, 1.0 / float((counts > 0).sum()), high=True))
    losses = METRICS["log_loss"].losses(outputs, truth)
    of_guess = float(METRICS["log_loss"].losses(np.tile(shares, (n, 1)), truth).mean())
    scores.append(_mean("log_loss", losses, resampled, of_guess))
    if task.n_classes == 2 and len(np.unique(truth)) == 2:
        scores.append(_roc_auc(outputs[:, 1], truth, resampled))
    return scores


def _of_values(
    outputs: Floats, truth: Floats, learned: Floats, resampled: _Resampler, alpha: float | None
) -> list[Score]:
    errors, mean = outputs - truth, float(np.mean(learned))
    squares, off = errors**2, (truth - truth.mean()) ** 2

    def rmse(rows: NDArray[np.intp]) -> float:
        return math.sqrt(float(squares[rows].mean()))

    def r2(rows: NDArray[np.intp]) -> float:
        own = truth[rows]
        around = float(((own - own.mean()) ** 2).sum())
        return 1.0 - float(squares[rows].sum()) / around if around else 0.0

    scores = [_score("rmse", rmse, resampled, math.sqrt(float(((truth - mean) ** 2).mean())), high=False)]
    scores.append(_mean("mae", np.abs(errors), resampled, float(np.abs(truth - np.median(learned)).mean())))
    if off.sum():
        scores.append(_score("r2", r2, resampled, 0.0, high=True))
    if alpha is not None:
        guess = pinball(np.full(len(truth), np.quantile(learned, alpha)), truth, alpha)
        scores.insert(0, _mean("pinball", pinball(outputs, truth, alpha), resampled, float(guess.mean())))
        below = int((truth <= outputs).sum())
        low, high = wilson(below, len(truth))
        scores.insert(1, Score("share_below", below / len(truth), low, high, "Wilson", alpha, True))
    return scores


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Source:
        Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    share, square = successes / n, _Z * _Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = _Z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


class _Resampler:
    """Rows drawn with replacement, the same for each score."""

    def __init__(self, n: int, seed: int) -> None:
        self.n = n
        self.seed = seed
        self.n_resamples = max(50, min(RESAMPLES, _BIGGEST_RESAMPLE // max(1, n)))

    def interval(self, statistic: Callable[[NDArray[np.intp]], float]) -> tuple[float, float]:
        """Return the percentiles of a statistic over the resamples."""
        random = np.random.default_rng(self.seed)
        found = [statistic(random.integers(0, self.n, self.n)) for _ in range(self.n_resamples)]
        low, high = np.quantile(found, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        return float(low), float(high)

    @property
    def words(self) -> str:
        """How its intervals were found."""
        return f"bootstrap percentiles, {self.n_resamples} resamples"


def _score(
    name: str, statistic: Callable[[NDArray[np.intp]], float], resampled: _Resampler, guess: float | None, *, high: bool
) -> Score:
    low, top = resampled.interval(statistic)
    return Score(name, statistic(np.arange(resampled.n)), low, top, resampled.words, guess, high)


def _mean(name: str, losses: Floats, resampled: _Resampler, guess: float) -> Score:
    return _score(name, lambda rows: float(losses[rows].mean()), resampled, guess, high=False)


def _roc_auc(score: Floats, truth: NDArray[np.intp], resampled: _Resampler) -> Score:
    order = np.argsort(score, kind="stable")
    _, place = np.unique(score[order], return_inverse=True)
    rank_of = np.empty(len(score), np.intp)
    rank_of[order] = place
    n_ranks = int(place.max()) + 1

    def auc(rows: NDArray[np.intp]) -> float:
        above = np.bincount(rank_of[rows], weights=truth[rows], minlength=n_ranks)
        below = np.bincount(rank_of[rows], minlength=n_ranks) - above
        pairs = float(above.sum() * below.sum())
        if not pairs:
            return 0.5
        return float((above * (np.cumsum(below) - below / 2)).sum()) / pairs

    return _score("roc_auc", auc, resampled, 0.5, high=True)


def confusion(outputs: Floats, truth: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    """Return how many rows of each class (line) were answered with each class (column)."""
    counts = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(counts, (truth.astype(np.intp), outputs.argmax(axis=1)), 1)
    return counts
