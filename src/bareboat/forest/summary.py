"""Forest -> what `bareboat model info` tells of it."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from bareboat.forest.estimator import Forest
from bareboat.forest.ir import Ensemble, Rule, Transform
from bareboat.forest.layout import ENTRY, HEADER, Section, element_size
from bareboat.forest.rounds import tree_depths
from bareboat.runtime.forest import open_forest

_MISSING = {
    Rule.MISSING_IS_ZERO: "as 0",
    Rule.NAN_LEFT: "left",
    Rule.NAN_RIGHT: "right",
    Rule.ZERO_LEFT: "with 0 left",
    Rule.ZERO_RIGHT: "with 0 right",
}


def summary(forest: Forest) -> dict[str, Any]:
    """Return what a forest is made of, as JSON has it; sizes are those of the `.forest` file."""
    ensemble, data = forest.ensemble, forest.file
    trees = ensemble.trees
    start = perf_counter()
    open_forest(data)
    open_ms = (perf_counter() - start) * 1e3
    return {
        "source": ensemble.source,
        "objective": ensemble.objective,
        "kind": _kind(ensemble),
        "classes": list(ensemble.classes or range(ensemble.n_classes)),
        "transform": ensemble.transform.name.lower(),
        "parameters": list(ensemble.parameters),
        "n_features": ensemble.n_features,
        "n_outputs": ensemble.n_outputs,
        "n_rounds": ensemble.n_rounds,
        "n_trees": ensemble.n_trees,
        "n_leaves": ensemble.n_leaves,
        "max_leaves": int(np.diff(trees.leaf_start).max()),
        "depth": int(tree_depths(trees).max()),
        "leaves": _leaves(ensemble),
        "arithmetic": _arithmetic(ensemble),
        "statistics": [
            name
            for name, values in (
                ("leaf ids", trees.leaf_id),
                ("covers", trees.leaf_cover),
                ("gains", trees.split_gain),
            )
            if values is not None
        ],
        "features": _features(ensemble),
        "sections": _sections(data),
        "size_bytes": len(data),
        "open_ms": round(open_ms, 3),
        "path": forest.path,
    }


def _kind(ensemble: Ensemble) -> str:
    if ensemble.transform is Transform.ISOLATION:
        return "outlier detector"
    return "classifier" if ensemble.is_classifier else "regressor"


def _leaves(ensemble: Ensemble) -> str:
    if ensemble.trees.linear is not None:
        return "linear"
    return "vectors" if ensemble.has_vector_leaves else "numbers"


def _arithmetic(ensemble: Ensemble) -> str:
    values = "float32" if ensemble.single_input else "float64"
    sums = "float32" if ensemble.single_sum else "float64"
    return f"{values} values, {'averages' if ensemble.average else 'sums'} in {sums}"


def _features(ensemble: Ensemble) -> list[dict[str, Any]]:
    trees = ensemble.trees
    is_set = trees.set_number >= 0
    splits = np.bincount(trees.feature, minlength=ensemble.n_features)
    found = []
    for feature, name in enumerate(ensemble.feature_names):
        at = trees.feature == feature
        codes = 0
        for which in trees.set_number[at & is_set].tolist():
            codes |= trees.sets[which].codes | trees.sets[which].right
        rules = np.unique(trees.rule[at & ~is_set]).tolist()
        named = ensemble.categories[feature]
        found.append(
            {
                "name": name,
                "splits": int(splits[feature]),
                "thresholds": len(np.unique(trees.threshold[at & ~is_set])),
                "categories": len(named) if named is not None else codes.bit_count(),
                "missing": [_MISSING[Rule(rule)] for rule in rules],
            }
        )
    return found


def _sections(data: bytes) -> list[dict[str, Any]]:
    n_sections = HEADER.unpack_from(data)[2]
    found = []
    for number in range(n_sections):
        tag, kind, _, _, count = ENTRY.unpack_from(data, HEADER.size + number * ENTRY.size)
        section = Section(tag)
        found.append({"name": section.name.lower(), "bytes": count * element_size(section, kind)})
    return found
