"""LightGBM's text model (Booster.save_model, versions v3 and v4) -> Ensemble.

Source: microsoft/LightGBM, src/boosting/gbdt_model_text.cpp, src/io/tree.cpp, include/LightGBM/tree.h and
src/objective/ (4.7.0). What is not named there is refused. A saved model holds the rounds up to best_iteration, since
that is what save_model writes by default.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np

from bareboat.forest.ir import Ensemble, Trees
from bareboat.forest.readers.lightgbm_categories import Categories, doubts, feature_categories
from bareboat.forest.readers.lightgbm_objective import Objective, parse_objective
from bareboat.forest.readers.lightgbm_text import SAVE_AGAIN, Field, Fields, ModelText
from bareboat.forest.readers.lightgbm_tree import read_trees
from bareboat.forest.readers.reader import Reader

VERSIONS = ("v3", "v4")
_HEADER = """
version num_class num_tree_per_iteration label_index max_feature_idx objective average_output feature_names
monotone_constraints feature_infos tree_sizes
"""
HEADER_KEYS = frozenset(_HEADER.split())


def _matches(head: bytes) -> bool:
    return head.startswith((b"tree\n", b"tree\r\n"))


def _read(path: Path, data: bytes) -> Ensemble:
    text = ModelText(path, data)
    text.next_line()  # "tree"
    header = text.fields(HEADER_KEYS, "the header")
    _check_version(text, header)
    names = _feature_names(text, header)
    infos = _feature_infos(text, header, len(names))
    objective = _objective(text, header)
    sizes = text.integers(header.need("tree_sizes"))
    _check_tree_count(text, header.need("tree_sizes"), len(sizes), objective)
    trees = read_trees(text, sizes, len(names), objective.n_outputs)
    categories = _categories(text, text.tail(), infos)
    return lightgbm_ensemble(
        names,
        categories,
        objective,
        trees,
        version=header.need("version").text(),
        average="average_output" in header,
        notes=doubts(names, categories, [_range(word) for word in infos[1]]),
    )


def lightgbm_ensemble(
    names: tuple[str, ...],
    categories: Categories,
    objective: Objective,
    trees: Trees,
    *,
    version: str,
    average: bool,
    notes: tuple[str, ...],
) -> Ensemble:
    """Return what LightGBM computes of these trees, whatever file they stood in."""
    return Ensemble(
        feature_names=names,
        categories=categories,
        objective=objective.name,
        source=f"lightgbm {version}",
        transform=objective.transform,
        parameters=(objective.parameter,),
        n_classes=objective.n_classes,
        n_outputs=objective.n_outputs,
        trees=trees,
        trees_per_round=objective.n_outputs,
        base=np.zeros(objective.n_outputs),
        average=average,
        tiny_is_zero=True,
        notes=notes,
    )


def _objective(text: ModelText, header: Fields) -> Objective:
    num_class = text.integer(header.need("num_class"), at_least=1)
    field = header.need("num_tree_per_iteration")
    n_outputs = text.integer(field, at_least=1)
    if n_outputs != num_class:
        raise text.error(field, f"num_tree_per_iteration={n_outputs}", expected=f"{num_class}, as num_class says")
    if "objective" not in header:
        return parse_objective(None, n_outputs, lambda found, expected: text.error(field, found, expected))
    line = header["objective"]
    return parse_objective(line.text(), n_outputs, lambda found, expected: text.error(line, found, expected))


def _categories(text: ModelText, tail: Fields, infos: tuple[Field, tuple[str, ...]]) -> Categories:
    """Place the lists of `pandas_categorical`.

    A word of `feature_infos` is `[min:max]`, `none`, or the codes seen, as in `-1:0:2`. The parameters name the
    categorical features, constant ones among them; a model that was saved again after loading may lack them.
    """
    infos_field, words = infos
    field = tail.get("pandas_categorical")
    if field is None:
        return (None,) * len(words)
    codes = [
        [int(code) for code in word.split(":")] if re.fullmatch(r"-?\d{1,10}(:-?\d{1,10})*", word) else None
        for word in words
    ]
    features = [feature for feature, own in enumerate(codes) if own is not None]
    if "categorical_feature" in tail:
        named = tail["categorical_feature"]
        features = sorted(text.integers(Field(named.key, named.value.replace(b",", b" "), named.line)))
        if any(not 0 <= feature < len(words) for feature in features) or len(set(features)) != len(features):
            raise text.error(named, "features in categorical_feature that do not exist", f"0 to {len(words) - 1}")
    try:
        document = json.loads(field.value)
    except (ValueError, RecursionError) as error:
        raise text.error(
            field, "pandas_categorical is not JSON", "a list of lists of categories", SAVE_AGAIN
        ) from error
    return feature_categories(
        document,
        features,
        codes,
        lambda found, expected, fix: text.error(field, found, expected, fix),
        lambda found, expected, fix: text.error(infos_field, found, expected, fix),
    )


def _range(word: str) -> tuple[float, float] | None:
    """Read `[min:max]` of `feature_infos`; None for a word of another kind."""
    try:
        low, high = map(float, word[1:-1].split(":")) if word.startswith("[") else (math.nan, math.nan)
    except ValueError:
        return None
    return (low, high)


def _check_version(text: ModelText, header: Fields) -> None:
    version = header.need("version")
    if version.text() not in VERSIONS:
        raise text.error(
            version,
            f"version={version.text()}",
            expected=" or ".join(VERSIONS),
            fix="load the model with lightgbm 4 and save it again: Booster(model_file=...).save_model(...)",
        )


def _feature_names(text: ModelText, header: Fields) -> tuple[str, ...]:
    field = header.need("feature_names")
    names = tuple(field.text().split(" ")) if field.value else ()
    n_features = text.integer(header.need("max_feature_idx")) + 1
    if len(names) != n_features or not names or "" in names:
        raise text.error(
            field, f"{len(names)} feature names", expected=f"{n_features}, as max_feature_idx={n_features - 1} says"
        )
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise text.error(field, f"the feature name {twice!r} stands twice", expected="each name once")
    return names


def _feature_infos(text: ModelText, header: Fields, n_features: int) -> tuple[Field, tuple[str, ...]]:
    field = header.need("feature_infos")
    infos = tuple(field.text().split())
    if len(infos) != n_features:
        raise text.error(field, f"{len(infos)} feature_infos", expected=f"{n_features}, one a feature")
    return field, infos


def _check_tree_count(text: ModelText, field: Field, n_trees: int, objective: Objective) -> None:
    if n_trees == 0:
        raise text.error(field, "a model without trees", expected="at least one tree", fix="train for a round or more")
    if n_trees % objective.n_outputs:
        raise text.error(
            field,
            f"{n_trees} trees",
            expected=f"a multiple of {objective.n_outputs}, as num_tree_per_iteration says",
        )


LIGHTGBM_TEXT = Reader(name="LightGBM text (Booster.save_model)", matches=_matches, read=_read)
