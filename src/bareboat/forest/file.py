"""Forest -> `.forest` file, the same bytes for the same forest. docs/forest-format.md draws every section."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from bareboat.errors import ModelError
from bareboat.forest.digest import digest
from bareboat.forest.ir import Forest
from bareboat.forest.layout import (
    AVERAGE,
    DIGEST,
    ELEMENT,
    ENTRY,
    HEADER,
    MAGIC,
    MAY_BE_SKIPPED,
    NODE_FIELD,
    TINY_IS_ZERO,
    VERSION,
    Section,
    padded,
)
from bareboat.forest.tables import Tables, build_tables


def write_forest(forest: Forest, path: Path) -> None:
    """Write a `.forest` file, whole or not at all.

    Raises:
        ModelError: the forest has more of something than the file can hold, or the file cannot be written.
    """
    data = forest_bytes(forest)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ModelError(
            f"cannot write the forest: {error.strerror or error}", fix="check the folder and its space", where=str(path)
        ) from error


def forest_bytes(forest: Forest) -> bytes:
    """Return the bytes of the `.forest` file.

    Raises:
        ModelError: the forest has more of something than the file can hold.
    """
    tables = build_tables(forest)
    sections = _sections(forest, tables)
    entries: list[bytes] = []
    body: list[bytes] = []
    offset = padded(HEADER.size + ENTRY.size * len(sections))
    body.append(bytes(offset - HEADER.size - ENTRY.size * len(sections)))
    for tag, kind, count, data in sections:
        flags = MAY_BE_SKIPPED if tag is Section.CATEGORY_NAMES else 0
        entries.append(ENTRY.pack(tag, kind, flags, offset // 8, count))
        body.append(data.ljust(padded(len(data)), b"\0"))
        offset += padded(len(data))
    head = HEADER.pack(
        MAGIC,
        VERSION,
        len(sections),
        forest.transform,
        (AVERAGE if forest.average else 0) | (TINY_IS_ZERO if forest.tiny_is_zero else 0),
        0,
        offset + DIGEST.size,
        forest.n_features,
        forest.n_trees,
        forest.n_outputs,
        forest.n_classes,
        tables.depth,
        len(tables.leaf_values),
        forest.parameter,
    )
    data = b"".join((head, *entries, *body))
    return data + DIGEST.pack(digest(data))


def _sections(forest: Forest, tables: Tables) -> list[tuple[Section, int, int, bytes]]:
    """Return (tag, kind, count, bytes) of each section that has a place in this file, by tag."""
    plain: dict[Section, Sequence[float] | bytes] = {
        Section.THRESHOLDS: tables.thresholds,
        Section.THRESHOLD_START: tables.threshold_start,
        Section.COLUMNS: tables.columns,
        Section.LEAF_START: tables.leaf_start,
        Section.LEAF_VALUES: tables.leaf_values,
        Section.NAMES: _names(forest),
    }
    if tables.category_start:
        plain[Section.CATEGORY_CODES] = tables.category_codes
        plain[Section.CATEGORY_START] = tables.category_start
        plain[Section.SET_START] = tables.set_start
        plain[Section.SET_OFFSET] = tables.set_offset
        plain[Section.SETS] = tables.sets
    if tables.linear_start:
        plain[Section.LINEAR_CONSTANT] = tables.linear_constant
        plain[Section.LINEAR_START] = tables.linear_start
        plain[Section.LINEAR_FEATURE] = tables.linear_feature
        plain[Section.LINEAR_COEFFICIENT] = tables.linear_coefficient
    if any(forest.categories):
        plain[Section.CATEGORY_NAMES] = json.dumps(forest.categories, separators=(",", ":")).encode()
    sections = [(tag, 0, len(values), _packed(ELEMENT[tag], values)) for tag, values in plain.items()]
    nodes = _packed(NODE_FIELD[tables.node_kind], tables.nodes)
    sections.append((Section.NODES, tables.node_kind, len(tables.nodes) // 4, nodes))
    return sorted(sections, key=lambda section: section[0])


def _packed(letter: str, values: Sequence[float] | bytes) -> bytes:
    if isinstance(values, bytes):
        return values
    return struct.pack(f"<{len(values)}{letter}", *values)


def _names(forest: Forest) -> bytes:
    words = (forest.objective, forest.source, *forest.feature_names)
    for word in words:
        if "\0" in word:
            raise ModelError(
                f"a NUL character in the name {word!r}", expected="a name without it", fix="rename the feature"
            )
    return "\0".join(words).encode()
