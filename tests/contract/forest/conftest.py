"""What the contract tests of the forest share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def samples(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    """Random forests, hard rows and comparisons to the bit."""
    return load_file(HERE / "samples.py")


@pytest.fixture(scope="session")
def trained(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    """LightGBM models of every kind, trained on demand."""
    return load_file(HERE / "trained.py")
