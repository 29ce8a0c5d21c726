"""A service folder made from a text, and what loading it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bareboat.errors import ConfigurationError, Problem
from bareboat.service import load_service
from bareboat.service.model import Service

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with handler.py (predict) and lgb.model in it."""
    (tmp_path / "handler.py").write_text("def predict(event, context):\n    return event\n")
    (tmp_path / "lgb.model").write_text("tree\n")
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Callable[..., Service]:
    """Load a text as serverless.yml; the environment is empty unless given."""

    def load(text: str, **arguments: Any) -> Service:
        (folder / "serverless.yml").write_text(dedent(text), encoding="utf-8")
        return load_service(folder, **{"env": {}, **arguments})

    return load


@pytest.fixture
def refuse(load: Callable[..., Service]) -> Callable[..., list[Problem]]:
    """Load a text that must be refused, and return its problems."""

    def refuse(text: str, **arguments: Any) -> list[Problem]:
        with pytest.raises(ConfigurationError) as caught:
            load(text, **arguments)
        return list(caught.value.problems)

    return refuse


@pytest.fixture
def function(load: Callable[..., Service]) -> Callable[..., Any]:
    """Load `functions.predict` from its body (indented by four) and return the Function."""

    def function(body: str, head: str = HEAD, **arguments: Any) -> Any:
        return load(with_function(body, head), **arguments).functions["predict"]

    return function


@pytest.fixture
def refuse_function(refuse: Callable[..., list[Problem]]) -> Callable[..., list[Problem]]:
    """Load `functions.predict` from a body that must be refused, and return the problems."""

    def refuse_function(body: str, head: str = HEAD, **arguments: Any) -> list[Problem]:
        return refuse(with_function(body, head), **arguments)

    return refuse_function


def with_function(body: str, head: str) -> str:
    """Return a file with one function, predict, whose keys are the body's."""
    lines = [f"    {line}" for line in dedent(body).strip("\n").splitlines()]
    return head + "functions:\n  predict:\n" + "\n".join(lines) + "\n"
