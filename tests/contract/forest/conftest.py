"""What the contract tests of the forest share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # frameworks that wait for each other's threads are slow beside xdist

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def samples(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    """Random forests, hard rows and comparisons to the bit."""
    return load_file(HERE / "samples.py")


@pytest.fixture(scope="session")
def trained(load_file: Callable[[Path], ModuleType]) -> ModuleType:
    """LightGBM models of every kind, trained on demand."""
    return load_file(HERE / "trained.py")
