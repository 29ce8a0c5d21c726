"""The fixtures of the integration tests: recordings are replayed on the same API, and on a whole cloud."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

LOCAL = Path(__file__).parents[3] / "integration" / "local"


def load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


_served = load("lambda_api_served", LOCAL / "lambda_api" / "conftest.py")
_gateway = load("lambda_api_gateway", LOCAL / "gateway" / "conftest.py")

start_lambda = _served.start_lambda
served = _served.served
boto = _served.boto


@pytest.fixture
def making() -> ModuleType:
    """What makes services and artifacts of a few lines."""
    return _gateway
