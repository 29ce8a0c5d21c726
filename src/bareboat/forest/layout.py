"""The `.forest` file's header and section table, as docs/forest-format.md describes them."""

from __future__ import annotations

import struct
from enum import IntEnum

MAGIC = b"BBFOREST"
VERSION = 1
HEADER = struct.Struct("<8sHHBBHQIIIIIId")
"""magic, version, n_sections, transform, flags, 0, size, n_features, n_trees, n_outputs, n_classes, depth, n_leaves,
parameter."""
ENTRY = struct.Struct("<HBBII")
"""tag, kind, flags, offset in units of 8 bytes, count of elements."""
DIGEST = struct.Struct("<Q")

AVERAGE = 1
TINY_IS_ZERO = 2
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


ELEMENT: dict[Section, str] = {
    Section.THRESHOLDS: "d",
    Section.THRESHOLD_START: "I",
    Section.COLUMNS: "I",
    Section.LEAF_START: "I",
    Section.LEAF_VALUES: "d",
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
}
"""The element of each section but NODES, in struct's letters, little-endian."""

NODE_FIELD = {0: "B", 1: "H", 2: "I"}
"""The four fields of a node by the kind of the NODES section: column, cut, first leaf, first leaf of the right."""

MODE_SHIFT = 24
"""A column is `mode << 24 | feature`."""


def element_size(section: Section, kind: int) -> int:
    """Return the bytes of one element of a section."""
    if section is Section.NODES:
        return 4 * struct.calcsize(NODE_FIELD[kind])
    return struct.calcsize("<" + ELEMENT[section])


def padded(size: int) -> int:
    """Return the next multiple of 8."""
    return (size + 7) & ~7
