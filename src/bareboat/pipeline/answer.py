"""What an estimator answers a row with, while a model is taken apart."""

from __future__ import annotations

from dataclasses import dataclass

from bareboat.errors import ModelError
from bareboat.forest.ir import Category
from bareboat.pipeline.build import Builder
from bareboat.pipeline.ir import Kind, Op, Slots


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """All that an estimator can be asked for. Steps that nobody asks for are left out in the end.

    Args:
        classes: the labels of a classifier, in order; () for a regressor.
        proba: (n_classes,) slots of `predict_proba`, or None when it has none.
        decision: slots of `decision_function`, one for two classes, or None when it has none.
        label: the slot of the index of the class that `predict` gives; None for the first of the greatest `proba`.
        value: slots of what a regressor predicts.
    """

    classes: tuple[Category, ...] = ()
    proba: Slots | None = None
    decision: Slots | None = None
    label: int | None = None
    value: Slots | None = None

    @property
    def kind(self) -> Kind:
        """What a pipeline that ends here answers with."""
        if not self.classes:
            return "value"
        if self.proba is not None:
            return "proba"
        return "label" if self.decision is None else "decision"

    @property
    def outputs(self) -> Slots | None:
        """The slots of that; None for a label alone."""
        return {"value": self.value, "proba": self.proba, "decision": self.decision, "label": None}[self.kind]

    def index(self, builder: Builder) -> int:
        """Return the slot of the index of the predicted class."""
        if self.label is not None:
            return self.label
        assert self.proba is not None
        return int(builder.add(Op.ARGMAX, self.proba, 1)[0])

    def predicted(self, builder: Builder) -> Slots:
        """Return the slots of what `predict` gives, as numbers.

        Raises:
            ModelError: it gives labels that are no numbers.
        """
        if not self.classes:
            assert self.value is not None
            return self.value
        if any(isinstance(label, str) for label in self.classes):
            raise ModelError("labels of text where a step computes with them", expected="labels that are numbers")
        numbers = [float(label) for label in self.classes]
        places = range(len(numbers))
        return builder.add(Op.LOOKUP, [self.index(builder)], 1, numbers=numbers, whole=[-1, -1, *places])
