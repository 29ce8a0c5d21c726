"""Pipelines and rows for the tests of the kernel: random ones that no compiler would make, with every operation."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import ABSENT, REFUSED, Function, Op, Pipeline

HARD = (math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -1.0, 1.0, 2.0, 0.5, 1.5, -2.5, 3.0, 7.0, 1e300, -1e-300)
LIKE_LIBM = frozenset(
    {
        Function.ABSOLUTE,
        Function.SQRT,
        Function.SQUARE,
        Function.RECIPROCAL,
        Function.NEGATIVE,
        Function.SIGN,
        Function.FLOOR,
        Function.CEIL,
        Function.RINT,
        Function.TRUNC,
        Function.DEG2RAD,
        Function.RAD2DEG,
    }
)
"""Functions that have the same bits wherever they are computed."""

Step = Callable[["Program"], None]


class Program:
    """A pipeline while it grows, one random step after the other."""

    def __init__(self, rng: random.Random, forests: ModuleType | None) -> None:
        self.rng = rng
        self.forests = forests
        self.n_features = rng.randint(1, 5)
        self.builder = Builder([f"f{i}" for i in range(self.n_features)])
        self.top = self.n_features
        self.refuses = False

    def slots(self, n: int) -> list[int]:
        """Return n slots that are written, the later ones more often; sometimes consecutive ones."""
        if n <= self.top and self.rng.random() < 0.4:
            first = self.rng.randint(0, self.top - n)
            return list(range(first, first + n))
        low = self.rng.choice((0, 0, max(0, self.top - 6)))
        return [self.rng.randrange(low, self.top) for _ in range(n)]

    def number(self) -> float:
        return self.rng.choice((*HARD, self.rng.gauss(0.0, 3.0), float(self.rng.randint(-3, 5))))

    def numbers(self, n: int) -> list[float]:
        return [self.number() for _ in range(n)]

    def rising(self, n: int, *, finite: bool = False) -> list[float]:
        pool = {0.0 if value == 0 else value for value in self.numbers(n) if not math.isnan(value)}
        return sorted(value for value in pool if not finite or abs(value) < 1e200)

    def add(self, op: Op, inputs: Sequence[int], n_out: int, **parameters: object) -> None:
        self.builder.add(op, inputs, n_out, **parameters)  # type: ignore[arg-type]
        self.top += n_out

    def table(self, n_places: int) -> list[int]:
        """Return a table of places below n, seldom with one that is refused."""
        pool = [*range(n_places), ABSENT] + ([REFUSED] if self.rng.random() < 0.05 else [])
        table = [self.rng.choice(pool) for _ in range(2 + self.rng.randint(0, 6))]
        self.refuses |= REFUSED in table
        return table


def _elementwise(op: Op, n_numbers: int, *, choice: bool = False) -> Step:
    def step(program: Program) -> None:
        n = program.rng.choice((0, 1, 2, 3, 9))
        whole = [program.rng.randint(0, 1)] if choice and program.rng.random() < 0.7 else []
        program.add(op, program.slots(n), n, numbers=program.numbers(n_numbers * n), whole=whole)

    return step


def _clip(program: Program) -> None:
    n = program.rng.randint(1, 4)
    numbers = [value for _ in range(n) for value in sorted((program.rng.gauss(0, 2), program.rng.choice(HARD[1:])))]
    program.add(Op.CLIP, program.slots(n), n, numbers=numbers)


def _function(program: Program) -> None:
    n = program.rng.randint(1, 4)
    function = program.rng.choice(sorted(LIKE_LIBM))
    program.add(Op.FUNCTION, program.slots(n), n, whole=[function])


def _product(program: Program) -> None:
    n = program.rng.randint(1, 5)
    program.add(Op.PRODUCT, program.slots(2 * n), n)


def _normalize(program: Program) -> None:
    n = program.rng.randint(1, 5)
    whole = [program.rng.randint(0, 3)] + ([program.rng.randint(0, 1)] if program.rng.random() < 0.5 else [])
    numbers = [program.rng.choice((0.0, 1.5, 2.2e-15))] if program.rng.random() < 0.4 else []
    program.add(Op.NORMALIZE, program.slots(n), n, whole=whole, numbers=numbers)


def _find(program: Program) -> None:
    numbers = program.rising(program.rng.randint(0, 9)) + ([math.nan] if program.rng.random() < 0.3 else [])
    program.add(Op.FIND, program.slots(1), 1, numbers=numbers)


def _bin(program: Program) -> None:
    numbers = sorted(2 * program.rising(program.rng.randint(0, 9)))
    program.add(Op.BIN, program.slots(1), 1, numbers=numbers)


def _one_hot(program: Program) -> None:
    n = program.rng.randint(0, 6)
    program.add(Op.ONE_HOT, program.slots(1), n, whole=program.table(n))


def _lookup(program: Program) -> None:
    n_rows, n_out = program.rng.randint(0, 5), program.rng.randint(1, 4)
    program.add(
        Op.LOOKUP, program.slots(1), n_out, numbers=program.numbers(n_rows * n_out), whole=program.table(n_rows)
    )


def _dot(program: Program) -> None:
    n_in, n_out = program.rng.choice((0, 1, 2, 5, 20)), program.rng.choice((1, 2, 4, 5, 9))
    program.add(Op.DOT, program.slots(n_in), n_out, numbers=program.numbers(n_out * (n_in + 1)))


def _softmax(program: Program) -> None:
    n = program.rng.randint(1, 4)
    program.add(Op.SOFTMAX, program.slots(n), n)


def _interpolate(program: Program) -> None:
    at = program.rising(program.rng.randint(1, 8), finite=True) or [0.0]
    values = [program.rng.gauss(0.0, 2.0) for _ in at]
    program.add(Op.INTERPOLATE, program.slots(1), 1, numbers=at + values)


def _average(program: Program) -> None:
    n_groups, n_out = program.rng.randint(1, 4), program.rng.randint(1, 3)
    program.add(Op.AVERAGE, program.slots(n_groups * n_out), n_out, numbers=program.numbers(n_groups + 1))


def _argmax(program: Program) -> None:
    program.add(Op.ARGMAX, program.slots(program.rng.randint(1, 6)), 1)


def _vote(program: Program) -> None:
    n = program.rng.randint(1, 6)
    weights = [program.rng.choice((1.0, 2.0, 0.5, 0.0, -1.0)) for _ in range(n)]
    program.add(Op.VOTE, program.slots(n), 1, numbers=weights, whole=[program.rng.randint(1, 5)])


def _forest(program: Program) -> None:
    if program.forests is None:
        return
    forest = program.forests.random_forest(program.rng.randrange(1 << 16))
    if forest.n_outputs == 1 and program.rng.random() < 0.4:
        forest = replace(forest, n_classes=2)
    raw = program.rng.random() < 0.5
    n_out = 2 if forest.n_classes == 2 and not raw else forest.n_outputs
    program.builder.forest(forest, np.array(program.slots(forest.n_features)), n_out, raw=raw)
    program.top += n_out


STEPS: dict[Op, Step] = {
    Op.COPY: _elementwise(Op.COPY, 0),
    Op.ADD: _elementwise(Op.ADD, 1),
    Op.SUBTRACT: _elementwise(Op.SUBTRACT, 1),
    Op.REVERSE: _elementwise(Op.REVERSE, 1),
    Op.MULTIPLY: _elementwise(Op.MULTIPLY, 1),
    Op.DIVIDE: _elementwise(Op.DIVIDE, 1),
    Op.CLIP: _clip,
    Op.REPLACE: _elementwise(Op.REPLACE, 2),
    Op.MATCHES: _elementwise(Op.MATCHES, 1),
    Op.GREATER: _elementwise(Op.GREATER, 1, choice=True),
    Op.FUNCTION: _function,
    Op.PRODUCT: _product,
    Op.NORMALIZE: _normalize,
    Op.FIND: _find,
    Op.BIN: _bin,
    Op.ONE_HOT: _one_hot,
    Op.LOOKUP: _lookup,
    Op.DOT: _dot,
    Op.FOREST: _forest,
    Op.SOFTMAX: _softmax,
    Op.INTERPOLATE: _interpolate,
    Op.AVERAGE: _average,
    Op.ARGMAX: _argmax,
    Op.VOTE: _vote,
}


def random_pipeline(
    rng: random.Random,
    forests: ModuleType | None,
    *,
    ops: Sequence[Op] = tuple(set(Op) - {Op.SOFTMAX}),
    n_steps: int | None = None,
) -> Pipeline:
    """Return a pipeline of random steps.

    Args:
        forests: the module of random forests; None for none of them.
        ops: what steps may do. Without SOFTMAX every output has the same bits in numpy and in C.
        n_steps: how many.
    """
    program = Program(rng, forests)
    for _ in range(rng.randint(0, 12) if n_steps is None else n_steps):
        STEPS[rng.choice(sorted(ops))](program)
    kind = rng.choice(("proba", "decision", "label", "value"))
    n_outputs = 0 if kind == "label" else rng.randint(2, 5)
    label = None
    if kind == "label" or (kind in {"proba", "decision"} and rng.random() < 0.5):
        program.add(Op.VOTE, program.slots(3), 1, numbers=[1.0, 1.0, 1.0], whole=[max(n_outputs, 2)])
        label = program.top - 1
    n_classes = 0 if kind == "value" else max(n_outputs, 2)
    return program.builder.pipeline(
        kind=kind,  # type: ignore[arg-type]
        outputs=np.array(program.slots(n_outputs), np.int32),
        label=label,
        classes=tuple(f"class {i}" for i in range(n_classes)),
        source="the tests",
        objective="random",
    )


def random_rows(rng: random.Random, pipeline: Pipeline, n: int) -> NDArray[np.float64]:
    """Return rows of hard numbers, codes among them."""
    pool = (*HARD, 0.0, 1.0, 2.0, 3.0, 4.0, rng.gauss(0.0, 2.0))
    return np.array([[rng.choice(pool) for _ in range(pipeline.n_features)] for _ in range(n)]).reshape(n, -1)


def same_bits(a: object, b: object) -> bool:
    """Return whether numbers are equal to the bit, all NaN being the same."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        return False
    return bool((np.isnan(a) == np.isnan(b)).all() and (a.view(np.int64) == b.view(np.int64))[~np.isnan(a)].all())
