"""The fixtures of the integration tests: recordings are replayed on the same API."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "lambda_api_served", Path(__file__).parents[3] / "integration" / "local" / "lambda_api" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_shared = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_shared)

start_lambda = _shared.start_lambda
served = _shared.served
boto = _shared.boto
