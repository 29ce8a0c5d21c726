"""The fixtures of the integration tests: recordings are replayed on the same functions."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "local_functions", Path(__file__).parents[2] / "integration" / "local" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_shared = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_shared)

client = _shared.client
functions = _shared.functions

_spec = importlib.util.spec_from_file_location(
    "rest_conftest", Path(__file__).parents[2] / "unit/local/rest/conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_rest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_rest)

kit = _rest.kit
