"""A live model object -> Ensemble, by the name of its class. `readers/reader.py` says how to add an opener."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.forest.ir import Category, Ensemble, Transform
from bareboat.forest.readers.catboost_model import CATBOOST_MODEL
from bareboat.forest.readers.lightgbm_model import LIGHTGBM_MODEL
from bareboat.forest.readers.reader import Opener, SavedModel
from bareboat.forest.readers.sklearn import SKLEARN_ESTIMATOR
from bareboat.forest.readers.xgboost_model import XGBOOST_MODEL

OPENERS: tuple[Opener, ...] = (LIGHTGBM_MODEL, SKLEARN_ESTIMATOR, XGBOOST_MODEL, CATBOOST_MODEL)

_NOT_YET = {
    ("sklearn", "Pipeline"): "give its last step: pipeline[-1]; its other steps are no trees",
    ("sklearn", "BaseSearchCV"): "give its best_estimator_",
    ("builtins", "dict"): "save the model alone, without what is around it",
    ("builtins", "list"): "save the model alone, without what is around it",
    ("builtins", "tuple"): "save the model alone, without what is around it",
}
_OTHERS = "give a model of trees; what else there is, a handler of your own can serve"


def opened(model: Any) -> Ensemble | SavedModel:
    """Take a model object apart.

    Raises:
        ModelError: its class is not known, or it cannot be read; `where` is "".
    """
    kind = type(model)
    home = package(kind)
    for opener in OPENERS:
        for base in kind.__mro__:
            if base.__name__ in opener.classes and package(base) == opener.package:
                if home != opener.package:
                    raise ModelError(
                        f"an object of {class_name(kind)}, which derives from {base.__name__}",
                        expected=f"a class of {opener.package} itself: another one may predict otherwise",
                        fix=f"give a {base.__name__}",
                    )
                return opener.open(model)
    cures = [_NOT_YET[key] for base in kind.__mro__ if (key := (package(base), base.__name__)) in _NOT_YET]
    raise ModelError(
        f"an object of {class_name(kind)}", expected="one of " + known_classes(), fix=cures[0] if cures else _OTHERS
    )


def package(kind: type) -> str:
    """Return the top-level package of a class."""
    return str(kind.__module__).partition(".")[0]


def class_name(kind: type) -> str:
    """Return `module.qualname`, as a person finds the class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def known_classes() -> str:
    """Return the names of all classes that have an opener, for a message."""
    return "; ".join(f"{opener.package}: {', '.join(opener.classes)}" for opener in OPENERS)


def read_saved(where: Path, saved: SavedModel) -> Ensemble:
    """Read what an opener has saved, with the reader that knows it, and add what the format lacks.

    Raises:
        ModelError: no reader knows the bytes, or there are not as many labels as classes.
    """
    from bareboat.forest.readers.files import READERS
    from bareboat.forest.readers.reader import HEAD_BYTES

    readers = [reader for reader in READERS if reader.whole and reader.matches(saved.data[:HEAD_BYTES])]
    if not readers:
        raise ModelError(
            "the framework saved the model in a format that is not known here",
            expected=" or ".join(reader.name for reader in READERS if reader.whole),
            where=str(where),
        )
    ensemble = readers[0].read(where, saved.data)
    return _labelled(where, replace(ensemble, notes=ensemble.notes + saved.notes), saved.classes)


def _labelled(where: Path, ensemble: Ensemble, classes: tuple[Category, ...]) -> Ensemble:
    """Give a classifier its labels. One of two classes whose one output is a sigmoid's is binary by any objective."""
    if not classes:
        return ensemble
    if not ensemble.n_classes:
        if len(classes) == 2 and ensemble.n_outputs == 1 and ensemble.transform is Transform.SIGMOID:
            return replace(ensemble, n_classes=2, classes=classes)
        note = f"the objective {ensemble.objective} gives no probabilities of classes: the labels are left out"
        return replace(ensemble, notes=(*ensemble.notes, note))
    if len(classes) != ensemble.n_classes:
        raise ModelError(
            f"{len(classes)} labels for a model of {ensemble.n_classes} classes",
            expected="a label for each class",
            where=str(where),
        )
    return replace(ensemble, classes=classes)


def plain_labels(labels: Any) -> tuple[Category, ...]:
    """Return class labels (an array or a sequence) as Python's str, int, bool and float.

    Raises:
        ModelError: a label is of another type.
    """
    result: list[Category] = []
    for label in labels.tolist() if hasattr(labels, "tolist") else labels:
        plain = label.item() if hasattr(label, "item") else label
        if not isinstance(plain, str | int | float):
            raise ModelError(
                f"a class label of {class_name(type(label))}: {str(label)[:40]}",
                expected="text, a number or a boolean",
                fix="train on such labels, or on their codes",
            )
        result.append(str(plain) if isinstance(plain, str) else plain)
    return tuple(result)
