"""Evaluates a Pipeline plainly, column by column: the oracle of the kernel, as scikit-learn is that of the compiler."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.forest.file import forest_bytes
from bareboat.forest.ir import Floats
from bareboat.pipeline.ir import ABSENT, REFUSED, Function, Op, Pipeline, Step
from bareboat.runtime.forest import open_forest

_FUNCTIONS = {function: getattr(np, function.name.lower()) for function in Function if function != Function.EXPIT}


def evaluate(pipeline: Pipeline, rows: Floats) -> tuple[Floats, NDArray[np.int64] | None]:
    """Compute rows.

    Args:
        rows: (n, n_features) float64; a code for a column that has `values`, NaN for a missing value.
    Returns:
        (n, n_outputs) float64, and (n,) the index of the predicted class, or None without classes.
    Raises:
        InputError: a row holds a value that the pipeline refuses; names the step.
    """
    slots = np.full((pipeline.n_slots, len(rows)), np.nan)
    slots[: pipeline.n_features] = np.asarray(rows, np.float64).T
    top = pipeline.n_features
    with np.errstate(all="ignore"):
        for number, step in enumerate(pipeline.steps):
            slots[top : top + step.n_out] = _computed(pipeline, number, step, slots[step.inputs])
            top += step.n_out
    outputs = slots[pipeline.outputs].T.copy()
    if not pipeline.classes:
        return outputs, None
    labels = slots[pipeline.label] if pipeline.label is not None else np.argmax(outputs, axis=1)
    return outputs, labels.astype(np.int64)


def _computed(pipeline: Pipeline, number: int, step: Step, x: Floats) -> Any:  # noqa: PLR0911, PLR0912
    """Return the outputs of a step: x (k, n) -> (n_out, n)."""
    p, w, n_out = step.numbers, step.whole, step.n_out
    by_row = p[:, np.newaxis]
    match step.op:
        case Op.COPY:
            return x
        case Op.ADD:
            return x + by_row
        case Op.SUBTRACT:
            return x - by_row
        case Op.REVERSE:
            return by_row - x
        case Op.MULTIPLY:
            return x * by_row
        case Op.DIVIDE:
            return x / by_row
        case Op.CLIP:
            raised = np.where(x < by_row[0::2], by_row[0::2], x)
            return np.where(raised > by_row[1::2], by_row[1::2], raised)
        case Op.REPLACE:
            return np.where(_matches(x, by_row[0::2]), by_row[1::2], x)
        case Op.MATCHES:
            return _matches(x, by_row).astype(np.float64)
        case Op.GREATER:
            return (x >= by_row if len(w) and w[0] else x > by_row).astype(np.float64)
        case Op.FUNCTION:
            function = Function(int(w[0]))
            return 1 / (1 + np.exp(-x)) if function == Function.EXPIT else np.asarray(_FUNCTIONS[function](x))
        case Op.PRODUCT:
            return x[0::2] * x[1::2]
        case Op.NORMALIZE:
            return _normalized(x, int(w[0]), len(w) > 1 and bool(w[1]), p[0] if len(p) else -np.inf)
        case Op.FIND:
            return _found(x, p)
        case Op.BIN:
            return np.searchsorted(p, x, side="right").astype(np.float64)
        case Op.ONE_HOT:
            places = _places(number, x[0], w)
            return (np.arange(n_out)[:, np.newaxis] == places).astype(np.float64)
        case Op.LOOKUP:
            places = _places(number, x[0], w)
            table = np.vstack([p.reshape(-1, n_out), np.zeros(n_out)])
            return table[np.where(places == ABSENT, len(table) - 1, places)].T
        case Op.DOT:
            weights = p[n_out:].reshape(n_out, len(x))
            total = np.zeros((n_out, x.shape[1]))
            for place, values in enumerate(x):
                total = values * weights[:, [place]] if place == 0 else total + values * weights[:, [place]]
            return total + p[:n_out, np.newaxis]
        case Op.FOREST:
            return _scores(pipeline, int(w[0]), x, raw=not w[1])
        case Op.SOFTMAX:
            powers = np.exp(x - x.max(axis=0))
            return powers / _sum(powers)
        case Op.INTERPOLATE:
            half = len(p) // 2
            return np.where(np.isnan(x), np.nan, np.interp(x, p[:half], p[half:]))
        case Op.AVERAGE:
            groups = x.reshape(-1, n_out, x.shape[1])
            return _sum(groups * p[:-1, np.newaxis, np.newaxis]) / p[-1]
        case Op.ARGMAX:
            return np.argmax(x, axis=0)[np.newaxis].astype(np.float64)
        case Op.VOTE:
            votes = _sum(np.stack([(x == each) * by_row for each in range(int(w[0]))]).swapaxes(0, 1))
            return np.argmax(votes, axis=0)[np.newaxis].astype(np.float64)


def _matches(x: Floats, p: Floats) -> NDArray[np.bool_]:
    return np.asarray((x == p) | (np.isnan(x) & np.isnan(p)))


def _sum(parts: Floats) -> Any:
    """Add along the first axis, one after the other."""
    total = parts[0].copy()
    for part in parts[1:]:
        total = total + part
    return total


def _normalized(x: Floats, norm: int, even: bool, least: float) -> Any:
    size = np.abs(x).max(axis=0) if norm == 2 else _sum((np.abs(x), x * x, x, x)[norm])
    size = np.sqrt(size) if norm == 1 else size
    is_small = (size == 0) | (size < least)
    return np.where(is_small, 1.0 / len(x) if even else x, x / np.where(is_small, 1.0, size))


def _found(x: Floats, p: Floats) -> Floats:
    has_nan = len(p) > 0 and bool(np.isnan(p[-1]))
    numbers = p[:-1] if has_nan else p
    if not len(numbers):
        return np.where(np.isnan(x), 0.0 if has_nan else np.nan, -1.0)
    places = np.minimum(np.searchsorted(numbers, x), len(numbers) - 1)
    found = np.where(numbers[places] == x, places, -1.0)
    return np.where(np.isnan(x), float(len(numbers)) if has_nan else np.nan, found)


def _places(number: int, codes: Floats, table: NDArray[np.int64]) -> NDArray[np.int64]:
    outside = ~((codes >= 0) & (codes < len(table) - 2))
    places = np.where(
        outside, table[0], table[2:][np.where(outside, 0, codes).astype(np.int64)] if len(table) > 2 else 0
    )
    places = np.where(np.isnan(codes), table[1], places)
    if (places == REFUSED).any():
        row = int(np.argmax(places == REFUSED))
        raise InputError(
            f"row {row} has a value that step {number} does not know", expected="one that it was fitted on"
        )
    return places


def _scores(pipeline: Pipeline, number: int, x: Floats, *, raw: bool) -> Floats:
    forest = open_forest(forest_bytes(pipeline.forests[number]))
    rows = x.T.tolist()
    return np.array(forest.raw_scores(rows) if raw else forest.predict_many(rows)).T
