"""A local cloud with a REST API, made as that of the HTTP API's tests is."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bareboat.service.api import RequestRules, RestCors, Schema
from bareboat.service.triggers import HttpEvent

_spec = importlib.util.spec_from_file_location("gateway_cloud", Path(__file__).parents[1] / "gateway" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_gateway = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _gateway  # its dataclass looks for its module
_spec.loader.exec_module(_gateway)

start_cloud = _gateway.start_cloud
SCHEMA = {"type": "object", "required": ["statusCode"]}


def _function(name: str, handler: str, *events: HttpEvent, **settings: Any) -> Any:
    return replace(_gateway.function(name, handler, **settings), events=events)


def _http(method: str, path: str, **fields: Any) -> HttpEvent:
    return HttpEvent(method, path, _gateway.PLACE, **fields)


@pytest.fixture(scope="session")
def rest(start_cloud: Callable[..., Any]) -> Any:
    """A cloud with a REST API over real processes."""
    rules = RequestRules({}, (Schema("application/json", SCHEMA, _gateway.PLACE),))
    return start_cloud(
        [
            _function(
                "echo",
                "app.echo",
                _http("GET", "/items/{id}", cors=RestCors(methods=("OPTIONS", "GET"), headers=("X-A",))),
                _http("POST", "/later", integration="AWS", asynchronous=True),
                _http("*", "/files/{proxy+}"),
            ),
            _function("answer", "app.answer", _http("POST", "/answer", rules=rules)),
            _function("bad", "app.bad", _http("GET", "/bad/{kind}"), timeout_s=1),
            _function("asgi", "asgi.handler", _http("*", "/asgi/{proxy+}")),
        ]
    )
