"""What the forest predicts -> the object that a client gets for a row."""

from __future__ import annotations

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

    __slots__ = ("is_classifier", "labels")

    def __init__(self, *, is_classifier: bool, n_classes: int, labels: Sequence[Any] | None) -> None:
        if labels is not None and len(labels) != n_classes:
            raise ArtifactError(
                f"{len(labels)} labels for a forest of {n_classes} classes",
                expected="one label for each class",
                fix="bareboat package",
            )
        self.is_classifier = is_classifier
        self.labels: Sequence[Any] = range(n_classes) if labels is None else labels

    def of(self, outputs: Sequence[float]) -> dict[str, Any]:
        """Return the answer for one row.

        Args:
            outputs: what `Forest.predict` gives: a probability for each class, or values.
        Raises:
            ValueError: an output is NaN or infinite, which JSON cannot say.
        """
        total = sum(outputs)
        if total - total != 0.0 and any(value - value != 0.0 for value in outputs):
            raise ValueError(f"the forest predicts {outputs}, which is no JSON")
        if self.is_classifier:
            best = max(range(len(outputs)), key=outputs.__getitem__)  # the first of equals, as numpy.argmax
            return {"proba": list(outputs), "label": self.labels[best]}
        return {"prediction": outputs[0] if len(outputs) == 1 else list(outputs)}
