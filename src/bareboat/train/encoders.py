"""Features -> a scikit-learn transformer for estimators that take numbers alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from bareboat.train.fitted import Fitting
from bareboat.train.installed import need


def encoder(fitting: Fitting, *, impute: bool) -> Any:
    """Return a ColumnTransformer: a column for each category, and numbers as they are.

    Args:
        impute: whether missing numbers are replaced by the median of their column, with a further column that says
            where; else they stay NaN. A missing category is a category; where rare categories are learned as missing,
            it is none of them, as one is that nobody has seen.
    """
    compose = need("sklearn.compose", "encodes categories")
    preprocessing = need("sklearn.preprocessing", "encodes categories")
    parts: list[tuple[str, Any, list[str]]] = []
    whole = [feature.safe for feature in fitting.features if feature.is_category and not feature.rare]
    cut = [feature for feature in fitting.features if feature.rare]
    if whole:
        one_hot = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        parts.append(("categories", one_hot, whole))
    if cut:
        known = [np.array(feature.categories, object) for feature in cut]
        one_hot = preprocessing.OneHotEncoder(categories=known, handle_unknown="ignore", sparse_output=False)
        parts.append(("most_categories", one_hot, [feature.safe for feature in cut]))
    numbers = [feature.safe for feature in fitting.features if not feature.is_category]
    holed = [feature.safe for feature in fitting.features if not feature.is_category and feature.is_nullable]
    if impute and holed:
        imputer = need("sklearn.impute", "fills in missing values").SimpleImputer(strategy="median", add_indicator=True)
        parts.append(("holed", imputer, holed))
        numbers = [name for name in numbers if name not in holed]
    if numbers:
        parts.append(("numbers", "passthrough", numbers))
    return compose.ColumnTransformer(parts, sparse_threshold=0.0, verbose_feature_names_out=False)


def texts(frame: Any) -> Any:
    """Return a data frame whose categories are plain values, as encoders take them."""
    frame = frame.copy()
    for name in frame.columns:
        if str(frame[name].dtype) == "category":
            column = frame[name].astype(object)
            frame[name] = column.where(column.notna(), None)
    return frame


def prepared(transformer: Any, frame: Any) -> Any:
    """Return what an estimator is given of a data frame: the frame itself when nothing is encoded."""
    return frame if transformer is None else transformer.transform(texts(frame))


def by_feature(fitting: Fitting, transformer: Any, importances: Any) -> list[float]:
    """Add the importances of encoded columns up to those of the features: (n_features,)."""
    total = {feature.safe: 0.0 for feature in fitting.features}
    place = 0
    for name, part, columns in transformer.transformers_:
        widths = _widths(name, part, columns)
        for column, width in widths:
            total[column] += float(sum(importances[place : place + width]))
            place += width
    return [total[feature.safe] for feature in fitting.features]


def _widths(name: str, part: Any, columns: list[str]) -> list[tuple[str, int]]:
    if name in {"categories", "most_categories"}:
        return [(column, len(known)) for column, known in zip(columns, part.categories_, strict=True)]
    widths = [(column, 1) for column in columns]
    if name == "holed":
        widths += [(columns[which], 1) for which in part.indicator_.features_]
    return widths
