"""The `pandas_categorical` lists of a LightGBM model -> each feature's categories.

LightGBM's Python package writes one list for every column of pandas' category type, in the order of the columns, but
not which columns these are. They follow from what was trained as categorical only when every such column, and no other,
was; a model where that cannot be so is refused rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bareboat.errors import ModelError
from bareboat.forest.ir import Category

Categories = tuple[tuple[Category, ...] | None, ...]
SAVE_AGAIN = "copy or save the model again"


def feature_categories(
    document: object,
    features: Sequence[int],
    codes: Sequence[Sequence[int] | None],
    refuse_lists: Callable[[str, str, str], ModelError],
    refuse_codes: Callable[[str, str, str], ModelError],
) -> Categories:
    """Return for each feature the categories whose places are its codes, or None.

    Args:
        document: the lists as JSON has them, or None.
        features: those that were trained as categorical, rising.
        codes: (n_features,) the codes that each was trained on, or None for a numeric or constant feature.
        refuse_lists: makes the error of wrong lists, from what was found, expected and the fix.
        refuse_codes: the same of wrong codes.
    Raises:
        ModelError: the lists are none, or cannot be told to belong to which feature.
    """
    lists = _lists(document, refuse_lists)
    if not lists:
        return (None,) * len(codes)
    if len(features) != len(lists):
        raise refuse_lists(
            f"{len(lists)} lists of categories for {len(features)} categorical features",
            "one list a categorical feature, else which belongs to which is not in the file",
            "train on the codes instead (column.cat.codes) where a category column is ordered or left out "
            "of categorical_feature",
        )
    result: list[tuple[Category, ...] | None] = [None] * len(codes)
    for feature, categories in zip(features, lists, strict=True):
        own = codes[feature]
        if own is not None and not -1 <= min(own) <= max(own) < len(categories):
            raise refuse_codes(
                f"feature {feature} was trained on {':'.join(map(str, own))[:40]}",
                f"codes of its {len(categories)} categories in pandas_categorical",
                "train on the codes instead (column.cat.codes)",
            )
        result[feature] = categories
    return tuple(result)


def doubts(
    names: Sequence[str], categories: Categories, ranges: Sequence[tuple[float, float] | None]
) -> tuple[str, ...]:
    """Return a note when a numeric feature looks like the codes of a list that was given to another feature.

    Whoever names `categorical_feature` without a category column trains that column on its codes as numbers. The file
    then does not tell this from the usual case.

    Args:
        names: of the features.
        categories: as `feature_categories` has placed them.
        ranges: (n_features,) the least and the greatest value of each numeric feature, or None.
    """
    spans = {(0.0, len(each) - 1.0) for each in categories if each}
    alike = [name for name, span in zip(names, ranges, strict=True) if span in spans]
    if not alike:
        return ()
    owners = [name for name, each in zip(names, categories, strict=True) if each]
    note = (
        f"the categories of pandas are taken to be those of {', '.join(owners)[:200]}, the categorical features; "
        f"{', '.join(alike)[:200]} may be codes too: if it was a category column, compare a prediction"
    )
    return (note,)


def _lists(document: object, refuse: Callable[[str, str, str], ModelError]) -> list[tuple[Category, ...]]:
    if document is None:
        return []
    if not isinstance(document, list) or not all(isinstance(each, list) for each in document):
        raise refuse("pandas_categorical is no list of lists", "a list of lists of categories", SAVE_AGAIN)
    for categories in document:
        for category in categories:
            if not isinstance(category, str | int | float):
                raise refuse(f"the category {str(category)[:40]}", "text, a number or a boolean", SAVE_AGAIN)
    return [tuple(categories) for categories in document]
