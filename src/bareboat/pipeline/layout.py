"""The `.pipeline` file's header, section table and step table, as docs/pipeline-format.md describes them."""

from __future__ import annotations

import struct
from enum import IntEnum

MAGIC = b"BBPIPELN"
VERSION = 1
HEADER = struct.Struct("<8sHHBBHQIIIIIIIIQ")
"""magic, version, n_sections, kind, 0, 0, size, n_features, n_slots, n_steps, n_outputs, n_classes, label, n_forests,
n_trees, 0."""
ENTRY = struct.Struct("<IIQQ")
"""tag, flags, offset in bytes, count of elements."""
STEP = struct.Struct("<HHIIIII")
"""op, 0, n_in, n_out, out, n_numbers, n_whole."""
PLACE = struct.Struct("<QQ")
"""offset and size of an embedded forest."""
DIGEST = struct.Struct("<Q")

ALIGNMENT = 64
NO_LABEL = 0xFFFFFFFF
"""The header's label where that is the first of the greatest outputs, or there are no classes."""
MAY_BE_SKIPPED = 1
"""A section's flag: a reader that does not know the tag goes on without it."""

KINDS = ("proba", "decision", "label", "value")
"""`Pipeline.kind` by the header's number."""


class Section(IntEnum):
    """The tags of sections, in the order in which they stand in the file."""

    STEPS = 1
    INPUTS = 2
    NUMBERS = 3
    WHOLE = 4
    OUTPUTS = 5
    FORESTS = 6
    FOREST_FILES = 7
    NAMES = 8
    ABOUT = 9


ELEMENTS: dict[Section, int] = {
    Section.STEPS: STEP.size,
    Section.INPUTS: 4,
    Section.NUMBERS: 8,
    Section.WHOLE: 4,
    Section.OUTPUTS: 4,
    Section.FORESTS: PLACE.size,
    Section.FOREST_FILES: 1,
    Section.NAMES: 1,
    Section.ABOUT: 1,
}
"""Bytes of one element of each section."""

SKIPPABLE = frozenset({Section.ABOUT})
"""Sections that predictions do not need."""


def padded(size: int) -> int:
    """Return the next multiple of 64."""
    return (size + ALIGNMENT - 1) & -ALIGNMENT
