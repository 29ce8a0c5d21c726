"""Artifacts of model functions, built for this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import Artifact, build, local_target, unpack
from bareboat.local import Invocation, invoke_local
from bareboat.service import load_service
from bareboat.service.model import Service

TEMPLATES = Path(__file__).parents[3] / "src" / "bareboat" / "templates"


class Project:
    """A project in a folder of its own: build it, invoke it, or break its unpacked artifact first."""

    def __init__(self, folder: Path, function: str) -> None:
        self.folder = folder
        self.function = function

    @property
    def service(self) -> Service:
        return load_service(self.folder / "serverless.yml")

    def artifact(self) -> Artifact:
        target, _ = local_target(self.service.functions[self.function])
        return build(self.service, function=self.function, target=target)[self.function]

    def unpacked(self, to: Path) -> Path:
        """Return a copy of the unpacked artifact that a test may change."""
        shutil.copytree(unpack(self.artifact()), to)
        for path in [to, *to.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        return to

    def invoke(self, event: Any, *, folder: Path | None = None) -> Invocation:
        encoded = event if isinstance(event, bytes) else json.dumps(event).encode()
        return invoke_local(self.service, self.function, self.artifact(), encoded, folder=folder)


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Return a function that writes a project: a copy of a folder, with files of one's own over it."""

    def make(source: Path, *, function: str = "predict", **files: str) -> Project:
        folder = tmp_path / "project"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".bareboat"))
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)
        return Project(folder, function)

    return make
