"""LightGBM's text model (Booster.save_model, versions v3 and v4) -> Ensemble.

Source: microsoft/LightGBM, src/boosting/gbdt_model_text.cpp, src/io/tree.cpp, include/LightGBM/tree.h and
src/objective/ (4.7.0). What is not named there is refused.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from bareboat.forest.ir import Category, Ensemble, Trees
from bareboat.forest.readers.lightgbm_categories import feature_categories
from bareboat.forest.readers.lightgbm_objective import Objective, parse_objective
from bareboat.forest.readers.lightgbm_text import Field, Fields, ModelText
from bareboat.forest.readers.lightgbm_tree import read_tree
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
    objective = parse_objective(text, header)
    sizes = text.integers(header.need("tree_sizes"))
    _check_tree_count(text, header.need("tree_sizes"), len(sizes), objective)
    trees = [
        read_tree(text, number, size, len(sizes), len(names), number % objective.n_outputs)
        for number, size in enumerate(sizes)
    ]
    tail = text.tail()
    categories: tuple[tuple[Category, ...] | None, ...] = feature_categories(text, tail, infos)
    return Ensemble(
        feature_names=names,
        categories=categories,
        objective=objective.name,
        transform=objective.transform,
        parameters=(objective.parameter,),
        n_classes=objective.n_classes,
        n_outputs=objective.n_outputs,
        trees=Trees.of(trees),
        trees_per_round=objective.n_outputs,
        base=np.zeros(objective.n_outputs),
        average="average_output" in header,
        tiny_is_zero=True,
        source=f"lightgbm {header.need('version').text()}",
    )


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
    if math.isqrt(n_trees) > 1 << 16:
        raise text.error(field, f"{n_trees} trees", expected="fewer than 2^32")


LIGHTGBM_TEXT = Reader(name="LightGBM text (Booster.save_model)", matches=_matches, read=_read)
