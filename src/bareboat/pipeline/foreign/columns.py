"""A live model -> the columns that it takes, as far as it says. Runs in the child only; imports no framework."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bareboat.pipeline.attribute import attribute

_TEXT = ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")
_DICTS = ("DictVectorizer", "FeatureHasher")
_KEEPS = ("SimpleImputer", "KNNImputer", "IterativeImputer", "StandardScaler", "MinMaxScaler", "RobustScaler")
"""Steps that hand the same columns on, unless they drop some."""


_INNER = ("best_estimator_", "estimator_", "regressor_", "transformer_", "final_estimator_", "_preprocessor")


@dataclass(slots=True)
class Seen:
    """What has been learned of one column."""

    dtype: str = "float"
    values: list[Any] | None = None
    others: bool = True
    imputed: bool = False
    used: bool = False


def names_of(model: Any) -> list[str] | None:
    """Return the names of the columns; x0, x1, ... where only their number is known, None where nothing is."""
    for name in ("feature_names_in_", "feature_name_", "feature_names_"):
        names = attribute(model, name)
        if names is not None and len(names):
            return [str(each) for each in names]
    count = attribute(model, "n_features_in_")
    return [f"x{place}" for place in range(int(count))] if count is not None else None


def first_step(model: Any) -> Any:
    """Return what the row is given to first, through pipelines and searches."""
    while True:
        inner = attribute(model, "best_estimator_")
        steps = attribute(model, "steps")
        if inner is not None:
            model = inner
        elif isinstance(steps, list) and steps and isinstance(steps[0], tuple):
            model = next((step for _, step in steps if step is not None and step != "passthrough"), None)
        else:
            return model


def last_step(model: Any) -> Any:
    """Return what predicts in the end, through pipelines and searches."""
    while True:
        inner = attribute(model, "best_estimator_")
        steps = attribute(model, "steps")
        if inner is not None:
            model = inner
        elif isinstance(steps, list) and steps and isinstance(steps[-1], tuple):
            model = steps[-1][1]
        else:
            return model


def takes_text(model: Any) -> bool:
    """Whether the rows are texts alone: the first step, or each of a union's, is a vectorizer of texts."""
    first = first_step(model)
    union = attribute(first, "transformer_list")
    if union:
        return all(takes_text(step) for _, step in union)
    return type(first).__name__ in _TEXT


def takes_objects(model: Any) -> bool:
    """Whether the rows are objects of names and values (DictVectorizer)."""
    return type(first_step(model)).__name__ in _DICTS


def columns_of(model: Any, names: list[str]) -> list[dict[str, Any]]:
    """Return name, dtype, values, others, nullable and whether any step reads it, of each column."""
    seen = [Seen() for _ in names]
    for step, places, imputed in _readers(model, list(range(len(names))), names, imputed=False):
        _learn(step, places, seen, imputed=imputed)
    takes_nan = _takes_nan(model)
    columns = []
    for name, each in zip(names, seen, strict=True):
        has_null = each.values is not None and any(_is_missing(value) for value in each.values)
        values = None if each.values is None else [_json(value) for value in each.values if not _is_missing(value)]
        columns.append(
            {
                "name": name,
                "dtype": each.dtype,
                "values": values,
                "others": each.others,
                "nullable": has_null or each.imputed or (each.others and each.dtype != "float") or takes_nan,
                "used": each.used,
            }
        )
    return columns


def all_steps(model: Any) -> Iterator[Any]:
    """Yield the model and every estimator within it that can be found by scikit-learn's own attributes."""
    waiting, met = [model], set()
    while waiting:
        each = waiting.pop()
        if each is None or isinstance(each, str | int | float) or id(each) in met:
            continue
        met.add(id(each))
        yield each
        waiting += [attribute(each, name) for name in _INNER]
        for name in ("steps", "transformers_", "transformer_list"):
            listed = attribute(each, name)
            waiting += [step[1] for step in listed if isinstance(step, tuple)] if isinstance(listed, list) else []
        for name in ("estimators_", "calibrated_classifiers_"):
            listed = attribute(each, name)
            waiting += list(listed)[:20] if isinstance(listed, list) else []


def keeps_none(model: Any) -> bool:
    """Whether a missing text was None and not NaN when the model was fitted."""
    for step in all_steps(model):
        if hasattr(step, "missing_values") and step.missing_values is None:
            return True
        for values in _categories(step) or ():
            if any(value is None for value in values):
                return True
    return False


def _readers(
    model: Any, places: list[int], names: list[str], *, imputed: bool
) -> Iterator[tuple[Any, list[int], bool]]:
    """Yield each step that reads columns of the row, with their places."""
    if model is None or isinstance(model, str):
        return
    inner = attribute(model, "best_estimator_")
    steps, transformers = attribute(model, "steps"), attribute(model, "transformers_")
    union = attribute(model, "transformer_list")
    if inner is not None:
        yield from _readers(inner, places, names, imputed=imputed)
    elif isinstance(steps, list):
        for _, step in steps:
            yield from _readers(step, places, names, imputed=imputed)
            if not _keeps(step, len(places)):
                return
            imputed = imputed or type(step).__name__.endswith("Imputer")
    elif isinstance(transformers, list):
        indices = attribute(model, "_transformer_to_input_indices") or {}
        for name, step, columns in transformers:
            chosen = indices.get(name)
            if chosen is None:
                chosen = _places(columns, names)
            read = [places[each] for each in chosen if each < len(places)]
            if step == "passthrough":
                yield step, read, imputed
            yield from _readers(step, read, names, imputed=imputed)
    elif isinstance(union, list):
        for _, step in union:
            yield from _readers(step, places, names, imputed=imputed)
    else:
        yield model, places, imputed
        inside = attribute(model, "_preprocessor")
        if inside is not None:
            yield from _readers(inside, places, names, imputed=True)


def _learn(step: Any, places: list[int], seen: list[Seen], *, imputed: bool) -> None:
    kind = type(step).__name__
    for place in places:
        seen[place].used = True
        seen[place].imputed |= imputed or kind.endswith("Imputer") or kind == "MissingIndicator"
    if kind in _TEXT:
        for place in places:
            seen[place].dtype = "string"
        return
    categorical = attribute(step, "get_cat_feature_indices")
    if callable(categorical):
        for place in categorical():
            seen[places[place]].dtype = "string"
        return
    categories = _categories(step)
    if categories is None or len(categories) != len(places):
        return
    takes_others = getattr(step, "handle_unknown", "ignore") != "error"
    for place, values in zip(places, categories, strict=True):
        column = seen[place]
        if any(isinstance(value, str) for value in values):
            column.dtype = "string"
        column.values = list(values)
        column.others = takes_others


def _categories(step: Any) -> list[list[Any]] | None:
    categories = attribute(step, "categories_")
    if not isinstance(categories, list):
        return None
    try:
        return [each.tolist() for each in categories]
    except AttributeError:
        return None


def _keeps(step: Any, count: int) -> bool:
    if step is None or isinstance(step, str):
        return True
    if type(step).__name__ not in _KEEPS or getattr(step, "add_indicator", False):
        return False
    try:
        return len(step.get_feature_names_out()) == count
    except Exception:  # noqa: BLE001 - a framework's own code
        return False


def _places(columns: Any, names: list[str]) -> list[int]:
    if isinstance(columns, str):
        columns = [columns]
    if isinstance(columns, slice):
        return list(range(len(names)))[columns]
    listed = list(columns)
    if listed and isinstance(listed[0], bool):
        return [place for place, is_chosen in enumerate(listed) if is_chosen]
    return [names.index(each) if isinstance(each, str) else int(each) for each in listed]


def _takes_nan(model: Any) -> bool:
    steps = attribute(model, "steps")
    try:
        from sklearn.utils import get_tags

        return all(
            bool(get_tags(step).input_tags.allow_nan)
            for step in ([step for _, step in steps if step not in (None, "passthrough")] if steps else [model])
        )
    except Exception:  # noqa: BLE001 - no scikit-learn, an old one, or an object that is none of its estimators
        return False


def _is_missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN alone differs from itself


def _json(value: Any) -> Any:
    return value if isinstance(value, str | bool | int | float) else str(value)
