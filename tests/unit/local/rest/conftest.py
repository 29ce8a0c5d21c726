"""The kit of the REST API's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def kit(load_file: Callable[[Path], ModuleType], repository: Path) -> ModuleType:
    """A service made by hand, functions that are Python, and a way to ask."""
    return load_file(repository / "tests" / "rest_kit.py")
