"""Where a slot comes from: which values of which column make it missing, or cannot be answered."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from bareboat.pipeline.ir import OTHER, REFUSED, Function, Op, Step

MISSING: Literal["missing"] = "missing"

Key = float | Literal["missing"] | frozenset[float]
"""What a column may hold: a number or code, nothing, or whatever is not in a set of numbers or codes."""

Cause = tuple[int, Key]
"""A column, and what it holds when a slot is NaN."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A slot whose value depends on one column alone.

    Args:
        column: which.
        known: what the slot holds for values of the column for which that is not the value itself.
        missing: what it holds for a missing one.
        closed: whether it holds OTHER for all values that are not `known`.
    """

    column: int
    known: dict[float, float] = field(default_factory=dict)
    missing: float = math.nan
    closed: bool = False

    def replaced(self, old: float, new: float) -> Origin:
        """Return what it is after REPLACE."""
        known = {key: new if _same(value, old) else value for key, value in self.known.items()}
        if not math.isnan(old) and not self.closed:
            known.setdefault(old, new)
        return replace(self, known=known, missing=new if _same(self.missing, old) else self.missing)

    def found(self, numbers: Sequence[float]) -> Origin:
        """Return what it is after FIND."""
        places = {number: float(place) for place, number in enumerate(numbers) if not math.isnan(number)}
        nan = float(len(numbers) - 1) if len(numbers) and math.isnan(numbers[-1]) else math.nan

        def place(value: float) -> float:
            return nan if math.isnan(value) else places.get(value, OTHER)

        known = {key: place(value) for key, value in self.known.items()}
        if not self.closed:
            known = {**places, **known}
        return Origin(self.column, known, place(self.missing), closed=True)

    def keys_of(self, value: float) -> Iterator[Key]:
        """Yield what the column holds when the slot holds a number."""
        yield from (key for key, held in self.known.items() if _same(held, value))
        if not self.closed and value not in self.known:
            yield value
        if _same(self.missing, value):
            yield MISSING


@dataclass(frozen=True, slots=True)
class Places:
    """What a table of ONE_HOT or LOOKUP says of a column.

    Args:
        only: the values that can be answered, when others cannot.
        refused: what cannot be answered beside that.
        unclear: what makes an output NaN.
    """

    only: frozenset[float] | None
    refused: frozenset[Key]
    unclear: frozenset[Key]


def places_of(origin: Origin, step: Step) -> Places:
    """Read the table of a step whose input comes from one column."""
    table = step.whole[2:].tolist()
    other, missing = step.whole[:2].tolist()
    is_nan: list[bool] = []
    if step.op == Op.LOOKUP:
        is_nan = [any(map(math.isnan, row)) for row in step.numbers.reshape(-1, step.n_out).tolist()]

    def place(value: float) -> int:
        if math.isnan(value):
            return int(missing)
        return int(table[int(value)]) if 0 <= value < len(table) else int(other)

    keys: dict[Key, int] = {} if origin.closed else {float(code): place(float(code)) for code in range(len(table))}
    keys |= {key: place(value) for key, value in origin.known.items()}
    keys[MISSING] = place(origin.missing)
    numbers = {key: at for key, at in keys.items() if isinstance(key, float)}
    keys[frozenset(numbers)] = int(other)
    only = frozenset(key for key, at in numbers.items() if at != REFUSED) if other == REFUSED else None
    refused = frozenset(key for key, at in keys.items() if at == REFUSED and (only is None or key == MISSING))
    return Places(only, refused, frozenset(key for key, at in keys.items() if is_nan and at >= 0 and is_nan[at]))


def causes_of(step: Step, causes: list[frozenset[Cause]]) -> list[frozenset[Cause]]:
    """Return for each output of a step what is known to make it NaN, from what makes its inputs so."""
    nothing: frozenset[Cause] = frozenset()
    match step.op:
        case Op.COPY | Op.ADD | Op.SUBTRACT | Op.REVERSE | Op.MULTIPLY | Op.DIVIDE | Op.CLIP | Op.FUNCTION:
            return causes
        case Op.INTERPOLATE:
            return causes
        case Op.REPLACE:
            return [nothing if math.isnan(step.numbers[2 * place]) else each for place, each in enumerate(causes)]
        case Op.FIND:
            return [nothing if len(step.numbers) and math.isnan(step.numbers[-1]) else causes[0]]
        case Op.PRODUCT:
            return [a | b for a, b in zip(causes[0::2], causes[1::2], strict=True)]
        case Op.NORMALIZE | Op.SOFTMAX | Op.DOT | Op.AVERAGE:
            return [frozenset().union(*causes)] * step.n_out
        case Op.LOOKUP:
            table = step.numbers.reshape(-1, step.n_out)
            place = int(step.whole[1])
            return [causes[0] if place >= 0 and math.isnan(table[place, out]) else nothing for out in range(step.n_out)]
        case _:
            return [nothing] * step.n_out


def wild_of(step: Step, wild: list[bool], has_origin: bool) -> list[bool]:
    """Return for each output of a step whether it may be NaN or infinite where no input of the row is missing.

    What comes of overflow in plain arithmetic is left out of account.

    Args:
        wild: the same of its inputs.
        has_origin: whether its first input depends on one column alone.
    """
    match step.op:
        case Op.FUNCTION:
            return [True] * step.n_out if Function(int(step.whole[0])) in _UNBOUNDED else wild
        case Op.LOOKUP:
            table = step.numbers.reshape(-1, step.n_out)
            return [not has_origin and any(map(math.isnan, table[:, out].tolist())) for out in range(step.n_out)]
        case Op.COPY | Op.ADD | Op.SUBTRACT | Op.REVERSE | Op.MULTIPLY | Op.DIVIDE | Op.CLIP | Op.REPLACE:
            return wild
        case Op.PRODUCT:
            return [a or b for a, b in zip(wild[0::2], wild[1::2], strict=True)]
        case Op.NORMALIZE | Op.SOFTMAX | Op.DOT | Op.AVERAGE:
            return [any(wild)] * step.n_out
        case _:
            return [False] * step.n_out


_UNBOUNDED = frozenset(
    {
        Function.SQRT, Function.EXP, Function.EXPM1, Function.LOG, Function.LOG1P, Function.LOG2, Function.LOG10,
        Function.SQUARE, Function.RECIPROCAL, Function.ARCSIN, Function.ARCCOS, Function.SINH, Function.COSH,
        Function.ARCCOSH, Function.ARCTANH, Function.EXP2,
    }
)  # fmt: skip
"""Functions that give NaN or an infinity for some numbers."""


def _same(value: float, other: float) -> bool:
    return value == other or (math.isnan(value) and math.isnan(other))
