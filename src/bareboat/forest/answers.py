"""Raw scores and outputs -> the labels, probabilities and decisions that each framework makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.ir import Category, Ensemble, Floats, Transform
from bareboat.forest.rounds import parameter_after
from bareboat.runtime.forest import OpenForest


def squeezed(values: Floats) -> Floats:
    """Return (n,) of one output, else (n, n_outputs)."""
    return values[:, 0] if values.shape[1] == 1 else values


def probabilities(ensemble: Ensemble, outputs: Floats) -> Floats:
    """Return each class's probability, (n, n_classes), of a classifier's outputs.

    The first of two classes has what is left of 1.0, in float32 where the model works in it (XGBoost).
    """
    if ensemble.n_classes == ensemble.n_outputs:
        return outputs
    second = outputs[:, 0]
    first = 1.0 - second
    if ensemble.single_sum:
        first = (np.float32(1.0) - second.astype(np.float32)).astype(np.float64)
    return np.stack([first, second], axis=1)


def has_decision_function(ensemble: Ensemble) -> bool:
    """Whether the model has scores that its classes are decided by: not a regressor, not a forest of probabilities."""
    if ensemble.transform is Transform.ISOLATION:
        return True
    return ensemble.is_classifier and not ensemble.average and ensemble.transform is not Transform.IDENTITY


def decisions(ensemble: Ensemble, raw: Floats, rounds: int) -> Floats:
    """Return the decision function of raw scores after some rounds: (n,) of two classes, else (n, n_classes)."""
    if ensemble.transform is not Transform.SAMME:
        return squeezed(raw)
    votes = raw / parameter_after(ensemble, rounds)
    return votes[:, 1] - votes[:, 0] if votes.shape[1] == 2 else votes


def decides_by_raw(ensemble: Ensemble) -> bool:
    """Whether labels are chosen by raw scores instead of probabilities, whose rounding may tie what is not equal.

    Source: sklearn/ensemble/_gb.py, _hist_gradient_boosting/gradient_boosting.py and _weight_boosting.py; LightGBM's
    and XGBoost's sklearn.py and scikit-learn's forests choose by probabilities.
    """
    return ensemble.is_classifier and (
        ensemble.transform is Transform.SAMME
        or (ensemble.source.startswith("sklearn") and ensemble.source.endswith("GradientBoostingClassifier"))
    )


def labels_of_raw(ensemble: Ensemble, raw: Floats, rounds: int) -> NDArray[Any]:
    """Return the label of each row by its raw scores: (n,)."""
    decision = decisions(ensemble, raw, rounds)
    if decision.ndim == 2:
        place = decision.argmax(axis=1)
    elif ensemble.source.endswith(" GradientBoostingClassifier"):
        place = (decision >= 0).astype(np.intp)
    else:
        place = (decision > 0).astype(np.intp)
    labels: NDArray[Any] = class_labels(ensemble)[place]
    return labels


def labels_of_outputs(ensemble: Ensemble, outputs: Floats) -> NDArray[Any]:
    """Return the label of each row by its outputs, (n,); of an isolation forest 1, or -1 for an outlier."""
    if ensemble.transform is Transform.ISOLATION:
        return np.where(outputs[:, 0] < 0, -1, 1)
    place = outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(np.intp)
    labels: NDArray[Any] = class_labels(ensemble)[place]
    return labels


def class_labels(ensemble: Ensemble) -> NDArray[Any]:
    """Return the labels, or 0, 1, ... where the source has none: (n_classes,)."""
    return label_array(ensemble.classes or tuple(range(ensemble.n_classes)))


def label_array(labels: Sequence[Category]) -> NDArray[Any]:
    """Return labels as an array of their own type, or of objects where there are several types: (n_classes,)."""
    if len({type(label) for label in labels}) == 1:
        return np.array(labels)
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    return array


def row_answer(ensemble: Ensemble, kernel: OpenForest) -> Callable[[Any], Any]:
    """Return the function that answers one row of numbers as `predict` does, without arrays."""
    raw_score, outputs, score = kernel.raw_score, kernel.predict, kernel.score
    labels = class_labels(ensemble).tolist() if ensemble.is_classifier else []
    if decides_by_raw(ensemble):
        rounds = ensemble.n_rounds
        return lambda row: labels_of_raw(ensemble, np.array([raw_score(row)]), rounds).tolist()[0]
    if ensemble.transform is Transform.ISOLATION:
        return lambda row: -1 if score(row) < 0 else 1
    if labels and ensemble.n_outputs == 1:
        return lambda row: labels[score(row) > 0.5]
    if labels:
        return lambda row: labels[(found := outputs(row)).index(max(found))]
    return score if ensemble.n_outputs == 1 else outputs
