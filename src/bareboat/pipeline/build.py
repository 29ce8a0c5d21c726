"""Collects the steps of a Pipeline while a model is taken apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Category, Ensemble
from bareboat.pipeline.ir import Column, Dtype, Kind, Op, Pipeline, Slots, Step

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
    """What has been learned of one column from the steps that read it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dtype: Dtype | None = None
        self.vocabulary: Vocabulary | None = None
        self.others = True
        self.nullable = True
        self.enum: tuple[Category, ...] | None = None
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

    def column(self) -> Column:
        """Return what has been learned."""
        return Column(
            name=self.name,
            dtype=self.dtype or "float",
            values=None if self.vocabulary is None else self.vocabulary.values,
            others=self.others,
            nullable=self.nullable,
            enum=self.enum,
            used=self.used,
        )


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

    def add(
        self,
        op: Op,
        inputs: Sequence[int] | Slots,
        n_out: int | None = None,
        *,
        numbers: object = (),
        whole: object = (),
        bound: float = 0.0,
        codes_of: Sequence[Vocabulary | None] = (),
    ) -> Slots:
        """Append a step and return the slots that it writes.

        Args:
            inputs: slots that are written already.
            n_out: how many slots it writes; None for one an input.
            numbers, whole: parameters, as `Op` says; finite where the operation allows nothing else.
            bound: as `Step.bound`.
            codes_of: of a step that hands codes on (COPY, REPLACE): the vocabulary of each output.
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
        for slot, vocabulary in zip(out.tolist(), codes_of, strict=False):
            if vocabulary is not None:
                self._vocabularies[slot] = vocabulary
        return out

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

    def is_code(self, slot: int) -> bool:
        """Whether a slot is known to hold codes."""
        column = self.input(slot)
        return (column.vocabulary is not None) if column is not None else slot in self._vocabularies

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
