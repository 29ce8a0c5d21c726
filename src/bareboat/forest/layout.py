"""The `.forest` file's header and section table, as docs/forest-format.md describes them."""

from __future__ import annotations

import struct
from enum import IntEnum

MAGIC = b"BBFOREST"
VERSION = 2
"""What is written. Version 1 is read too."""
HEADER = struct.Struct("<8sHHBBHQIIIIIId")
"""magic, version, n_sections, transform, flags, trees_per_round, size, n_features, n_trees, n_outputs, n_classes,
depth, n_leaves, parameter."""
ENTRY = struct.Struct("<HBBII")
"""tag, kind, flags, offset in units of 8 bytes, count of elements."""
DIGEST = struct.Struct("<Q")

AVERAGE = 1
TINY_IS_ZERO = 2
SINGLE_INPUT = 4
SINGLE_SUM = 8
VECTOR_LEAVES = 16
MAY_BE_SKIPPED = 1
"""A section's flag: a reader that does not know the tag goes on without it."""


class Section(IntEnum):
    """The tags of sections, in the order in which they stand in the file."""

    THRESHOLDS = 1
    THRESHOLD_START = 2
    COLUMNS = 3
    LEAF_START = 4
    NODES = 5
    LEAF_VALUES = 6
    CATEGORY_CODES = 7
    CATEGORY_START = 8
    SET_START = 9
    SET_OFFSET = 10
    SETS = 11
    LINEAR_CONSTANT = 12
    LINEAR_START = 13
    LINEAR_FEATURE = 14
    LINEAR_COEFFICIENT = 15
    NAMES = 16
    CATEGORY_NAMES = 17
    BASE = 18
    TREE_OUTPUT = 19
    PARAMETERS = 20
    LEAF_ROW = 21
    CLASS_NAMES = 22
    LEAF_ID = 23
    LEAF_COVER = 24
    SPLIT_COVER = 25
    SPLIT_GAIN = 26


ELEMENTS: dict[Section, str] = {
    Section.THRESHOLDS: "df",
    Section.THRESHOLD_START: "I",
    Section.COLUMNS: "I",
    Section.LEAF_START: "I",
    Section.NODES: "BHI",
    Section.LEAF_VALUES: "df",
    Section.CATEGORY_CODES: "I",
    Section.CATEGORY_START: "I",
    Section.SET_START: "I",
    Section.SET_OFFSET: "I",
    Section.SETS: "B",
    Section.LINEAR_CONSTANT: "d",
    Section.LINEAR_START: "I",
    Section.LINEAR_FEATURE: "I",
    Section.LINEAR_COEFFICIENT: "d",
    Section.NAMES: "B",
    Section.CATEGORY_NAMES: "B",
    Section.BASE: "d",
    Section.TREE_OUTPUT: "I",
    Section.PARAMETERS: "d",
    Section.LEAF_ROW: "BHI",
    Section.CLASS_NAMES: "B",
    Section.LEAF_ID: "BHI",
    Section.LEAF_COVER: "dfBHI",
    Section.SPLIT_COVER: "dfBHI",
    Section.SPLIT_GAIN: "df",
}
"""The elements that a section may have, by its kind, in struct's letters, little-endian. A node is four of them:
column, cut, first leaf, first leaf of the right. Kinds other than 0 came with version 2, but for nodes."""

SKIPPABLE = frozenset(
    {
        Section.CATEGORY_NAMES,
        Section.CLASS_NAMES,
        Section.LEAF_ID,
        Section.LEAF_COVER,
        Section.SPLIT_COVER,
        Section.SPLIT_GAIN,
    }
)
"""Sections that predictions do not need."""

MODE_SHIFT = 24
"""A column is `mode << 24 | feature`."""


def element_size(section: Section, kind: int) -> int:
    """Return the bytes of one element of a section."""
    size = struct.calcsize("<" + ELEMENTS[section][kind])
    return 4 * size if section is Section.NODES else size


def padded(size: int) -> int:
    """Return the next multiple of 8."""
    return (size + 7) & ~7
