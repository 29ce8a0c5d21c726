"""`.pipeline` file -> Pipeline: the way back, for tools and tests. Predictions go through the kernel instead.

Steps come back as they stand in the file, which may be fewer than were written; every output has the same bits.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.forest.file_reader import ensemble_from_bytes
from bareboat.forest.framing import Frame
from bareboat.pipeline.ir import Column, Op, Pipeline, Step
from bareboat.pipeline.layout import (
    ELEMENTS,
    ENTRY,
    HEADER,
    KINDS,
    MAGIC,
    MAY_BE_SKIPPED,
    NO_LABEL,
    PLACE,
    STEP,
    VERSION,
    Section,
)


def read_pipeline_file(path: Path) -> Pipeline:
    """Read a `.pipeline` file.

    Raises:
        ModelError: the file is no `.pipeline` file of a known version, or is damaged.
    """
    return _FRAME.read(path)


def pipeline_from_bytes(data: bytes) -> Pipeline:
    """Read the bytes of a `.pipeline` file; raises ModelError as `read_pipeline_file` does, without a place."""
    return _FRAME.read_bytes(data)


def _pipeline(data: bytes) -> Pipeline:
    head = HEADER.unpack_from(data)
    n_features, n_slots, n_outputs, label = head[7], head[8], head[10], head[12]
    if max(n_features, n_slots) > len(data):
        raise ValueError("more columns or slots than bytes")
    sections = _Sections(data, head[2])
    about = json.loads(sections.bytes(Section.ABOUT) or b"{}")
    objective, source, *names = json.loads(sections.bytes(Section.NAMES))
    columns = [Column(name) for name in names]
    if about:
        columns = [_column(name, column) for name, column in zip(names, about["columns"], strict=True)]
    if len(columns) != n_features:
        raise ValueError(f"{len(columns)} names for {n_features} columns")
    classes = tuple(about.get("classes") or range(head[11]))
    if len(classes) != head[11]:
        raise ValueError(f"{len(classes)} labels for {head[11]} classes")
    steps, slot_of = _steps(sections, n_features, n_slots, head[9], about.get("bounds") or [])
    outputs = sections.numbers(Section.OUTPUTS, "<u4")
    if len(outputs) != n_outputs:
        raise ValueError(f"{len(outputs)} outputs, not {n_outputs}")
    return Pipeline(
        columns=tuple(columns),
        steps=tuple(steps),
        forests=tuple(
            ensemble_from_bytes(data[start : start + size]) for start, size in sections.places(head[13]) if size
        ),
        kind=KINDS[head[3]],  # type: ignore[arg-type]
        outputs=_written(slot_of[outputs]),
        label=None if label == NO_LABEL else int(_written(slot_of[[label]])[0]),
        classes=classes,
        source=source,
        objective=objective,
        notes=tuple(about.get("notes", ())),
    )


_FRAME = Frame("pipeline", MAGIC, HEADER, VERSION, VERSION, _pipeline)


def _written(slots: NDArray[np.int32]) -> NDArray[np.int32]:
    if len(slots) and slots.min() < 0:
        raise ValueError("a slot that is read before it is written")
    return slots


def _column(name: str, about: dict[str, Any]) -> Column:
    values, enum = about["values"], about["enum"]
    return Column(
        name=name,
        dtype=about["dtype"],
        values=None if values is None else tuple(values),
        others=bool(about["others"]),
        nullable=bool(about["nullable"]),
        enum=None if enum is None else tuple(enum),
        used=bool(about["used"]),
    )


class _Sections:
    """The sections of a file; one that is absent has no bytes."""

    def __init__(self, data: bytes, n_sections: int) -> None:
        self._found: dict[int, bytes] = {}
        for number in range(n_sections):
            tag, flags, offset, count = ENTRY.unpack_from(data, HEADER.size + number * ENTRY.size)
            if tag not in set(Section):
                if flags & MAY_BE_SKIPPED:
                    continue
                raise ValueError(f"a section with the unknown tag {tag}")
            size = count * ELEMENTS[Section(tag)]
            if offset + size > len(data):
                raise ValueError(f"the section {Section(tag).name.lower()} lies outside the file")
            self._found[tag] = data[offset : offset + size]

    def bytes(self, section: Section) -> bytes:
        return self._found.get(section, b"")

    def numbers(self, section: Section, dtype: str) -> NDArray[Any]:
        return np.frombuffer(self.bytes(section), dtype)

    def places(self, n_forests: int) -> list[tuple[int, int]]:
        found = list(PLACE.iter_unpack(self.bytes(Section.FORESTS)))
        if len(found) != n_forests:
            raise ValueError(f"{len(found)} forests, not {n_forests}")
        return [(int(start), int(size)) for start, size in found]


def _steps(
    sections: _Sections, n_features: int, n_slots: int, n_steps: int, bounds: list[float]
) -> tuple[list[Step], NDArray[np.int32]]:
    """Return the steps with slots numbered as `Pipeline` does, and that number by the file's slot."""
    slot_of = np.full(max(n_slots, n_features), -1, np.int32)
    slot_of[:n_features] = np.arange(n_features)
    top, steps, at = n_features, [], {Section.INPUTS: 0, Section.NUMBERS: 0, Section.WHOLE: 0}

    def taken(section: Section, dtype: str, count: int) -> NDArray[Any]:
        start = at[section]
        at[section] += count
        found = sections.numbers(section, dtype)[start : start + count]
        if len(found) != count:
            raise ValueError(f"too few elements in the section {section.name.lower()}")
        return found

    records = list(STEP.iter_unpack(sections.bytes(Section.STEPS)))
    if len(records) != n_steps:
        raise ValueError(f"{len(records)} steps, not {n_steps}")
    for number, (op, _, n_in, n_out, out, n_numbers, n_whole) in enumerate(records):
        if out + n_out > n_slots:
            raise ValueError("a step that writes outside the slots")
        steps.append(
            Step(
                op=Op(op),
                inputs=_written(slot_of[taken(Section.INPUTS, "<u4", n_in)]),
                n_out=n_out,
                numbers=taken(Section.NUMBERS, "<f8", n_numbers).astype(np.float64),
                whole=taken(Section.WHOLE, "<i4", n_whole).astype(np.int64),
                bound=float(bounds[number]) if bounds else 0.0,
            )
        )
        slot_of[out : out + n_out] = np.arange(top, top + n_out)
        top += n_out
    return steps, slot_of
