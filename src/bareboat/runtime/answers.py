"""What the forest predicts -> the object that a client gets for a row."""

from __future__ import annotations

import json

from bareboat.errors import ArtifactError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Answers:
    """Makes answers: `{"proba": [...], "label": ...}` of a classifier, `{"prediction": x}` of anything else.

    Args:
        is_classifier: as the forest says.
        n_classes: of the forest, 0 unless it is a classifier.
        labels: one for each class, in the model's order; None answers with the class's index.
    Raises:
        ArtifactError: the labels do not fit the forest.
    """

    __slots__ = ("_label_texts", "is_classifier", "labels")

    def __init__(self, *, is_classifier: bool, n_classes: int, labels: Sequence[Any] | None) -> None:
        if labels is not None and len(labels) != n_classes:
            raise ArtifactError(
                f"{len(labels)} labels for a forest of {n_classes} classes",
                expected="one label for each class",
                fix="bareboat package",
            )
        self.is_classifier = is_classifier
        self.labels: Sequence[Any] = range(n_classes) if labels is None else labels
        self._label_texts = [json.dumps(label) for label in self.labels]

    def document(self, outputs: Sequence[list[float]], *, are_many: bool) -> dict[str, Any]:
        """Return the answer to a request: the object of its one row, or `{"predictions": [...]}`.

        Args:
            outputs: what `OpenForest.predict` gives for each row: a probability for each class, or values.
        Raises:
            ValueError: an output is NaN or infinite, which JSON cannot say.
        """
        if are_many:
            return {"predictions": [self._object(each) for each in outputs]}
        return self._object(outputs[0])

    def text(self, outputs: Sequence[list[float]], *, are_many: bool) -> str:
        """Return `document` as json.dumps would write it, in a third of the time.

        Raises:
            ValueError: an output is NaN or infinite.
        """
        if are_many:
            return f'{{"predictions": [{", ".join(map(self._text, outputs))}]}}'
        return self._text(outputs[0])

    def _object(self, outputs: list[float]) -> dict[str, Any]:
        total = sum(outputs)
        if total - total != 0.0:
            _check(outputs)
        if self.is_classifier:
            return {"proba": outputs, "label": self.labels[outputs.index(max(outputs))]}
        return {"prediction": outputs[0] if len(outputs) == 1 else outputs}

    def _text(self, outputs: list[float]) -> str:
        total = sum(outputs)
        if total - total != 0.0:
            _check(outputs)
        # A list of finite floats is written alike by Python and by json: the shortest digits that read back the same.
        if self.is_classifier:  # the label is the first of equals, as with numpy.argmax
            return f'{{"proba": {outputs}, "label": {self._label_texts[outputs.index(max(outputs))]}}}'
        return f'{{"prediction": {outputs[0] if len(outputs) == 1 else outputs}}}'


def _check(outputs: list[float]) -> None:
    """Raise unless it is only their sum that is not finite."""
    if any(value - value != 0.0 for value in outputs):
        raise ValueError(f"the forest predicts {outputs}, which is no JSON")
