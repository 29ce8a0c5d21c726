"""What the contract tests of the forest share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    """Load a module that lies beside this file; tests are no package."""
    spec = importlib.util.spec_from_file_location(f"bareboat_forest_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """Random forests, hard rows and comparisons to the bit."""
    return _load("samples")


@pytest.fixture(scope="session")
def trained() -> ModuleType:
    """LightGBM models of every kind, trained on demand."""
    return _load("trained")
