"""Services and forests made by hand, without serverless.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bareboat.service.model import Function, PackageRules, Place, Provider, PythonRequirements, Service

PLACE = Place("serverless.yml", 7, 3)


def function(name: str, **said: Any) -> Function:
    given = {"handler": "handler.predict", **said}
    if "model" in said:
        given.pop("handler")
    return Function(
        **{
            "name": name,
            "full_name": f"s-dev-{name}",
            "where": PLACE,
            "runtime": "python3.13",
            "python": "3.13",
            "architecture": "arm64",
            **given,
        }
    )


@pytest.fixture
def make_function() -> Callable[..., Function]:
    return function


@pytest.fixture
def make_service(tmp_path: Path) -> Callable[..., Service]:
    def make(*functions: Function, package: PackageRules | None = None, **requirements: Any) -> Service:
        by_name: Mapping[str, Function] = {one.name: one for one in functions}
        return Service(
            name="s",
            path=tmp_path / "serverless.yml",
            folder=tmp_path,
            provider=Provider(),
            functions=by_name,
            package=package or PackageRules(),
            python_requirements=PythonRequirements(**requirements),
        )

    return make
