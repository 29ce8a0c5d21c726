"""A service lived through on LocalStack, where its environment is: BAREBOAT_LOCALSTACK names its interpreter."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

PYTHON = os.environ.get("BAREBOAT_LOCALSTACK", "")
HOME = Path(__file__).parents[2] / "differential" / "localstack_aws"


@pytest.fixture
def cycle(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(HOME))
    spec = importlib.util.spec_from_file_location("localstack_cycle", HOME / "cycle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "localstack_cycle", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.skipif(
    not PYTHON, reason="BAREBOAT_LOCALSTACK does not name a Python with tests/differential/localstack_aws's packages"
)
@pytest.mark.parametrize("part", ["live_through", "meet_faults"])
def test_a_service_with_a_rest_api_is_lived_through_on_localstack(cycle: ModuleType, part: str) -> None:
    with cycle.at(PYTHON) as terminal:
        getattr(cycle, part)(terminal)

        assert all("LocalStack" in step.answered for step in terminal.steps)
