"""Pipeline -> `.pipeline` file, the same bytes for the same pipeline. docs/pipeline-format.md draws every section."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import ModelError
from bareboat.forest.digest import digest
from bareboat.forest.file import forest_bytes, write_bytes
from bareboat.pipeline.arrange import Arranged, arrange
from bareboat.pipeline.ir import Column, Pipeline
from bareboat.pipeline.layout import (
    DIGEST,
    ELEMENTS,
    ENTRY,
    HEADER,
    KINDS,
    MAGIC,
    MAY_BE_SKIPPED,
    NO_LABEL,
    PLACE,
    SKIPPABLE,
    STEP,
    VERSION,
    Section,
    padded,
)


def write_pipeline(pipeline: Pipeline, path: Path, *, statistics: bool = True) -> None:
    """Write a `.pipeline` file, whole or not at all.

    Args:
        pipeline: what to write.
        path: where; a file that is there is replaced.
        statistics: whether its forests keep leaf ids, covers and gains, which predictions do not need.

    Raises:
        ModelError: the pipeline has more of something than the file can hold, or the file cannot be written.
    """
    write_bytes(pipeline_bytes(pipeline, statistics=statistics), path)


def pipeline_bytes(pipeline: Pipeline, *, statistics: bool = False) -> bytes:
    """Return the bytes of the `.pipeline` file.

    Steps may stand there in another form than in the pipeline, but every output has the same bits.

    Raises:
        ModelError: the pipeline has more of something than the file can hold, or contradicts itself.
    """
    arranged = arrange(pipeline)
    sections = _tables(pipeline, arranged)
    files = [forest_bytes(forest, statistics=statistics) for forest in pipeline.forests]
    n_sections = len(sections) + 2 * bool(files)
    start = padded(HEADER.size + ENTRY.size * n_sections)
    offset, entries, body = start, [], [bytes(start - HEADER.size - ENTRY.size * n_sections)]
    if files:
        at = offset + sum(padded(len(data)) for tag, data in sections.items() if tag < Section.FORESTS)
        at += padded(PLACE.size * len(files))
        places = []
        for data in files:
            places.append(PLACE.pack(at, len(data)))
            at += padded(len(data))
        sections[Section.FORESTS] = b"".join(places)
        sections[Section.FOREST_FILES] = b"".join(data + bytes(padded(len(data)) - len(data)) for data in files)
    for tag, data in sorted(sections.items()):
        flags = MAY_BE_SKIPPED if tag in SKIPPABLE else 0
        entries.append(ENTRY.pack(tag, flags, offset, len(data) // ELEMENTS[tag]))
        body += [data, bytes(padded(len(data)) - len(data))]
        offset += padded(len(data))
    head = _head(pipeline, arranged, n_sections, offset + DIGEST.size)
    whole = b"".join((head, *entries, *body))
    return whole + DIGEST.pack(digest(whole))


def _head(pipeline: Pipeline, arranged: Arranged, n_sections: int, size: int) -> bytes:
    if arranged.n_slots > size or sum(each.step.n_out for each in arranged.steps) > size:
        raise ModelError(f"a pipeline of {arranged.n_slots} values a row", expected=f"at most {size}, the file's size")
    return HEADER.pack(
        MAGIC,
        VERSION,
        n_sections,
        KINDS.index(pipeline.kind),
        0,
        0,
        size,
        pipeline.n_features,
        arranged.n_slots,
        len(arranged.steps),
        pipeline.n_outputs,
        pipeline.n_classes,
        NO_LABEL if arranged.label is None else arranged.label,
        len(pipeline.forests),
        pipeline.n_trees,
        0,
    )


def _tables(pipeline: Pipeline, arranged: Arranged) -> dict[Section, bytes]:
    """Return the sections but for the forests."""
    steps = [each.step for each in arranged.steps]
    whole = _joined([step.whole for step in steps], np.int64)
    if len(whole) and (whole.min() < -(2**31) or whole.max() >= 2**31):
        raise ModelError(f"a whole number of {whole.max()} in a step", expected="numbers of 32 bits")
    records = (
        STEP.pack(each.step.op, 0, len(each.step.inputs), each.step.n_out, each.out, len(each.step.numbers), len(w))
        for each, w in ((each, each.step.whole) for each in arranged.steps)
    )
    sections = {
        Section.STEPS: b"".join(records),
        Section.INPUTS: _joined([step.inputs for step in steps], np.int32).astype("<u4").tobytes(),
        Section.NUMBERS: _joined([step.numbers for step in steps], np.float64).astype("<f8").tobytes(),
        Section.WHOLE: whole.astype("<i4").tobytes(),
        Section.OUTPUTS: np.asarray(arranged.outputs).astype("<u4").tobytes(),
        Section.NAMES: _json([pipeline.objective, pipeline.source, *pipeline.feature_names]),
        Section.ABOUT: _json(_about(pipeline, arranged)),
    }
    return {tag: data for tag, data in sections.items() if data}


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)


def _about(pipeline: Pipeline, arranged: Arranged) -> dict[str, Any]:
    """Return what predictions do not need."""
    return {
        "columns": [_column(column) for column in pipeline.columns],
        "classes": pipeline.classes,
        "notes": pipeline.notes,
        "bounds": [each.step.bound for each in arranged.steps],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "dtype": column.dtype,
        "values": column.values,
        "others": column.others,
        "nullable": column.nullable,
        "enum": column.enum,
        "used": column.used,
    }


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
