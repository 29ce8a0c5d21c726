"""docs/forest-format.md says what the code does: its tables against layout.py, ir.py and file.h."""

from __future__ import annotations

import re
from pathlib import Path

from bareboat.forest.ir import Rule, Transform
from bareboat.forest.layout import ELEMENTS, MAY_BE_SKIPPED, SKIPPABLE, Section

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs/forest-format.md").read_text()
HEADER_FILE = (ROOT / "src/bareboat/forest/c/file.h").read_text()
OPEN = (ROOT / "src/bareboat/forest/c/open.c").read_text()
LETTERS = {"f64": "d", "f32": "f", "u8": "B", "u16": "H", "u32": "I"}


def table(start: str) -> list[list[str]]:
    """Return the rows of the first table after a heading, without its head."""
    text = DOCS[DOCS.index(start) :]
    lines = [line for line in text[text.index("\n|") + 1 :].split("\n\n")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_each_section_is_drawn_with_its_elements() -> None:
    drawn = {(int(tag), name, tuple(elements.split(", "))) for tag, name, elements, *_ in table("\n## Sections")}

    letters = {letter: name for name, letter in LETTERS.items()}
    assert drawn == {
        (tag.value, tag.name.lower(), tuple(letters[letter] for letter in ELEMENTS[tag])) for tag in Section
    }


def test_each_section_is_described() -> None:
    described = re.findall(r"(\d+) ([a-z_]+)", "\n".join(re.findall(r"(?m)^### (\d.*)$", DOCS)))

    assert {(int(tag), name) for tag, name in described} == {(tag.value, tag.name.lower()) for tag in Section}


def test_rules_and_transforms_have_their_numbers() -> None:
    def names(rows: list[list[str]]) -> list[tuple[int, str]]:
        return [(int(row[0]), row[1].lower().replace(" ", "_")) for row in rows]

    assert names(table("\n### 3 columns")) == [(rule.value, rule.name.lower()) for rule in Rule]
    assert names(table("\n### Transforms")) == [(each.value, each.name.lower()) for each in Transform]


def test_the_sections_that_may_be_skipped_are_named() -> None:
    assert MAY_BE_SKIPPED == 1
    assert "17 and 22 to 26 may be skipped" in DOCS
    assert {17, 22, 23, 24, 25, 26} == SKIPPABLE


def test_the_kernel_has_the_same_tags_and_elements() -> None:
    tags = re.search(r"enum tag \{(.*?)\}", HEADER_FILE, re.DOTALL)
    elements = re.search(r"ELEMENTS\[.*?= \{(.*?)\};", OPEN, re.DOTALL)

    assert tags is not None
    assert elements is not None
    assert [name.split("=")[0].strip() for name in tags[1].split(",")] == [tag.name for tag in Section]
    assert dict(re.findall(r'\[(\w+)\] = "(\w+)"', elements[1])) == {tag.name: ELEMENTS[tag] for tag in Section}
