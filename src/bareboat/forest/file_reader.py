"""`.forest` file -> Ensemble: the way back, for tools and tests. Scoring goes through the kernel instead.

Versions 1 and 2 are read. The source's numbering of splits is not in the file: splits come back in preorder, leaves
from left to right.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.framing import Frame
from bareboat.forest.ir import Category, Ensemble, LinearLeaves, Rule, Transform, Trees
from bareboat.forest.layout import (
    AVERAGE,
    ELEMENTS,
    ENTRY,
    HEADER,
    MAGIC,
    MAY_BE_SKIPPED,
    MODE_SHIFT,
    SINGLE_INPUT,
    SINGLE_SUM,
    TINY_IS_ZERO,
    VECTOR_LEAVES,
    VERSION,
    Section,
    element_size,
)
from bareboat.forest.sets import SetRoom, unpacked_set


def read_forest_file(path: Path) -> Ensemble:
    """Read a `.forest` file.

    Raises:
        ModelError: the file is no `.forest` file of a known version, or is damaged.
    """
    return _FRAME.read(path)


def ensemble_from_bytes(data: bytes) -> Ensemble:
    """Read the bytes of a `.forest` file; raises ModelError as `read_forest_file` does, without a place."""
    return _FRAME.read_bytes(data)


def _ensemble(data: bytes) -> Ensemble:
    _, version, n_sections, transform, flags, a_round, _, *counts, parameter = HEADER.unpack_from(data)
    n_features, n_trees, n_outputs, n_classes = counts[:4]
    if not 0 < n_trees <= len(data) or not 0 < n_outputs <= len(data) or n_features > len(data):
        raise ValueError("more features, trees or outputs than bytes")
    sections = _Sections(data, n_sections, version)
    objective, source, *names = sections.text(Section.NAMES).split("\0")
    if len(names) != n_features:
        raise ValueError(f"{len(names)} names for {n_features} features")
    width = n_outputs if flags & VECTOR_LEAVES else 1
    a_round = a_round or (1 if flags & VECTOR_LEAVES else n_outputs)
    if n_trees % a_round:
        raise ValueError(f"{n_trees} trees, {a_round} a round")
    base = sections.floats(Section.BASE)
    return Ensemble(
        feature_names=tuple(names),
        categories=_categories(json.loads(sections.text(Section.CATEGORY_NAMES) or "null"), n_features),
        objective=objective,
        source=source,
        transform=Transform(transform),
        parameters=(parameter, *sections.floats(Section.PARAMETERS).tolist()),
        n_classes=n_classes,
        classes=tuple(json.loads(sections.text(Section.CLASS_NAMES) or "[]")),
        n_outputs=n_outputs,
        trees=_trees(sections, n_trees, n_outputs, width),
        trees_per_round=a_round,
        base=base if len(base) else np.zeros(n_outputs),
        average=bool(flags & AVERAGE),
        single_input=bool(flags & SINGLE_INPUT),
        single_sum=bool(flags & SINGLE_SUM),
        tiny_is_zero=bool(flags & TINY_IS_ZERO),
    )


_FRAME = Frame("forest", MAGIC, HEADER, 1, VERSION, _ensemble)


def _categories(lists: list[list[Category] | None] | None, n_features: int) -> tuple[tuple[Category, ...] | None, ...]:
    if lists is None:
        return (None,) * n_features
    if len(lists) != n_features:
        raise ValueError(f"categories of {len(lists)} features")
    return tuple(None if each is None else tuple(each) for each in lists)


class _Sections:
    """The sections of a file, each an array of its kind's elements; one that is absent has none."""

    def __init__(self, data: bytes, n_sections: int, version: int) -> None:
        self._arrays: dict[int, NDArray[Any]] = {}
        for number in range(n_sections):
            tag, kind, flags, offset, count = ENTRY.unpack_from(data, HEADER.size + number * ENTRY.size)
            if tag not in set(Section) or (version == 1 and tag > Section.CATEGORY_NAMES):
                if flags & MAY_BE_SKIPPED:
                    continue
                raise ValueError(f"a section with the unknown tag {tag}")
            section = Section(tag)
            size = count * element_size(section, kind)
            if 8 * offset + size > len(data):
                raise ValueError(f"the section {section.name.lower()} lies outside the file")
            array = np.frombuffer(data[8 * offset : 8 * offset + size], f"<{ELEMENTS[section][kind]}")
            self._arrays[tag] = array.reshape(-1, 4) if section is Section.NODES else array

    def __getitem__(self, section: Section) -> NDArray[Any]:
        return self._arrays.get(section, np.zeros((0, 4) if section is Section.NODES else 0, np.uint32))

    def __contains__(self, section: Section) -> bool:
        return len(self[section]) > 0

    def text(self, section: Section) -> str:
        return self[section].tobytes().decode()

    def floats(self, section: Section) -> NDArray[np.float64]:
        return self[section].astype(np.float64)

    def integers(self, section: Section) -> NDArray[np.int64]:
        return self[section].astype(np.int64)


def _trees(sections: _Sections, n_trees: int, n_outputs: int, width: int) -> Trees:
    leaf_start = sections.integers(Section.LEAF_START)
    if len(leaf_start) != n_trees + 1 or leaf_start[0] or (np.diff(leaf_start) < 1).any():
        raise ValueError("leaves that do not start where they must")
    n_leaves = int(leaf_start[-1])
    column, cut, first, right_first = sections[Section.NODES].astype(np.int64).T
    if len(column) != n_leaves - n_trees:
        raise ValueError(f"{len(column)} splits for {n_leaves} leaves of {n_trees} trees")
    left, right = _children(leaf_start, first, right_first)
    feature, rule = sections[Section.COLUMNS] & (1 << MODE_SHIFT) - 1, sections[Section.COLUMNS] >> MODE_SHIFT
    rules = rule[column].astype(np.uint8)
    if rules.max(initial=0) > max(Rule):
        raise ValueError(f"the rule {rules.max()}")
    numbers, sets = _sets(sections, leaf_start, column, np.where(rules >= Rule.CATEGORY, cut, -1))
    output = np.arange(n_trees) % n_outputs
    if Section.TREE_OUTPUT in sections:
        output = sections.integers(Section.TREE_OUTPUT)
    if len(output) != n_trees or output.max() >= n_outputs:
        raise ValueError("trees for outputs that do not exist")
    return Trees(
        leaf_start=leaf_start,
        output=(output if width == 1 else np.zeros(n_trees)).astype(np.int32),
        feature=feature[column].astype(np.int32),
        rule=rules,
        threshold=_thresholds(sections, feature[column], np.where(rules >= Rule.CATEGORY, -1, cut)),
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        set_number=numbers,
        sets=sets,
        leaf_value=_leaf_values(sections, n_leaves, width),
        linear=_linear(sections, n_leaves),
        leaf_id=_statistic(sections, Section.LEAF_ID, n_leaves, np.int32),
        leaf_cover=_statistic(sections, Section.LEAF_COVER, n_leaves, np.float64),
        split_cover=_statistic(sections, Section.SPLIT_COVER, n_leaves - n_trees, np.float64),
        split_gain=_statistic(sections, Section.SPLIT_GAIN, n_leaves - n_trees, np.float64),
    )


def _children(
    leaf_start: NDArray[np.int64], first: NDArray[np.int64], middle: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return left and right children, a level of all trees at a time: the left branch follows its split, the right
    one the left one's splits."""
    split_start = (leaf_start - np.arange(len(leaf_start)))[:-1]
    left, right = np.empty_like(first), np.empty_like(first)
    high = np.diff(leaf_start)
    tree = np.flatnonzero(high > 1)
    split, low, high = np.zeros(len(tree), np.int64), np.zeros(len(tree), np.int64), high[tree]
    while len(tree):
        at = split_start[tree] + split
        cut = middle[at]
        if ((first[at] != low) | (cut <= low) | (cut >= high)).any():
            raise ValueError("a split that does not divide its leaves")
        left[at] = np.where(cut - low > 1, split + 1, ~low)
        right[at] = np.where(high - cut > 1, split + cut - low, ~cut)
        to_left, to_right = cut - low > 1, high - cut > 1
        split, low, high, tree = (
            np.concatenate([a[to_left], b[to_right]])
            for a, b in ((split + 1, split + cut - low), (low, cut), (cut, high), (tree, tree))
        )
    return left, right


def _thresholds(sections: _Sections, feature: NDArray[Any], cut: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each split's threshold, 0.0 where its cut is -1."""
    start, is_numeric = sections.integers(Section.THRESHOLD_START), cut >= 0
    feature, cut = feature[is_numeric], cut[is_numeric]
    if (cut >= start[feature + 1] - start[feature]).any():
        raise ValueError("a cut past its feature's thresholds")
    values = np.zeros(len(is_numeric))
    values[is_numeric] = sections.floats(Section.THRESHOLDS)[start[feature] + cut]
    return values


def _sets(
    sections: _Sections, leaf_start: NDArray[np.int64], column: NDArray[np.int64], cut: NDArray[np.int64]
) -> tuple[NDArray[np.int32], tuple[Any, ...]]:
    """Return the number of each split's set, -1 for a cut of -1, and the sets."""
    numbers = np.full(len(cut), -1, np.int32)
    splits = np.flatnonzero(cut >= 0)
    if not len(splits):
        return numbers, ()
    n_numeric = int((sections[Section.COLUMNS] >> MODE_SHIFT < Rule.CATEGORY).sum())
    codes, code_start = sections.integers(Section.CATEGORY_CODES), sections[Section.CATEGORY_START].tolist()
    tree = np.repeat(np.arange(len(leaf_start) - 1), np.diff(leaf_start) - 1)[splits]
    wanted = (sections.integers(Section.SET_START)[tree] + cut[splits]).tolist()
    offset, packed = sections[Section.SET_OFFSET].tolist(), sections[Section.SETS].tobytes()
    known = [codes[a:b] for a, b in pairwise(code_start)]
    of_split, room = (column[splits] - n_numeric).tolist(), SetRoom()
    if not all(room.has(int(known[each].max(initial=0))) for each in of_split):
        raise ValueError(f"categories of codes up to {codes.max()} in {len(splits)} splits")
    numbers[splits] = np.arange(len(splits))
    return numbers, tuple(
        unpacked_set(packed[offset[number] : offset[number + 1]], known[each])
        for number, each in zip(wanted, of_split, strict=True)
    )


def _leaf_values(sections: _Sections, n_leaves: int, width: int) -> NDArray[np.float64]:
    values = sections.floats(Section.LEAF_VALUES).reshape(-1, width)
    if Section.LEAF_ROW in sections:
        values = values[sections[Section.LEAF_ROW]]
    if len(values) != n_leaves:
        raise ValueError(f"{len(values)} values for {n_leaves} leaves")
    return values


def _linear(sections: _Sections, n_leaves: int) -> LinearLeaves | None:
    if Section.LINEAR_START not in sections:
        return None
    start, constant = sections.integers(Section.LINEAR_START), sections.floats(Section.LINEAR_CONSTANT)
    feature, coefficient = sections.integers(Section.LINEAR_FEATURE), sections.floats(Section.LINEAR_COEFFICIENT)
    if len(start) != n_leaves + 1 or len(constant) != n_leaves or len(feature) != len(coefficient):
        raise ValueError("linear leaves of the wrong number")
    if start[0] or start[-1] != len(feature) or (np.diff(start) < 0).any():
        raise ValueError("coefficients that do not start where they must")
    return LinearLeaves(constant, start, feature.astype(np.int32), coefficient)


def _statistic(sections: _Sections, section: Section, count: int, dtype: type) -> NDArray[Any] | None:
    if section not in sections:
        return None
    if len(sections[section]) != count:
        raise ValueError(f"{len(sections[section])} numbers in {section.name.lower()}, not {count}")
    return sections[section].astype(dtype)
