"""What the unit tests of the forest share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def samples(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    """The random forests and hard rows of the contract tests."""
    return load_file(Path(__file__).parents[2] / "contract/forest/samples.py")
