from __future__ import annotations

from importlib.metadata import version
from types import SimpleNamespace

from bareboat.container.dockerfile import _install
from bareboat.container.surroundings import ImagePython

PYTHON = ImagePython("3.13", "/usr/bin/python3.13", "/usr/local/lib/python3.13/dist-packages", "/usr/local/bin", "/usr")


def test_a_base_without_pip_borrows_the_uv_that_chose_the_packages() -> None:
    prepared = SimpleNamespace(base=SimpleNamespace(tree=frozenset()))

    (line,) = _install(prepared, PYTHON, "Dockerfile.requirements.txt")  # type: ignore[arg-type]

    assert f"--mount=from=ghcr.io/astral-sh/uv:{version('uv')},source=/uv," in line
    assert "--require-hashes" in line
