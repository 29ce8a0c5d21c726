"""The templates' own modules, loaded as Lambda would: from their folder, by their bare names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

TEMPLATES = Path(__file__).parents[3] / "src" / "bareboat" / "templates"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], ModuleType]:
    """Return a function that imports a module of a template, anew for each test."""

    def load_module(template: str, module: str) -> ModuleType:
        monkeypatch.syspath_prepend(str(TEMPLATES / template))
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        for name in ("handler", "page"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        loaded = importlib.import_module(module)
        for name in ("handler", "page"):
            if name in sys.modules:
                monkeypatch.setitem(sys.modules, name, sys.modules.pop(name))
        return loaded

    return load_module
