"""A Pipeline -> the same without the steps whose outputs nothing reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bareboat.pipeline.ir import REFUSED, Op, Pipeline, Slots, Step

_ONE_BY_ONE: dict[Op, tuple[int, int]] = {
    Op.COPY: (1, 0),
    Op.ADD: (1, 1),
    Op.SUBTRACT: (1, 1),
    Op.REVERSE: (1, 1),
    Op.MULTIPLY: (1, 1),
    Op.DIVIDE: (1, 1),
    Op.CLIP: (1, 2),
    Op.REPLACE: (1, 2),
    Op.MATCHES: (1, 1),
    Op.GREATER: (1, 1),
    Op.FUNCTION: (1, 0),
    Op.PRODUCT: (2, 0),
}
"""Operations whose outputs are computed each by itself: how many inputs and numbers one takes."""


def pruned(pipeline: Pipeline) -> Pipeline:
    """Leave out what no output or label goes back to: steps, columns of steps, forests.

    A step that may refuse a row stays: scikit-learn refuses it too, whatever is done with the result.
    """
    needed = np.zeros(pipeline.n_slots, bool)
    needed[pipeline.outputs] = True
    if pipeline.label is not None:
        needed[pipeline.label] = True
    top = pipeline.n_slots
    kept: list[tuple[Step, Slots]] = []
    for step in reversed(pipeline.steps):
        top -= step.n_out
        wanted = needed[top : top + step.n_out]
        if not wanted.any() and not _may_refuse(step):
            continue
        places = np.flatnonzero(wanted) if step.op in _ONE_BY_ONE else np.arange(step.n_out)
        smaller = _narrowed(step, places)
        needed[smaller.inputs] = True
        kept.append((smaller, (top + places).astype(np.int32)))
    return _renumbered(pipeline, kept[::-1], needed)


def _narrowed(step: Step, places: NDArray[np.intp]) -> Step:
    """Return a step of some of its outputs."""
    if len(places) == step.n_out:
        return step
    n_inputs, n_numbers = _ONE_BY_ONE[step.op]
    inputs = step.inputs.reshape(step.n_out, n_inputs)[places].ravel()
    numbers = step.numbers.reshape(step.n_out, n_numbers)[places].ravel() if n_numbers else step.numbers
    return replace(step, inputs=inputs, n_out=len(places), numbers=numbers)


def _renumbered(pipeline: Pipeline, kept: list[tuple[Step, Slots]], needed: NDArray[np.bool_]) -> Pipeline:
    new = np.arange(pipeline.n_slots, dtype=np.int32)
    top = pipeline.n_features
    forests: list[int] = []
    steps = []
    for step, old in kept:
        inputs, whole = new[step.inputs], step.whole
        if step.op is Op.FOREST:
            number = int(whole[0])
            if number not in forests:
                forests.append(number)
            whole = np.array([forests.index(number), *whole[1:]], np.int64)
        new[old] = np.arange(top, top + step.n_out)
        top += step.n_out
        steps.append(replace(step, inputs=inputs, whole=whole))
    columns = [
        replace(column, used=column.used and bool(read))
        for column, read in zip(pipeline.columns, needed[: pipeline.n_features].tolist(), strict=True)
    ]
    return replace(
        pipeline,
        columns=tuple(columns),
        steps=tuple(steps),
        forests=tuple(pipeline.forests[number] for number in forests),
        outputs=new[pipeline.outputs],
        label=None if pipeline.label is None else int(new[pipeline.label]),
    )


def _may_refuse(step: Step) -> bool:
    return step.op in {Op.ONE_HOT, Op.LOOKUP} and bool((step.whole == REFUSED).any())
