"""Collects the steps of a Pipeline while a model is taken apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Category, Ensemble
from bareboat.pipeline.ir import REFUSED, Column, Dtype, Kind, Op, Pipeline, Slots, Step
from bareboat.pipeline.origin import MISSING, Cause, Key, Origin, Places, causes_of, places_of, wild_of

Value = Category | None


class Vocabulary:
    """The values of one column by code, numbered as they are met. NaN is no value: it is a missing one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.codes: dict[tuple[bool, Value], int] = {}

    def code(self, value: Value) -> float:
        """Return the code of a value, which is new or known."""
        return float(self.codes.setdefault((isinstance(value, bool), value), len(self.codes)))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values by code."""
        return tuple(value for _, value in self.codes)


class Input:
    """What has been learned of one column from the steps that read it.

    Attributes:
        others: whether a value that no step knows can be answered.
        nullable: whether a missing value can be answered.
        allowed: the codes or numbers that can be answered; None for any.
        refused: those that cannot.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dtype: Dtype | None = None
        self.vocabulary: Vocabulary | None = None
        self.others = True
        self.nullable = True
        self.allowed: set[float] | None = None
        self.refused: set[float] = set()
        self.used = False

    def as_number(self, dtype: Dtype = "float") -> None:
        """Note that a step computes with the column.

        Raises:
            ModelError: another step reads its values as text.
        """
        self.used = True
        if self.vocabulary is not None:
            raise _both(self.name)
        if self.dtype in (None, "float"):
            self.dtype = dtype

    def as_code(self, dtype: Dtype = "string") -> Vocabulary:
        """Note that a step asks the column for equal values, and return its vocabulary.

        Raises:
            ModelError: another step computes with it.
        """
        self.used = True
        if self.vocabulary is None:
            if self.dtype is not None:
                raise _both(self.name)
            self.vocabulary = Vocabulary(self.name)
            self.dtype = dtype
        return self.vocabulary

    def only(self, values: Iterable[float]) -> None:
        """Note that no other codes or numbers can be answered."""
        self.others = False
        self.allowed = set(values) if self.allowed is None else self.allowed & set(values)

    def refuse(self, key: Key) -> None:
        """Note that something cannot be answered."""
        if key == MISSING:
            self.nullable = False
        elif isinstance(key, frozenset):
            self.only(key)
        else:
            self.refused.add(key)

    def column(self) -> Column:
        """Return what has been learned."""
        values = None if self.vocabulary is None else self.vocabulary.values
        dtype = self.dtype or "float"
        if self.dtype is None and self.used:  # all that matters is whether it is missing
            values, dtype = (), "category"
        if values is None:
            enum, nullable = self._numbers(), self.nullable
        else:
            answered = [self._is_answered(float(code)) for code in range(len(values))]
            kept = [value for value, is_answered in zip(values, answered, strict=True) if is_answered]
            enum = None if len(kept) == len(values) else tuple(value for value in kept if value is not None)
            nullable = answered[values.index(None)] if None in values else self.nullable
            if dtype == "string" and not all(value is None or isinstance(value, str) for value in values):
                dtype = "category"
        return Column(
            name=self.name,
            dtype=dtype,
            values=values,
            others=self.others,
            nullable=nullable,
            enum=enum,
            used=self.used,
        )

    def _is_answered(self, value: float) -> bool:
        return (self.allowed is None or value in self.allowed) and value not in self.refused

    def _numbers(self) -> tuple[Category, ...] | None:
        if self.allowed is None:
            return None
        numbers = sorted(self.allowed - self.refused)
        if self.dtype == "bool":
            return tuple(bool(number) for number in numbers) if len(numbers) < 2 else None
        return tuple(int(number) if self.dtype == "int" else number for number in numbers)


class Builder:
    """Numbers slots and keeps steps.

    Attributes:
        inputs: one for each column of the model; slot `i` is `inputs[i]` for as long as i < len(inputs).
    """

    def __init__(self, feature_names: Sequence[str]) -> None:
        self.inputs = tuple(Input(name) for name in feature_names)
        self.forests: list[Ensemble] = []
        self.notes: list[str] = []
        self._steps: list[Step] = []
        self._top = len(self.inputs)
        self._vocabularies: dict[int, Vocabulary] = {}
        self._wild: set[int] = set()
        self._guarded: set[int] = set()
        self._origins = {slot: Origin(slot) for slot in range(self._top)}
        self._causes: dict[int, frozenset[Cause]] = {slot: frozenset({(slot, MISSING)}) for slot in range(self._top)}

    def add(
        self,
        op: Op,
        inputs: Sequence[int] | Slots,
        n_out: int | None = None,
        *,
        numbers: object = (),
        whole: object = (),
        bound: float = 0.0,
    ) -> Slots:
        """Append a step and return the slots that it writes.

        Args:
            inputs: slots that are written already.
            n_out: how many slots it writes; None for one an input.
            numbers, whole: parameters, as `Op` says; finite where the operation allows nothing else.
            bound: as `Step.bound`.
        """
        slots = np.asarray(inputs, np.int32).reshape(-1)
        assert not len(slots) or (slots.min() >= 0 and slots.max() < self._top)
        count = len(slots) if n_out is None else n_out
        step = Step(
            op,
            slots,
            count,
            np.array(numbers, np.float64).reshape(-1),
            np.array(whole, np.int64).reshape(-1),
            bound,
        )
        self._steps.append(step)
        out = np.arange(self._top, self._top + count, dtype=np.int32)
        self._top += count
        self._learn(step, out.tolist())
        return out

    def _learn(self, step: Step, out: list[int]) -> None:
        """Note what is known of the slots that a step writes, and what it cannot answer."""
        inputs = step.inputs.tolist()
        is_wild = wild_of(
            step, [each in self._wild for each in inputs], inputs[0] in self._origins if inputs else False
        )
        self._wild.update(slot for slot, each in zip(out, is_wild, strict=True) if each)
        for slot, causes in zip(out, causes_of(step, [self._causes[each] for each in inputs]), strict=True):
            self._causes[slot] = causes
        if step.op in (Op.COPY, Op.REPLACE):
            for place, (slot, source) in enumerate(zip(out, inputs, strict=True)):
                vocabulary = self._vocabulary_of(source)
                if vocabulary is not None:
                    self._vocabularies[slot] = vocabulary
                origin = self._origins.get(source)
                if origin is not None:
                    pair = step.numbers[2 * place : 2 * place + 2].tolist()
                    self._origins[slot] = origin.replaced(*pair) if pair else origin
        elif step.op == Op.FIND and inputs[0] in self._origins:
            self._origins[out[0]] = self._origins[inputs[0]].found(step.numbers.tolist())
        elif step.op in (Op.ONE_HOT, Op.LOOKUP) and inputs[0] in self._origins:
            origin = self._origins[inputs[0]]
            places = places_of(origin, step)
            self._restrict(origin.column, places)
            unclear = frozenset((origin.column, key) for key in places.unclear)
            for slot in out:
                self._causes[slot] |= unclear

    def _restrict(self, column: int, places: Places) -> None:
        given = self.inputs[column]
        if places.only is not None:
            given.only(places.only)
        for key in places.refused:
            given.refuse(key)

    def refuse_missing(self, slots: Slots) -> None:
        """Note that a step cannot answer NaN in these slots: whatever makes one of them NaN is refused at the door."""
        for slot in slots.tolist():
            for column, key in self._causes[slot]:
                self.inputs[column].refuse(key)
        self._guard([slot for slot in slots.tolist() if slot in self._wild])

    def refuse_infinite(self, slots: Slots) -> None:
        """Note that a step cannot answer infinities in these slots, though it can answer NaN."""
        wild = [slot for slot in slots.tolist() if slot in self._wild]
        if wild:
            self._guard(self.add(Op.REPLACE, wild, numbers=[math.nan, 0.0] * len(wild)).tolist())

    def _guard(self, slots: list[int]) -> None:
        """Refuse rows for which a function has given NaN or an infinity: both are NaN once they are taken times 0."""
        new = [slot for slot in slots if slot not in self._guarded]
        self._guarded.update(new)
        if new:
            for slot in self.add(Op.MULTIPLY, new, numbers=[0.0] * len(new)).tolist():
                self.add(Op.LOOKUP, [slot], 1, numbers=[0.0], whole=[0, REFUSED, 0])

    def refuse(self, slot: int, value: float) -> None:
        """Note that a step cannot answer a number or code, which may be NaN, in a slot."""
        origin = self._origins.get(slot)
        if math.isnan(value):
            self.refuse_missing(np.array([slot], np.int32))
        elif origin is not None:
            for key in origin.keys_of(value):
                self.inputs[origin.column].refuse(key)

    def forest(self, ensemble: Ensemble, inputs: Slots, n_out: int, *, raw: bool = False) -> Slots:
        """Append a FOREST step; n_out is n_outputs, or 2 for the probabilities of a binary classifier of one output."""
        self.forests.append(ensemble)
        return self.add(Op.FOREST, inputs, n_out, whole=[len(self.forests) - 1, int(not raw)])

    def input(self, slot: int) -> Input | None:
        """Return the column that a slot is, or None when a step has written it."""
        return self.inputs[slot] if slot < len(self.inputs) else None

    def vocabulary(self, slot: int, dtype: Dtype = "string") -> Vocabulary | None:
        """Return the vocabulary of a slot that holds codes, made for a column that nothing has read yet; None for a
        slot of numbers that a step has written.

        Raises:
            ModelError: the slot is a column that another step computes with.
        """
        column = self.input(slot)
        if column is not None:
            return column.as_code(dtype)
        return self._vocabularies.get(slot)

    def touch(self, slot: int) -> None:
        """Note that a step reads a slot, as numbers or as text: another step tells which."""
        column = self.input(slot)
        if column is not None:
            column.used = True

    def is_code(self, slot: int) -> bool:
        """Whether a slot is known to hold codes."""
        return self._vocabulary_of(slot) is not None

    def _vocabulary_of(self, slot: int) -> Vocabulary | None:
        column = self.input(slot)
        return column.vocabulary if column is not None else self._vocabularies.get(slot)

    def numbers(self, slots: Slots) -> None:
        """Note that a step computes with these slots.

        Raises:
            ModelError: one of them holds codes.
        """
        for slot in slots.tolist():
            column = self.input(slot)
            if column is not None:
                column.as_number()
            elif slot in self._vocabularies:
                raise _both(self._vocabularies[slot].name)

    def pipeline(
        self,
        *,
        kind: Kind,
        outputs: Slots,
        source: str,
        objective: str,
        label: int | None = None,
        classes: Sequence[Category] = (),
    ) -> Pipeline:
        """Return what has been built."""
        return Pipeline(
            columns=tuple(each.column() for each in self.inputs),
            steps=tuple(self._steps),
            forests=tuple(self.forests),
            kind=kind,
            outputs=np.asarray(outputs, np.int32),
            label=label,
            classes=tuple(classes),
            source=source,
            objective=objective,
            notes=tuple(dict.fromkeys(self.notes)),
        )


def _both(name: str) -> ModelError:
    return ModelError(
        f"the column {name!r} is read as numbers by one step and as text by another",
        expected="one of them",
        fix="take engine: framework for this model",
    )
