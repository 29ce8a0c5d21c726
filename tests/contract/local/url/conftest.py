"""The cloud of the gateway's integration tests, with functions that have URLs."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location(
    "url_gateway", Path(__file__).parents[3] / "integration" / "local" / "gateway" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_shared = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _shared  # its dataclasses look there
_spec.loader.exec_module(_shared)

start_cloud = _shared.start_cloud


@pytest.fixture(scope="session")
def urls(start_cloud: Callable[..., Any]) -> Any:
    """A cloud whose functions have URLs: of each kind one."""
    from bareboat.service.api import Cors, FunctionUrl

    place, function = _shared.PLACE, _shared.function
    open_url = FunctionUrl(place)
    cors = Cors(
        allowed_origins=("https://shop.example",), allowed_methods=("GET", "POST"), allowed_headers=("content-type",),
        exposed_headers=("x-told",), allow_credentials=True, max_age_s=60,
    )  # fmt: skip
    return start_cloud(
        [
            function("echo", "app.echo", url=open_url),
            function("answer", "app.answer", url=open_url),
            function("streamed", "app.answer", url=FunctionUrl(place, invoke_mode="RESPONSE_STREAM")),
            function("guarded", "app.echo", url=FunctionUrl(place, auth="AWS_IAM")),
            function("shared", "app.answer", url=FunctionUrl(place, cors=cors)),
            function("off", "app.echo", url=open_url, reserved_concurrency=0),
            function("broken", "broken.handler", url=open_url),
        ]
    )
