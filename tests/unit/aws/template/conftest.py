"""The template of a serverless.yml written in a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bareboat.aws.shipment import FunctionCode, ImageCode, Shipment, ZipCode
from bareboat.aws.template.aliases import Rollout
from bareboat.aws.template.build import make_template
from bareboat.service import load_service
from bareboat.service.model import Service

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"


@pytest.fixture
def service_of(tmp_path: Path) -> Callable[..., Service]:
    """Load what follows `runtime:` of a serverless.yml; there is a handler.py (handle) and a folder `shared`."""
    (tmp_path / "handler.py").write_text("def handle(event, context): ...\n")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "shared.py").touch()

    def service_of(text: str) -> Service:
        (tmp_path / "serverless.yml").write_text(HEAD + dedent(text))
        return load_service(tmp_path, env={})

    return service_of


@pytest.fixture
def template_of(service_of: Callable[[str], Service]) -> Callable[..., dict[str, Any]]:
    """Make the template of what follows `runtime:`.

    Args:
        code: function name -> sha256 of its zip.
        layers: layer name -> sha256 of its zip.
        permissions: statements that each function's artifact needs.
    """

    def template_of(
        text: str,
        code: dict[str, str] | None = None,
        layers: dict[str, str] | None = None,
        permissions: tuple[dict[str, Any], ...] = (),
        rollout: Rollout | None = None,
    ) -> dict[str, Any]:
        service = service_of(text)
        functions = {
            name: FunctionCode(
                zipped((code or {}).get(name, "a" * 64)), "x86_64", "handler.handle", "python3.13", permissions
            )
            for name in service.functions
        }
        for name in service.image_functions:
            functions[name] = FunctionCode(ImageCode("x/y@sha256:" + "c" * 64, "c" * 64), "arm64")
        shipped = {name: zipped((layers or {}).get(name, "b" * 64)) for name in service.layers}
        return make_template(service, Shipment(functions, shipped), rollout=rollout)

    return template_of


def zipped(sha256: str) -> ZipCode:
    return ZipCode(f"serverless/demo/dev/code/{sha256}.zip", sha256)
