"""Ensemble -> `.forest` file, the same bytes for the same ensemble. docs/forest-format.md draws every section."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.digest import digest
from bareboat.forest.ir import Ensemble, Transform
from bareboat.forest.layout import (
    AVERAGE,
    DIGEST,
    ELEMENTS,
    ENTRY,
    HEADER,
    MAGIC,
    MAY_BE_SKIPPED,
    SINGLE_INPUT,
    SINGLE_SUM,
    SKIPPABLE,
    TINY_IS_ZERO,
    VECTOR_LEAVES,
    VERSION,
    Section,
    padded,
)
from bareboat.forest.tables import build_tables


def write_forest(ensemble: Ensemble, path: Path, *, statistics: bool = True) -> None:
    """Write a `.forest` file, whole or not at all.

    Args:
        ensemble: what to write.
        path: where; a file that is there is replaced.
        statistics: whether leaf ids, covers and gains are kept, which predictions do not need.

    Raises:
        ModelError: the ensemble has more of something than the file can hold, or the file cannot be written.
    """
    write_bytes(forest_bytes(ensemble, statistics=statistics), path)


def write_bytes(data: bytes, path: Path) -> None:
    """Write the bytes of a `.forest` file, whole or not at all; raises ModelError when they cannot be written."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ModelError(
            f"cannot write the forest: {error.strerror or error}", fix="check the folder and its space", where=str(path)
        ) from error


def forest_bytes(ensemble: Ensemble, *, statistics: bool = True) -> bytes:
    """Return the bytes of the `.forest` file.

    Raises:
        ModelError: the ensemble has more of something than the file can hold, or contradicts itself.
    """
    _check(ensemble)
    tables = build_tables(ensemble, statistics=statistics)
    sections = sorted((tables.sections | _others(ensemble)).items())
    start = HEADER.size + ENTRY.size * len(sections)
    offset = padded(start)
    entries, body = [], [bytes(offset - start)]
    for tag, values in sections:
        flags = MAY_BE_SKIPPED if tag in SKIPPABLE else 0
        entries.append(ENTRY.pack(tag, _kind(tag, values), flags, offset // 8, len(values)))
        data = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
        body += [data, bytes(padded(len(data)) - len(data))]
        offset += padded(len(data))
    head = HEADER.pack(
        MAGIC,
        VERSION,
        len(sections),
        ensemble.transform,
        _flags(ensemble),
        _trees_per_round(ensemble),
        offset + DIGEST.size,
        ensemble.n_features,
        ensemble.n_trees,
        ensemble.n_outputs,
        ensemble.n_classes,
        tables.depth,
        ensemble.n_leaves,
        ensemble.parameters[0],
    )
    data = b"".join((head, *entries, *body))
    return data + DIGEST.pack(digest(data))


def _kind(tag: Section, values: NDArray[Any]) -> int:
    return [np.dtype(letter) for letter in ELEMENTS[tag]].index(values.dtype)


def _flags(ensemble: Ensemble) -> int:
    flags = {
        AVERAGE: ensemble.average,
        TINY_IS_ZERO: ensemble.tiny_is_zero,
        SINGLE_INPUT: ensemble.single_input,
        SINGLE_SUM: ensemble.single_sum,
        VECTOR_LEAVES: ensemble.has_vector_leaves,
    }
    return sum(flag for flag, is_set in flags.items() if is_set)


def _trees_per_round(ensemble: Ensemble) -> int:
    """Return the header's field, which is 0 for the usual number."""
    usual = 1 if ensemble.has_vector_leaves else ensemble.n_outputs
    if ensemble.trees_per_round == usual:
        return 0
    if ensemble.trees_per_round > 0xFFFF:
        raise ModelError(f"{ensemble.trees_per_round} trees a round", expected="at most 65535")
    return ensemble.trees_per_round


def _others(ensemble: Ensemble) -> dict[Section, NDArray[Any]]:
    """Return the sections that are not of trees."""
    sections: dict[Section, NDArray[Any]] = {Section.NAMES: _text(_names(ensemble))}
    if any(ensemble.categories):
        sections[Section.CATEGORY_NAMES] = _text(json.dumps(ensemble.categories, separators=(",", ":")))
    if ensemble.classes:
        sections[Section.CLASS_NAMES] = _text(json.dumps(ensemble.classes, separators=(",", ":")))
    if ensemble.base.view(np.uint64).any():  # the bits: sums that start at -0.0 may end there
        sections[Section.BASE] = ensemble.base
    if ensemble.parameters[1:]:
        sections[Section.PARAMETERS] = np.array(ensemble.parameters[1:], np.float64)
    output = ensemble.trees.output
    if not ensemble.has_vector_leaves and not np.array_equal(output, np.arange(len(output)) % ensemble.n_outputs):
        sections[Section.TREE_OUTPUT] = output.astype(np.uint32)
    return sections


def _text(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _names(ensemble: Ensemble) -> str:
    words = (ensemble.objective, ensemble.source, *ensemble.feature_names)
    for word in words:
        if "\0" in word:
            raise ModelError(
                f"a NUL character in the name {word!r}", expected="a name without it", fix="rename the feature"
            )
    return "\0".join(words)


def _check(ensemble: Ensemble) -> None:
    """Raise for what no reader may return: what the kernel would refuse when it opens the file."""
    n_outputs, trees, a_round = ensemble.n_outputs, ensemble.trees, ensemble.trees_per_round
    outputs = set(np.unique(trees.output).tolist())
    n_parameters = 2 if ensemble.transform is Transform.ISOLATION else 1
    divides = ensemble.transform in {Transform.ISOLATION, Transform.SAMME}
    expectations = [
        (len(ensemble.base) == n_outputs, f"{len(ensemble.base)} bases for {n_outputs} outputs"),
        (bool(np.isfinite(ensemble.base).all()), "a base that is not finite"),
        (trees.leaf_value.shape[1] in {1, n_outputs}, f"leaves of {trees.leaf_value.shape[1]} for {n_outputs} outputs"),
        (a_round > 0 and ensemble.n_trees % a_round == 0, f"{ensemble.n_trees} trees, {a_round} a round"),
        (outputs <= set(range(n_outputs)), f"trees for outputs {sorted(outputs)} of {n_outputs}"),
        (len(ensemble.categories) == ensemble.n_features, f"categories of {len(ensemble.categories)} features"),
        (len(ensemble.classes) in {0, ensemble.n_classes}, f"{len(ensemble.classes)} labels of {ensemble.n_classes}"),
        (len(ensemble.parameters) == n_parameters, f"{len(ensemble.parameters)} parameters"),
        (bool(np.isfinite(ensemble.parameters).all()), "a parameter that is not finite"),
        (not (divides and ensemble.parameters[0] == 0), "a parameter of 0"),
        (not (ensemble.transform is Transform.SAMME and n_outputs < 2), "votes for one class"),
    ]
    if ensemble.single_sum:
        for what, values in (("leaf value", trees.leaf_value), ("base", ensemble.base)):
            with np.errstate(over="ignore"):
                is_single = np.array_equal(values.astype(np.float32), values)
            expectations.append((is_single, f"a {what} that is no float32 although sums are"))
    if trees.linear is not None:
        plain = not (ensemble.single_sum or ensemble.has_vector_leaves)
        expectations.append((plain, "linear leaves that are vectors or summed in float32"))
    for is_met, found in expectations:
        if not is_met:
            raise ModelError(f"a model with {found}", expected="a model that does not contradict itself")
