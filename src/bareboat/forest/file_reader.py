"""`.forest` file -> Forest: the way back, for tests and tools. Serving goes through the kernel instead.

The source's numbering of splits and leaves is not in the file: splits come back in preorder, leaves from left to
right.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

from bareboat.errors import ModelError
from bareboat.forest.digest import digest
from bareboat.forest.ir import Category, Forest, LinearLeaf, Rule, Transform, Tree
from bareboat.forest.layout import (
    AVERAGE,
    DIGEST,
    ELEMENT,
    ENTRY,
    HEADER,
    MAGIC,
    MAY_BE_SKIPPED,
    MODE_SHIFT,
    NODE_FIELD,
    TINY_IS_ZERO,
    VERSION,
    Section,
    element_size,
)

_LARGEST_CODE = 1 << 26
"""A set is held as the bits of an integer, 8 MB for this code; LightGBM's text is larger by far for such a model."""
_PACKAGE_AGAIN = "package the model again"


def read_forest_file(path: Path) -> Forest:
    """Read a `.forest` file.

    Raises:
        ModelError: the file is no `.forest` file of a known version, or is damaged.
    """
    try:
        return forest_from_bytes(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read the forest: {error.strerror or error}", where=str(path)) from error
    except ModelError as error:
        problem = error.problems[0]
        raise ModelError(problem.found, expected=problem.expected, fix=problem.fix, where=str(path)) from error


def forest_from_bytes(data: bytes) -> Forest:
    """Read the bytes of a `.forest` file; raises ModelError as `read_forest_file` does, without a place."""
    if len(data) < HEADER.size + DIGEST.size or not data.startswith(MAGIC):
        raise ModelError("not a .forest file", expected="a file that starts with BBFOREST", fix=_PACKAGE_AGAIN)
    version, size = HEADER.unpack_from(data)[1], HEADER.unpack_from(data)[6]
    if version != VERSION:
        raise ModelError(f"a .forest file of version {version}", expected=f"version {VERSION}", fix=_PACKAGE_AGAIN)
    if size != len(data) or DIGEST.unpack(data[-DIGEST.size :])[0] != digest(data[: -DIGEST.size]):
        raise ModelError(
            "a damaged forest: its size or digest does not fit", expected="a whole file", fix=_PACKAGE_AGAIN
        )
    try:
        return _forest(data)
    except (struct.error, LookupError, ValueError, TypeError) as error:
        raise ModelError(
            f"a damaged forest: {error}", expected="what docs/forest-format.md describes", fix=_PACKAGE_AGAIN
        ) from error


def _forest(data: bytes) -> Forest:
    (_, _, n_sections, transform, flags, _, _, n_features, n_trees, n_outputs, n_classes, _, _, parameter) = (
        HEADER.unpack_from(data)
    )
    if max(n_features, n_trees) > len(data):
        raise ValueError("more features or trees than bytes")
    objective, source, *names = _section_bytes(data, n_sections, Section.NAMES).decode().split("\0")
    categories = json.loads(_section_bytes(data, n_sections, Section.CATEGORY_NAMES) or b"[]")
    if len(names) != n_features:
        raise ValueError(f"{len(names)} names for {n_features} features")
    trees = _Trees(data, n_sections)
    return Forest(
        feature_names=tuple(names),
        categories=_categories(categories) if categories else (None,) * n_features,
        objective=objective,
        transform=Transform(transform),
        parameter=parameter,
        n_classes=n_classes,
        n_outputs=n_outputs,
        trees=tuple(trees.tree(number) for number in range(n_trees)),
        average=bool(flags & AVERAGE),
        tiny_is_zero=bool(flags & TINY_IS_ZERO),
        source=source,
    )


def _categories(lists: list[list[Category] | None]) -> tuple[tuple[Category, ...] | None, ...]:
    return tuple(None if each is None else tuple(each) for each in lists)


def _section_bytes(data: bytes, n_sections: int, wanted: Section) -> bytes:
    """Return a section's bytes, b"" when it is absent."""
    for number in range(n_sections):
        tag, kind, flags, offset, count = ENTRY.unpack_from(data, HEADER.size + number * ENTRY.size)
        if tag == wanted:
            return data[8 * offset : 8 * offset + count * element_size(wanted, kind)]
        if not flags & MAY_BE_SKIPPED:
            Section(tag)
    return b""


def _numbers(data: bytes, n_sections: int, section: Section) -> tuple[float, ...]:
    raw = _section_bytes(data, n_sections, section)
    return struct.unpack(f"<{len(raw) // element_size(section, 0)}{ELEMENT[section]}", raw)


def _integers(data: bytes, n_sections: int, section: Section) -> tuple[int, ...]:
    raw = _section_bytes(data, n_sections, section)
    return struct.unpack(f"<{len(raw) // element_size(section, 0)}{ELEMENT[section]}", raw)


class _Trees:
    """The sections that trees are made of."""

    def __init__(self, data: bytes, n: int) -> None:
        self._thresholds = _numbers(data, n, Section.THRESHOLDS)
        self._threshold_start = _integers(data, n, Section.THRESHOLD_START)
        self._columns = _integers(data, n, Section.COLUMNS)
        self._leaf_start = _integers(data, n, Section.LEAF_START)
        self._leaf_values = _numbers(data, n, Section.LEAF_VALUES)
        self._codes = _integers(data, n, Section.CATEGORY_CODES)
        self._code_start = _integers(data, n, Section.CATEGORY_START)
        self._set_start = _integers(data, n, Section.SET_START)
        self._set_offset = _integers(data, n, Section.SET_OFFSET)
        self._sets = _section_bytes(data, n, Section.SETS)
        self._linear_constant = _numbers(data, n, Section.LINEAR_CONSTANT)
        self._linear_start = _integers(data, n, Section.LINEAR_START)
        self._linear_feature = _integers(data, n, Section.LINEAR_FEATURE)
        self._linear_coefficient = _numbers(data, n, Section.LINEAR_COEFFICIENT)
        self._n_numeric = sum(column >> MODE_SHIFT != Rule.CATEGORY for column in self._columns)
        raw = _section_bytes(data, n, Section.NODES)
        entries = (ENTRY.unpack_from(data, HEADER.size + number * ENTRY.size) for number in range(n))
        kind = next((entry[1] for entry in entries if entry[0] == Section.NODES), 0)
        self._nodes = list(struct.iter_unpack(f"<4{NODE_FIELD[kind]}", raw))

    def tree(self, number: int) -> Tree:
        """Return one tree."""
        start, end = self._leaf_start[number : number + 2]
        if not start < end <= len(self._leaf_values):
            raise ValueError(f"tree {number} has the leaves {start} to {end}")
        left, right = self._children(start - number, end - start)
        feature, rule, threshold, categories = [], [], [], []
        for column, cut, _, _ in self._nodes[start - number : end - number - 1]:
            feature.append(self._columns[column] & ((1 << MODE_SHIFT) - 1))
            rule.append(Rule(self._columns[column] >> MODE_SHIFT))
            if rule[-1] is Rule.CATEGORY:
                threshold.append(0.0)
                categories.append(self._set(column - self._n_numeric, self._set_start[number] + cut))
            else:
                threshold.append(self._thresholds[self._threshold_start[feature[-1]] + cut])
                categories.append(0)
        return Tree(
            tuple(feature),
            tuple(rule),
            tuple(threshold),
            tuple(categories),
            tuple(left),
            tuple(right),
            self._leaf_values[start:end],
            tuple(self._linear_leaf(leaf) for leaf in range(start, end)) if self._linear_start else None,
        )

    def _children(self, first: int, n_leaves: int) -> tuple[list[int], list[int]]:
        """Return left and right children: the left branch follows its split, the right one follows the left."""
        left, right = [0] * (n_leaves - 1), [0] * (n_leaves - 1)
        pending = [(0, 0, n_leaves)] if n_leaves > 1 else []
        while pending:
            split, low, high = pending.pop()
            middle = self._nodes[first + split][3]
            if not low < middle < high:
                raise ValueError(f"split {split} divides leaves {low} to {high} at {middle}")
            left[split] = split + 1 if middle - low > 1 else ~low
            right[split] = split + middle - low if high - middle > 1 else ~middle
            if high - middle > 1:
                pending.append((right[split], middle, high))
            if middle - low > 1:
                pending.append((left[split], low, middle))
        return left, right

    def _set(self, column: int, number: int) -> int:
        codes = self._codes[self._code_start[column] : self._code_start[column + 1]]
        if max(codes, default=0) > _LARGEST_CODE:
            raise ValueError(f"a category of code {max(codes)}")
        dense = int.from_bytes(self._sets[self._set_offset[number] : self._set_offset[number + 1]], "little")
        return sum(1 << code for place, code in enumerate(codes) if dense >> place & 1)

    def _linear_leaf(self, leaf: int) -> LinearLeaf:
        start, end = self._linear_start[leaf : leaf + 2]
        return LinearLeaf(
            self._linear_constant[leaf], self._linear_feature[start:end], self._linear_coefficient[start:end]
        )
