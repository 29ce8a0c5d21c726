"""What every scikit-learn estimator tells about itself: attributes, features, class labels, version."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import Category

OLDEST = (1, 4)
NEWEST = (1, 9)
"""The releases whose attributes these readers know. Before 1.4 trees held counts, and HistGradientBoosting had no
preprocessor."""


def name_of(estimator: Any) -> str:
    """Return an estimator's class, as messages name it."""
    return type(estimator).__name__


def attribute(estimator: Any, name: str) -> Any:
    """Return an attribute that fitting sets.

    Raises:
        ModelError: there is none: the estimator is not fitted, or another release of scikit-learn fitted it.
    """
    try:
        return getattr(estimator, name)
    except AttributeError as error:
        fitted = any(each.endswith("_") and not each.startswith("_") for each in vars(estimator))
        raise ModelError(
            f"{name_of(estimator)} has no {name}" + ("" if fitted else ": it is not fitted"),
            expected=f"a fitted estimator of scikit-learn {_dotted(OLDEST)} to {_dotted(NEWEST)}",
            fix="fit it again with the scikit-learn that is installed here" if fitted else "call its fit first",
        ) from error


def check_version() -> str:
    """Return the version of the scikit-learn that is installed.

    Raises:
        ModelError: it is not one that these readers know.
    """
    import sklearn

    version = str(sklearn.__version__)
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or not OLDEST <= (int(numbers[1]), int(numbers[2])) <= NEWEST:
        raise ModelError(
            f"scikit-learn {version}",
            expected=f"{_dotted(OLDEST)} to {_dotted(NEWEST)}, whose trees are known here",
            fix="upgrade bareboat, or fit the model with a scikit-learn in between",
        )
    return version


def feature_names(estimator: Any) -> tuple[str, ...]:
    """Return the names that the estimator was fitted with, or x0, x1, ... as scikit-learn calls nameless ones."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return tuple(f"x{feature}" for feature in range(int(attribute(estimator, "n_features_in_"))))
    return tuple(str(name) for name in names)


def class_labels(estimator: Any) -> tuple[Category, ...]:
    """Return `classes_` as plain text, numbers and booleans.

    Raises:
        ModelError: several outputs, a single class, or labels of another type.
    """
    labels = attribute(estimator, "classes_")
    if isinstance(labels, list):
        raise ModelError(
            f"{name_of(estimator)} of {len(labels)} outputs, each with classes of its own",
            expected="a classifier of one output",
            fix="fit one classifier for each output",
        )
    result = tuple(_plain(estimator, label) for label in np.asarray(labels).tolist())
    if len(result) < 2:
        raise ModelError(
            f"{name_of(estimator)} of {len(result)} class",
            expected="two classes or more",
            fix="fit it on rows of more than one class",
        )
    return result


def _plain(estimator: Any, label: object) -> Category:
    plain = label.item() if isinstance(label, np.generic) else label
    if not isinstance(plain, str | int | float):
        raise ModelError(
            f"a class of {name_of(estimator)} is {str(label)[:40]}, of type {type(label).__name__}",
            expected="text, a number or a boolean",
            fix="fit it on such labels",
        )
    return str(plain) if isinstance(plain, str) else plain


def refuse_option(estimator: Any, option: str, value: object, expected: str, fix: str = "") -> ModelError:
    """Return the error for a parameter with which this estimator does not predict as trees alone do."""
    shown = value if isinstance(value, str | int | float) else type(value).__name__
    return ModelError(f"{name_of(estimator)} with {option}={shown}", expected=expected, fix=fix)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
