"""docs/pipeline-format.md says what the code does: its tables against layout.py, ir.py and the kernel's headers."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from bareboat.pipeline.ir import ABSENT, REFUSED, Function, Op
from bareboat.pipeline.layout import ELEMENTS, ENTRY, HEADER, KINDS, MAGIC, SKIPPABLE, STEP, VERSION, Section

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs/pipeline-format.md").read_text()
HEADER_FILE = (ROOT / "src/bareboat/pipeline/c/pipeline_file.h").read_text()
OPEN = (ROOT / "src/bareboat/pipeline/c/pipeline_open.c").read_text()
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


def tables(start: str) -> list[list[list[str]]]:
    """Return the rows of each table of a heading, without their heads."""
    text = DOCS[DOCS.index(f"\n## {start}\n") + 1 :].split("\n## ")[0]
    found: list[list[list[str]]] = []
    for part in text.split("\n\n"):
        lines = [line for line in part.splitlines() if line.startswith("|")]
        if lines:
            found.append([[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]])
    return found


def enumerated(name: str) -> list[str]:
    found = re.search(rf"enum {name} \{{(.*?)\}}", HEADER_FILE, re.DOTALL)
    assert found is not None
    return [each.split("=")[0].strip() for each in found[1].split(",")]


def test_each_section_is_drawn_with_its_size() -> None:
    drawn = [(int(tag), name, int(size)) for tag, name, size, _ in tables("Sections")[0]]

    assert drawn == [(tag.value, tag.name.lower(), ELEMENTS[tag]) for tag in Section]
    assert f"{SKIPPABLE.__iter__().__next__().value} may be skipped" in DOCS
    assert len(SKIPPABLE) == 1


def test_operations_functions_and_kinds_have_their_numbers() -> None:
    functions = re.search(r"\nFunctions: (.*?)\. They", DOCS)

    assert [(int(row[0]), row[1]) for row in tables("Operations")[0]] == [(op.value, op.name.lower()) for op in Op]
    assert functions is not None
    assert functions[1] == ", ".join(f"{each.value} {each.name.lower()}" for each in Function)
    assert [(int(row[0]), row[1]) for row in tables("Header")[1]] == list(enumerate(KINDS))
    assert (ABSENT, REFUSED) == (-1, -2)
    assert "-1, absent" in DOCS
    assert "-2, refused" in DOCS


@pytest.mark.parametrize(("heading", "layout"), [("Header", HEADER), ("Section table", ENTRY), ("A step", STEP)])
def test_fields_lie_where_they_are_drawn(heading: str, layout: struct.Struct) -> None:
    at = 0
    for offset, kind, *_ in tables(heading)[0]:
        assert int(offset) == at
        at += SIZES.get(kind) or int(kind.split()[0])

    assert at == layout.size
    assert f"`{MAGIC.decode()}`" in DOCS
    assert f"version {VERSION}\n" in DOCS


def test_the_kernel_has_the_same_numbers() -> None:
    sizes = re.search(r"ELEMENT_SIZE\[.*?= \{(.*?)\};", OPEN, re.DOTALL)

    assert enumerated("op")[:-1] == [f"OP_{op.name}" for op in Op]
    assert enumerated("function")[:-1] == [f"F_{function.name}" for function in Function]
    assert enumerated("pipeline_kind") == [f"KIND_{kind.upper()}" for kind in KINDS]
    names = {"PIPELINE_NAMES": "NAMES"}
    assert [names.get(tag, tag) for tag in enumerated("pipeline_tag")] == [tag.name for tag in Section]
    assert sizes is not None
    assert [(names.get(tag, tag), int(size)) for tag, size in re.findall(r"\[(\w+)\] = (\d+)", sizes[1])] == [
        (tag.name, ELEMENTS[tag]) for tag in Section
    ]
