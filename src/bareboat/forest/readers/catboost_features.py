"""`features_info` of a CatBoost model -> the features in the order of a row, and the names of categories.

CatBoost knows categories by a hash of their text, and the file has their texts only when it was saved with the pool of
the training data. A number is the same category as its text, so that both are names here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bareboat.forest.ir import Category, Rule
from bareboat.forest.readers.document import SAVE_AGAIN, Part
from bareboat.forest.readers.reader import MOST_UNNAMED

WITH_POOL = "save it with the training data: model.save_model('model.json', format='json', pool=pool)"
_KNOWN = frozenset({"float_features", "categorical_features", "cat_features_hash", "ctrs"})
_RULES = {"AsIs": Rule.NAN_LEFT, "AsFalse": Rule.NAN_LEFT, "AsTrue": Rule.NAN_RIGHT}
"""Where a missing value goes: NaN is above no border, or replaced by -inf or inf (catboost/libs/model)."""


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a model.

    Args:
        names: (n_features,) in the order of a row.
        categories: (n_features,) texts and numbers, or None for a float feature.
        floats: for each float feature its place in a row and where NaN goes.
        categorical: for each categorical feature its place in a row.
        rights: for each categorical feature {hash: bits of the codes of that category}.
    """

    names: tuple[str, ...]
    categories: tuple[tuple[Category, ...] | None, ...]
    floats: tuple[tuple[int, Rule], ...]
    categorical: tuple[int, ...]
    rights: tuple[dict[int, int], ...]


def read_features(document: Part) -> Features:
    """Read the features.

    Raises:
        ModelError: a feature is of a kind that is not read, or categories have no names.
    """
    info = document["features_info"]
    for key in info.keys() - _KNOWN:
        if key.endswith("features") and info[key].value:
            raise info[key].error(
                f"a model with {key.replace('_', ' ')}",
                "float and categorical features",
                "serve it with catboost itself",
            )
    floats = list(info["float_features"]) if "float_features" in info else []
    categorical = list(info["categorical_features"]) if "categorical_features" in info else []
    texts = _texts(info)
    places = [each["flat_feature_index"].integer(below=1 << 24) for each in floats + categorical]
    width = 1 + max(places, default=-1)
    if width > len(places) + MOST_UNNAMED:
        raise info.error(f"a feature at place {width - 1}", f"at most {MOST_UNNAMED} places without one", SAVE_AGAIN)
    names = [str(place) for place in range(width)]
    for place, each in zip(places, floats + categorical, strict=True):
        names[place] = each["feature_id"].text() or names[place]
    if len(set(names)) != width or len(set(places)) != len(places):
        raise info.error("two features of the same name or place", "each once", SAVE_AGAIN)
    categories: list[tuple[Category, ...] | None] = [None] * width
    rights: list[dict[int, int]] = []
    for each in categorical:
        known, bits = _names(each, texts)
        categories[each["flat_feature_index"].integer()] = known or None
        rights.append(bits)
    return Features(
        tuple(names),
        tuple(categories),
        tuple((each["flat_feature_index"].integer(), _rule(each["nan_value_treatment"])) for each in floats),
        tuple(each["flat_feature_index"].integer() for each in categorical),
        tuple(rights),
    )


def _rule(part: Part) -> Rule:
    if part.text() not in _RULES:
        raise part.error(f"nan_value_treatment {part.text()!r}", " or ".join(_RULES))
    return _RULES[part.text()]


def _texts(info: Part) -> dict[int, str]:
    """Return {hash: text} of all categories that the file names; two texts of one hash are the same to CatBoost."""
    if "cat_features_hash" not in info:
        return {}
    return {each["hash"].integer(below=1 << 32): each["value"].text() for each in info["cat_features_hash"]}


def _names(feature: Part, texts: dict[int, str]) -> tuple[tuple[Category, ...], dict[int, int]]:
    """Return the names of the categories that splits ask for, and the codes of each hash."""
    names: list[Category] = []
    rights: dict[int, int] = {}
    for value in feature["values"].integers().tolist() if "values" in feature else []:
        text = texts.get(value & 0xFFFFFFFF)
        if text is None:
            raise feature.error(f"a category without a name (hash {value})", "the texts of categories", WITH_POOL)
        rights[value] = 1 << len(names)
        names.append(text)
        if re.fullmatch(r"-?[1-9][0-9]{0,15}|0", text):
            rights[value] |= 1 << len(names)
            names.append(int(text))
    return tuple(names), rights
