"""Our logical ids and names against those that osls gives, as record_names.py asked for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bareboat.aws.template import naming

NAMES: list[tuple[str, list[Any], str]] = json.loads(Path(__file__).with_name("names.json").read_text())
ASKED = sorted({ours for ours, _, _ in NAMES})


@pytest.mark.parametrize("ours", ASKED)
def test_name_is_that_of_osls(ours: str) -> None:
    found = {
        str(arguments): (getattr(naming, ours)(*arguments), name) for asked, arguments, name in NAMES if asked == ours
    }

    assert {asked: pair for asked, pair in found.items() if pair[0] != pair[1]} == {}


def test_logical_ids_are_letters_and_digits() -> None:
    assert all(name.isascii() and name.isalnum() for name in ids())


def ids() -> Iterator[str]:
    for ours, arguments, _ in NAMES:
        if ours.endswith("_id"):
            yield getattr(naming, ours)(*arguments)
