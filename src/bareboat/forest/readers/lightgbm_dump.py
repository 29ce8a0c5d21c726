"""LightGBM's JSON dump (json.dump of Booster.dump_model()) -> Ensemble.

The dump has all that scores need, in full precision (17 digits), but for two things. It has no parameters, so that a
constant category column cannot be told from a numeric one: such a model with `pandas_categorical` is refused. And it
writes infinite thresholds (only NaN goes the other way) as 1e300, which are read as infinite again and noted. Source:
Tree::ToJSON in src/io/tree.cpp, AvoidInf in utils/common.h, DumpModel in src/boosting/gbdt_model_text.cpp (4.7.0).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bareboat.errors import ModelError
from bareboat.forest.ir import CategorySet, Ensemble, LinearLeaf, Rule, Tree, Trees
from bareboat.forest.readers.lightgbm import VERSIONS, lightgbm_ensemble
from bareboat.forest.readers.lightgbm_categories import Categories, doubts, feature_categories
from bareboat.forest.readers.lightgbm_objective import parse_objective
from bareboat.forest.readers.reader import Reader
from bareboat.forest.sets import LARGEST_CODE, SetRoom

if TYPE_CHECKING:
    from bareboat.forest.readers.lightgbm_dump_nodes import Dump, FeatureInfo, Node, TreeInfo

_START = re.compile(rb'\s*\{\s*("name"\s*:\s*"tree"|"average_output"\s*:)')  # sorted keys begin with the latter
_RULES = {
    ("None", False): Rule.MISSING_IS_ZERO,
    ("None", True): Rule.MISSING_IS_ZERO,
    ("Zero", False): Rule.ZERO_RIGHT,
    ("Zero", True): Rule.ZERO_LEFT,
    ("NaN", False): Rule.NAN_RIGHT,
    ("NaN", True): Rule.NAN_LEFT,
}
_CLAMPED = 1e300
_CODES = re.compile(r"[0-9]{1,10}(\|\|[0-9]{1,10})*|")
_NOTE = (
    "thresholds of 1e300 are read as infinite, since the dump writes infinite ones so; the text model has them as is"
)
_SAVE_AGAIN = "dump the model again, or save it as text: booster.save_model(...)"
Refuse = Callable[[str, str], ModelError]


def _matches(head: bytes) -> bool:
    return _START.match(head) is not None


def _read(path: Path, data: bytes) -> Ensemble:
    import msgspec

    from bareboat.forest.readers.lightgbm_dump_nodes import Dump

    try:
        dump = msgspec.json.decode(data, type=Dump)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ModelError(
            f"no LightGBM dump: {error}",
            expected="what json.dump(booster.dump_model(), file) writes",
            fix=_SAVE_AGAIN,
            where=str(path),
        ) from error
    return _ensemble(path, dump)


def _ensemble(path: Path, dump: Dump) -> Ensemble:
    def refuse(key: str) -> Refuse:
        return lambda found, expected: ModelError(found, expected=expected, fix=_SAVE_AGAIN, where=f"{path}: {key}")

    _check_header(dump, refuse)
    objective = parse_objective(dump.objective, dump.num_class, refuse("objective"))
    names = tuple(dump.feature_names)
    room = SetRoom()
    trees = [
        _tree(info, len(names), number % objective.n_outputs, room, refuse(f"tree_info[{number}]"))
        for number, info in enumerate(dump.tree_info)
    ]
    joined = Trees.of(trees)
    infos = [dump.feature_infos.get(name) for name in names]
    categories = _categories(path, dump, infos)
    ranges = [(info.min_value, info.max_value) if info and not info.values else None for info in infos]
    return lightgbm_ensemble(
        names,
        categories,
        objective,
        joined,
        version=dump.version,
        average=dump.average_output,
        notes=((_NOTE,) if np.isinf(joined.threshold).any() else ()) + doubts(names, categories, ranges),
    )


def _categories(path: Path, dump: Dump, infos: list[FeatureInfo | None]) -> Categories:
    codes = [info.values if info and info.values else None for info in infos]
    return feature_categories(
        dump.pandas_categorical,
        [feature for feature, own in enumerate(codes) if own is not None],
        codes,
        lambda found, expected, fix: ModelError(found, expected=expected, fix=fix, where=f"{path}: pandas_categorical"),
        lambda found, expected, fix: ModelError(found, expected=expected, fix=fix, where=f"{path}: feature_infos"),
    )


def _check_header(dump: Dump, refuse: Callable[[str], Refuse]) -> None:
    if dump.name != "tree":
        raise refuse("name")(f"a model called {dump.name[:40]!r}", "tree")
    if dump.version not in VERSIONS:
        raise refuse("version")(f"version {dump.version[:40]!r}", " or ".join(VERSIONS))
    if dump.num_class < 1 or dump.num_tree_per_iteration != dump.num_class:
        found = f"num_tree_per_iteration {dump.num_tree_per_iteration} with num_class {dump.num_class}"
        raise refuse("num_tree_per_iteration")(found, "the same number, at least 1")
    names = dump.feature_names
    if not names or len(names) != dump.max_feature_idx + 1 or len(set(names)) != len(names) or "" in names:
        raise refuse("feature_names")(
            f"{len(set(names))} different feature names", f"{dump.max_feature_idx + 1}, as max_feature_idx says"
        )
    if not dump.tree_info or len(dump.tree_info) % dump.num_class:
        raise refuse("tree_info")(f"{len(dump.tree_info)} trees", f"a multiple of {dump.num_class}, at least that")


def _tree(info: TreeInfo, n_features: int, output: int, room: SetRoom, refuse: Refuse) -> Tree:
    splits: dict[int, Node] = {}
    leaves: dict[int, Node] = {}
    pending = [info.tree_structure]
    while pending:
        node = pending.pop()
        if node.split_index is None:
            _add(leaves, node.leaf_index, node, "leaf", refuse)
        elif node.left_child is None or node.right_child is None:
            raise refuse(f"split {node.split_index} without two children", "left_child and right_child")
        else:
            _add(splits, node.split_index, node, "split", refuse)
            pending += (node.right_child, node.left_child)
    for what, nodes, count in (("leaves", leaves, info.num_leaves), ("splits", splits, info.num_leaves - 1)):
        if len(nodes) != count or sorted(nodes) != list(range(count)):
            raise refuse(f"{len(nodes)} {what} that are not 0 to {count - 1}", f"{count}, as num_leaves says")
    return _assembled([splits[each] for each in range(len(splits))], leaves, n_features, output, room, refuse)


def _add(nodes: dict[int, Node], number: int, node: Node, what: str, refuse: Refuse) -> None:
    if number in nodes:
        raise refuse(f"{what} {number} stands twice", "each once")
    nodes[number] = node


def _assembled(
    splits: list[Node], leaves: dict[int, Node], n_features: int, output: int, room: SetRoom, refuse: Refuse
) -> Tree:
    rules: list[Rule] = []
    thresholds: list[float] = []
    sets: dict[int, CategorySet] = {}
    for number, split in enumerate(splits):
        if not 0 <= split.split_feature < n_features:
            raise refuse(f"feature {split.split_feature} in split {number}", f"0 to {n_features - 1}")
        rules.append(_rule(split, number, refuse))
        if isinstance(split.threshold, str):
            sets[number] = _codes(split.threshold, number, room, refuse)
            thresholds.append(0.0)
        else:
            clamped = abs(split.threshold) == _CLAMPED
            thresholds.append(math.copysign(math.inf, split.threshold) if clamped else split.threshold)
    ordered = [leaves[number] for number in range(len(leaves))]
    known = all(leaf.leaf_count >= 0 for leaf in ordered) and all(split.internal_count >= 0 for split in splits)
    return Tree(
        feature=[split.split_feature for split in splits],
        rule=rules,
        threshold=thresholds,
        left=[_child(split.left_child) for split in splits],
        right=[_child(split.right_child) for split in splits],
        leaf_value=[_value(leaf, number, refuse) for number, leaf in enumerate(ordered)],
        categories=sets,
        output=output,
        linear=_linear(ordered, n_features, refuse),
        leaf_cover=[float(leaf.leaf_count) for leaf in ordered] if known else None,
        split_cover=[float(split.internal_count) for split in splits] if known else None,
        split_gain=np.array([split.split_gain for split in splits], np.float32).astype(np.float64),
    )


def _codes(threshold: str, number: int, room: SetRoom, refuse: Refuse) -> CategorySet:
    codes = {int(code) for code in threshold.split("||") if code}
    if not room.has(max(codes, default=0)):
        raise refuse(f"category {max(codes)} in split {number}", f"0 to {LARGEST_CODE}, and few as large as that")
    bits = bytearray(max(codes, default=0) // 8 + 1)
    for code in codes:
        bits[code // 8] |= 1 << code % 8
    return CategorySet(int.from_bytes(bits, "little"))


def _rule(split: Node, number: int, refuse: Refuse) -> Rule:
    if split.decision_type == "==" and isinstance(split.threshold, str):
        if not _CODES.fullmatch(split.threshold):
            raise refuse(f"threshold {split.threshold[:40]!r} in split {number}", "codes, as in '0||3||5'")
        return Rule.CATEGORY
    rule = _RULES.get((split.missing_type, split.default_left))
    if split.decision_type != "<=" or isinstance(split.threshold, str) or rule is None:
        found = f"{split.decision_type} {split.threshold} with missing_type {split.missing_type!r} in split {number}"
        raise refuse(found[:120], "<= a number, or == codes; None, Zero or NaN")
    return rule


def _child(node: Node | None) -> int:
    assert node is not None
    return ~node.leaf_index if node.split_index is None else node.split_index


def _value(leaf: Node, number: int, refuse: Refuse) -> float:
    if leaf.leaf_value is None:
        raise refuse(f"leaf {number} without leaf_value", "a number")
    return leaf.leaf_value


def _linear(leaves: list[Node], n_features: int, refuse: Refuse) -> list[LinearLeaf] | None:
    if all(leaf.leaf_const is None for leaf in leaves):
        return None
    result: list[LinearLeaf] = []
    for number, leaf in enumerate(leaves):
        features, coefficients = leaf.leaf_features, leaf.leaf_coeff
        if leaf.leaf_const is None or len(features) != len(coefficients):
            raise refuse(f"leaf {number} with {len(features)} features for {len(coefficients)} factors", "as many")
        if features and not 0 <= min(features) <= max(features) < n_features:
            raise refuse(f"features of leaf {number} that do not exist", f"0 to {n_features - 1}")
        result.append(LinearLeaf(leaf.leaf_const, tuple(features), tuple(coefficients)))
    return result


LIGHTGBM_DUMP = Reader(name="LightGBM JSON (Booster.dump_model)", matches=_matches, read=_read)
