"""Ensemble -> the number tables of a `.forest` file: ranks instead of thresholds, leaves from left to right.

Within one feature a split's threshold becomes its place among the feature's sorted thresholds, and a value becomes its
rank, the number of thresholds below it: `value <= threshold[k]` exactly when `rank <= k`. A row is ranked once, the
trees then compare small integers. What a missing value does is decided by the rank too, so a feature has one column
for each rule that its splits use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.ir import Ensemble, Rule, Trees
from bareboat.forest.layout import MODE_SHIFT, Section
from bareboat.forest.numbers import narrow_counts, narrow_floats, narrow_integers, rounded_down
from bareboat.forest.sets import known_codes, packed_set
from bareboat.forest.structure import Structure, lay_out

Sections = dict[Section, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The sections of a `.forest` file as arrays, whose types say the sections' kinds; `nodes` is (n_splits, 4).

    docs/forest-format.md says what each holds. `depth` is the number of splits on the longest way to a leaf.
    """

    sections: Sections
    depth: int


def build_tables(ensemble: Ensemble, *, statistics: bool = True) -> Tables:
    """Return the tables of an ensemble.

    Args:
        ensemble: whose trees are checked to be trees, and whose leaves to be finite.
        statistics: whether leaf ids, covers and gains are among them.

    Raises:
        ModelError: children that form no tree, a number that is not finite, or more than 2^24 features or 2^32 of
            something else.
    """
    trees = ensemble.trees
    _check_numbers(trees)
    structure = lay_out(trees)
    columns, column = _columns(trees)
    thresholds, starts, cut = _cuts(ensemble)
    sections: Sections = {
        Section.THRESHOLDS: thresholds,
        Section.THRESHOLD_START: starts,
        Section.COLUMNS: columns,
        Section.LEAF_START: trees.leaf_start.astype(np.uint32),
    }
    sections |= _sets(trees, structure, columns, column, cut)
    sections[Section.NODES] = _nodes(structure, column, cut, starts)
    leaf_at = np.empty_like(structure.leaf_place)
    leaf_at[structure.leaf_place] = np.arange(len(leaf_at), dtype=leaf_at.dtype)
    sections |= _leaves(trees.leaf_value[leaf_at])
    sections |= _linear(trees, leaf_at)
    if statistics:
        sections |= _statistics(trees, structure, leaf_at)
    _check_sizes(ensemble, sections)
    return Tables(sections, structure.depth)


def _check_numbers(trees: Trees) -> None:
    linear = trees.linear
    finite = [("leaf value", trees.leaf_value), ("gain", trees.split_gain)]
    finite += [] if linear is None else [("linear leaf", linear.constant), ("linear leaf", linear.coefficient)]
    covers = [("cover", trees.leaf_cover), ("cover", trees.split_cover)]
    for what, values in [*finite, *covers]:
        if values is not None and not np.isfinite(values).all():
            number = values[~np.isfinite(values)][0]
            raise ModelError(f"{number} as a {what}", expected="a finite number", fix="train the model again")
    for what, values in covers:
        if values is not None and values.min(initial=0.0) < 0:
            raise ModelError(f"{values.min()} as a {what}", expected="0 or more", fix="train the model again")
    if np.isnan(trees.threshold).any():
        raise ModelError("a threshold that is NaN", expected="a number", fix="train the model again")


def _columns(trees: Trees) -> tuple[NDArray[np.uint32], NDArray[Any]]:
    """Return the columns in use, numeric ones by feature and rule, then categorical ones, and each split's column."""
    is_categorical = trees.rule >= Rule.CATEGORY
    key = trees.feature.astype(np.uint32) << 3 | trees.rule | is_categorical.astype(np.uint32) << 31
    used = np.unique(key)
    feature, rule = (used & (1 << 31) - 1) >> 3, used & 7
    return (rule << MODE_SHIFT | feature).astype(np.uint32), np.searchsorted(used, key)


def _cuts(ensemble: Ensemble) -> tuple[NDArray[Any], NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the features' sorted distinct thresholds, where each feature's start, and each numeric split's cut."""
    trees, n_features = ensemble.trees, ensemble.n_features
    numeric = np.flatnonzero(trees.rule < Rule.CATEGORY)
    value = trees.threshold[numeric] + 0.0  # -0.0 + 0.0 is 0.0
    threshold = rounded_down(value) if ensemble.single_input else narrow_floats(value)
    feature = trees.feature[numeric]
    order = np.argsort(feature.astype(np.uint16) if n_features <= 1 << 16 else feature, kind="stable")
    ends = np.cumsum(np.bincount(feature, minlength=n_features))
    cut = np.zeros(len(trees.feature), np.uint32)
    starts, kept = np.zeros(n_features + 1, np.int64), [threshold[:0]]
    for each in np.unique(feature).tolist():
        splits = order[ends[each - 1] if each else 0 : ends[each]]
        values, cut[numeric[splits]] = np.unique(threshold[splits], return_inverse=True)
        starts[each + 1] = len(values)
        kept.append(values)
    return np.concatenate(kept), np.cumsum(starts).astype(np.uint32), cut


def _nodes(
    structure: Structure, column: NDArray[Any], cut: NDArray[np.uint32], starts: NDArray[np.uint32]
) -> NDArray[Any]:
    """Return (n_splits, 4) column, cut, first and right in preorder, as narrow as columns, ranks and leaves allow."""
    fields = (column, cut, structure.first, structure.right)
    widest = max(int(field.max(initial=0)) for field in (*fields, np.diff(starts)))
    nodes = np.empty((len(cut), 4), np.uint8 if widest <= 0xFF else np.uint16 if widest <= 0xFFFF else np.uint32)
    for place, field in enumerate(fields):
        nodes[structure.split_place, place] = field
    return nodes


def _sets(
    trees: Trees,
    structure: Structure,
    columns: NDArray[np.uint32],
    column: NDArray[Any],
    cut: NDArray[np.uint32],
) -> Sections:
    """Return the sections of categorical columns, and write into `cut` the number of each split's set in its tree."""
    splits = np.flatnonzero(trees.set_number >= 0)
    if not len(splits):
        return {}
    splits = splits[np.argsort(structure.split_place[splits])]
    n_numeric = int((columns >> MODE_SHIFT < Rule.CATEGORY).sum())
    known = [
        known_codes([trees.sets[number] for number in np.unique(trees.set_number[column == each]).tolist()])
        for each in range(n_numeric, len(columns))
    ]
    packed: dict[tuple[int, int], bytes] = {}
    wanted = list(zip(trees.set_number[splits].tolist(), (column[splits] - n_numeric).tolist(), strict=True))
    for number, each in wanted:
        if (number, each) not in packed:
            packed[number, each] = packed_set(trees.sets[number], known[each])
    in_order = [packed[pair] for pair in wanted]
    set_start = _starts(np.bincount(trees.split_tree[splits], minlength=len(trees)))
    cut[splits] = np.arange(len(splits)) - set_start[trees.split_tree[splits]]
    return {
        Section.CATEGORY_CODES: np.concatenate(known).astype(np.uint32),
        Section.CATEGORY_START: _starts([len(codes) for codes in known]).astype(np.uint32),
        Section.SET_START: set_start.astype(np.uint32),
        Section.SET_OFFSET: _starts([len(each) for each in in_order]).astype(np.uint32),
        Section.SETS: np.frombuffer(b"".join(in_order), np.uint8),
    }


def _leaves(values: NDArray[np.float64]) -> Sections:
    """Return leaf values (n_leaves, width), as rows that equal leaves share where that makes them smaller."""
    single = narrow_floats(values)
    bits = single.view(np.uint64 if single.dtype == np.float64 else np.uint32)  # -0.0 is not 0.0
    key = bits[:, 0] if values.shape[1] == 1 else _hashes(bits)
    keys = np.sort(key)  # and no np.unique, which hashes first and takes ten times as long
    keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
    n_bytes = len(keys) * single[:1].nbytes + len(key) * narrow_integers(np.array([len(keys) - 1])).nbytes
    if n_bytes < single.nbytes:
        row = np.searchsorted(keys, key)
        shared = np.empty((len(keys), values.shape[1]), single.dtype)
        shared[row] = single
        if np.array_equal(shared.view(bits.dtype)[row], bits):  # else two rows have one hash
            return {Section.LEAF_VALUES: shared.ravel(), Section.LEAF_ROW: narrow_integers(row)}
    return {Section.LEAF_VALUES: single.ravel()}


def _hashes(bits: NDArray[Any]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each row: sorting whole rows takes many times as long."""
    total = np.zeros(len(bits), np.uint64)
    for column in bits.T:
        total = (total ^ column) * np.uint64(0x9E3779B97F4A7C15)
        total ^= total >> np.uint64(29)
    return total


def _linear(trees: Trees, leaf_at: NDArray[Any]) -> Sections:
    linear = trees.linear
    if linear is None:
        return {}
    counts = np.diff(linear.start)[leaf_at]
    start = _starts(counts)
    taken = np.repeat(linear.start[:-1][leaf_at] - start[:-1], counts) + np.arange(start[-1])
    return {
        Section.LINEAR_CONSTANT: linear.constant[leaf_at],
        Section.LINEAR_START: start.astype(np.uint32),
        Section.LINEAR_FEATURE: linear.feature[taken].astype(np.uint32),
        Section.LINEAR_COEFFICIENT: linear.coefficient[taken],
    }


def _statistics(trees: Trees, structure: Structure, leaf_at: NDArray[Any]) -> Sections:
    """Return the sections that predictions do not need, as far as they are known and not plain."""
    counts = np.diff(trees.leaf_start)
    number = np.arange(len(leaf_at)) - np.repeat(trees.leaf_start[:-1], counts)
    leaf_id = (number if trees.leaf_id is None else trees.leaf_id)[leaf_at]
    sections: Sections = {}
    if not np.array_equal(leaf_id, number):
        sections[Section.LEAF_ID] = narrow_integers(leaf_id)
    if trees.leaf_cover is not None:
        sections[Section.LEAF_COVER] = narrow_counts(trees.leaf_cover[leaf_at])
    if trees.split_cover is not None and not _are_sums(trees):
        sections[Section.SPLIT_COVER] = narrow_counts(_placed(trees.split_cover, structure))
    if trees.split_gain is not None:
        sections[Section.SPLIT_GAIN] = narrow_floats(_placed(trees.split_gain, structure))
    return {tag: values for tag, values in sections.items() if len(values)}


def _placed(values: NDArray[np.float64], structure: Structure) -> NDArray[np.float64]:
    placed = np.empty(len(values))
    placed[structure.split_place] = values
    return placed


def _are_sums(trees: Trees) -> bool:
    """Whether each split's cover is exactly the sum of its two branches'."""
    if trees.leaf_cover is None or trees.split_cover is None:
        return False
    tree = trees.split_tree
    covers = []
    for child in (trees.left, trees.right):
        is_leaf = child < 0
        cover = np.empty(len(child))
        cover[is_leaf] = trees.leaf_cover[trees.leaf_start[:-1][tree[is_leaf]] + ~child[is_leaf]]
        inner = tree[~is_leaf]
        cover[~is_leaf] = trees.split_cover[trees.leaf_start[:-1][inner] - inner + child[~is_leaf]]
        covers.append(cover)
    return np.array_equal(covers[0] + covers[1], trees.split_cover)


def _starts(counts: Any) -> NDArray[np.int64]:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _check_sizes(ensemble: Ensemble, sections: Sections) -> None:
    limits = [("features", ensemble.n_features, 1 << MODE_SHIFT), ("leaves", ensemble.n_leaves, 1 << 32)]
    limits += [(f"numbers in {tag.name.lower()}", len(values), 1 << 32) for tag, values in sections.items()]
    for what, found, limit in limits:
        if found >= limit:
            raise ModelError(f"{found} {what}", expected=f"fewer than {limit}", fix="train a smaller model")
