"""What a model predicts -> the object that a client gets for a row."""

from __future__ import annotations

import json

from bareboat.errors import ArtifactError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Answer = tuple[list[float], int]  # outputs, and the index of the label; -1 for that of the greatest output

_KEYS = {"proba": "proba", "decision": "decision"}


class Answers:
    """Makes answers: what they are called depends on what the model's outputs are.

    | kind | answer |
    |---|---|
    | proba | `{"proba": [...], "label": ...}`, a probability a class |
    | decision | `{"decision": [...], "label": ...}`, the decision function |
    | label | `{"label": ...}` |
    | value | `{"prediction": x}`, or a list of several |

    Args:
        kind: as the model says.
        n_classes: of the model, 0 unless it is a classifier.
        labels: one for each class, in the model's order; None answers with the class's index.
    Raises:
        ArtifactError: the labels do not fit the model.
    """

    __slots__ = ("_label_texts", "is_classifier", "key", "kind", "labels")

    def __init__(self, *, kind: str, n_classes: int, labels: Sequence[Any] | None) -> None:
        if labels is not None and len(labels) != n_classes:
            raise ArtifactError(
                f"{len(labels)} labels for a model of {n_classes} classes",
                expected="one label for each class",
                fix="bareboat package",
            )
        self.kind = kind
        self.is_classifier = kind != "value"
        self.key = _KEYS.get(kind, "")
        self.labels: Sequence[Any] = range(n_classes) if labels is None else labels
        self._label_texts = [json.dumps(label) for label in self.labels]

    def document(self, answered: Sequence[Answer], *, are_many: bool) -> dict[str, Any]:
        """Return the answer to a request: the object of its one row, or `{"predictions": [...]}`.

        Args:
            answered: what the predictor's `answer` gives for each row.
        Raises:
            ValueError: an output is NaN or infinite, which JSON cannot say.
        """
        if are_many:
            return {"predictions": [self.object(*each) for each in answered]}
        return self.object(*answered[0])

    def text(self, answered: Sequence[Answer], *, are_many: bool) -> str:
        """Return `document` as json.dumps would write it, in a third of the time.

        Raises:
            ValueError: an output is NaN or infinite.
        """
        if are_many:
            return f'{{"predictions": [{", ".join([self._text(*each) for each in answered])}]}}'
        return self._text(*answered[0])

    def label(self, outputs: list[float], index: int) -> Any:
        """Return a classifier's label for a row."""
        return self.labels[place_of(outputs, index)]

    def object(self, outputs: list[float], index: int) -> dict[str, Any]:
        """Return the answer to one row.

        Raises:
            ValueError: an output is NaN or infinite.
        """
        total = sum(outputs)
        if total - total != 0.0:
            check_finite(outputs)
        if self.key:
            return {self.key: outputs, "label": self.labels[place_of(outputs, index)]}
        if self.is_classifier:
            return {"label": self.labels[index]}
        return {"prediction": outputs[0] if len(outputs) == 1 else outputs}

    def _text(self, outputs: list[float], index: int) -> str:
        total = sum(outputs)
        if total - total != 0.0:
            check_finite(outputs)
        # A list of finite floats is written alike by Python and by json: the shortest digits that read back the same.
        if self.key:
            place = index if index >= 0 else outputs.index(max(outputs))
            return f'{{"{self.key}": {outputs}, "label": {self._label_texts[place]}}}'
        if self.is_classifier:
            return f'{{"label": {self._label_texts[index]}}}'
        return f'{{"prediction": {outputs[0] if len(outputs) == 1 else outputs}}}'


def place_of(outputs: list[float], index: int) -> int:
    """Return the index of the label: the first of the greatest outputs, as with numpy.argmax, unless it is given."""
    return index if index >= 0 else outputs.index(max(outputs))


def none_for_nan(value: Any) -> Any:
    """Return a value, None for NaN."""
    return None if value != value else value  # noqa: PLR0124 - NaN alone differs from itself


def check_finite(outputs: list[float]) -> None:
    """Raise unless it is only their sum that is not finite."""
    if any(value - value != 0.0 for value in outputs):
        raise ValueError(f"the model predicts {outputs}, which is no JSON")
