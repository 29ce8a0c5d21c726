"""Services and forests made by hand, without serverless.yml."""

from __future__ import annotations

import stat
import struct
import zipfile
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


def elf(machine: int = 62, *, needed: bytes = b"") -> bytes:
    """Write a file of headers only, or one that needs one library."""
    names = b"\0" + needed + b"\0"
    tags = [(1, 1)] if needed else []
    tags += [(5, 64 + 2 * 56), (10, len(names)), (0, 0)]
    body = names + b"".join(struct.pack("<qQ", *tag) for tag in tags)
    size = 64 + 2 * 56 + len(body)
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)
    begin = 64 + 2 * 56 + len(names)
    segments += struct.pack("<IIQQQQQQ", 2, 5, begin, begin, begin, 16 * len(tags), 16 * len(tags), 8)
    head = struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    return b"\x7fELF\x02\x01\x01" + bytes(9) + head + segments + body


def zipped(path: Path, files: dict[str, bytes], *, mode: int = 0o644) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(info, data)
    return path
