"""The `pandas_categorical` line of a LightGBM model -> each feature's categories.

LightGBM's Python package writes one list for every column of pandas' category type, in the order of the columns, but
not which columns these are. Their names follow from the `categorical_feature` parameter only when every such column,
and no other, was trained as categorical; a model where that cannot be so is refused rather than guessed at.
"""

from __future__ import annotations

import json

from bareboat.forest.ir import Category
from bareboat.forest.readers.lightgbm_text import SAVE_AGAIN, Field, Fields, ModelText

Categories = tuple[tuple[Category, ...] | None, ...]


def feature_categories(text: ModelText, tail: Fields, infos: tuple[Field, tuple[str, ...]]) -> Categories:
    """Return for each feature the categories whose places are its codes, or None.

    Args:
        text: for messages.
        tail: the fields after the trees.
        infos: the `feature_infos` line and its words: `[min:max]`, `none`, or the codes seen, as in `-1:0:2`.
    Raises:
        ModelError: the line is cut off, or the lists cannot be told to belong to which feature.
    """
    infos_field, words = infos
    lists = _lists(text, tail)
    if not lists:
        return (None,) * len(words)
    field = tail["pandas_categorical"]
    features = _categorical_features(text, tail, words)
    if len(features) != len(lists):
        raise text.error(
            field,
            f"{len(lists)} lists of categories for {len(features)} categorical features",
            expected="one list a categorical feature, else which belongs to which is not in the file",
            fix="train on the codes instead (column.cat.codes) where a category column is ordered or left out "
            "of categorical_feature",
        )
    result: list[tuple[Category, ...] | None] = [None] * len(words)
    for feature, categories in zip(features, lists, strict=True):
        _check_codes(text, infos_field, feature, words[feature], len(categories))
        result[feature] = categories
    return tuple(result)


def _lists(text: ModelText, tail: Fields) -> list[tuple[Category, ...]]:
    if "pandas_categorical" not in tail:
        return []
    field = tail["pandas_categorical"]
    try:
        document = json.loads(field.value)
    except (ValueError, RecursionError) as error:
        raise text.error(
            field, "pandas_categorical is not JSON", "a list of lists of categories", SAVE_AGAIN
        ) from error
    if document is None:
        return []
    if not isinstance(document, list) or not all(isinstance(each, list) for each in document):
        raise text.error(field, "pandas_categorical is no list of lists", "a list of lists of categories", SAVE_AGAIN)
    for categories in document:
        for category in categories:
            if not isinstance(category, str | int | float):
                raise text.error(field, f"the category {str(category)[:40]}", "text, a number or a boolean", SAVE_AGAIN)
    return [tuple(categories) for categories in document]


def _categorical_features(text: ModelText, tail: Fields, infos: tuple[str, ...]) -> list[int]:
    if "categorical_feature" in tail:
        field = tail["categorical_feature"]
        features = text.integers(Field(field.key, field.value.replace(b",", b" "), field.line))
        if any(not 0 <= feature < len(infos) for feature in features) or len(set(features)) != len(features):
            raise text.error(field, "features in categorical_feature that do not exist", f"0 to {len(infos) - 1}")
        return sorted(features)
    return [feature for feature, info in enumerate(infos) if info != "none" and not info.startswith("[")]


def _check_codes(text: ModelText, infos_field: Field, feature: int, info: str, n_categories: int) -> None:
    if info == "none":
        return
    try:
        codes = [int(word) for word in info.split(":")]
    except ValueError:
        codes = [n_categories]
    if not -1 <= min(codes) <= max(codes) < n_categories:
        raise text.error(
            infos_field,
            f"feature {feature} was trained on {info[:40]}",
            expected=f"codes of its {n_categories} categories in pandas_categorical",
            fix="train on the codes instead (column.cat.codes)",
        )
