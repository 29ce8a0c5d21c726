"""Pipeline -> its steps with the slots that they write to, as the file has them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bareboat.pipeline.ir import Op, Pipeline, Slots, Step


@dataclass(frozen=True, slots=True)
class Placed:
    """A step, its inputs in the file's slots, and the first slot that it writes to."""

    step: Step
    out: int


@dataclass(frozen=True, slots=True, eq=False)
class Arranged:
    """What a file computes.

    Args:
        steps: in the order in which they run.
        n_slots: how many slots they need, the row's included.
        outputs: slots.
        label: a slot, or None.
    """

    steps: tuple[Placed, ...]
    n_slots: int
    outputs: Slots
    label: int | None


def arrange(pipeline: Pipeline) -> Arranged:
    """Give every step its place. The inputs of a FOREST step come to lie one behind the other."""
    slot_of = np.arange(pipeline.n_slots, dtype=np.int32)
    placed: list[Placed] = []
    top, old_top = pipeline.n_features, pipeline.n_features
    for step in pipeline.steps:
        inputs = slot_of[step.inputs]
        if step.op is Op.FOREST and len(inputs) and not (np.diff(inputs) == 1).all():
            placed.append(Placed(Step(Op.COPY, inputs, len(inputs)), top))
            inputs = np.arange(top, top + len(inputs), dtype=np.int32)
            top += len(inputs)
        placed.append(Placed(replace(step, inputs=inputs), top))
        slot_of[old_top : old_top + step.n_out] = np.arange(top, top + step.n_out)
        top += step.n_out
        old_top += step.n_out
    label = None if pipeline.label is None else int(slot_of[pipeline.label])
    return Arranged(tuple(placed), top, slot_of[pipeline.outputs], label)
