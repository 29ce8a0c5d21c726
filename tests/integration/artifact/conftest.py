"""Projects on disk, built with real parts, with a cache of their own."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bareboat.packaging.interpreters import find_python, running_python
from bareboat.service import load_service
from bareboat.service.model import Service

TEMPLATES = Path(__file__).parents[3] / "src" / "bareboat" / "templates"
IRIS_MODEL = TEMPLATES / "lightgbm-iris" / "lgb.model"


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all of these tests, so that each wheel is packed once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(shared_cache))
    yield shared_cache
    shutil.rmtree(shared_cache / "unpacked", ignore_errors=True)


@pytest.fixture(scope="session")
def python() -> str:
    """The version of the interpreter that runs the tests: there is always one."""
    running = running_python()
    assert running is not None
    return running.version


@pytest.fixture(scope="session")
def lambda_python() -> str:
    """A version whose image has glibc 2.34 and that is installed here."""
    found = next((minor for minor in ("3.13", "3.12", "3.14") if find_python(minor) is not None), None)
    if found is None:
        pytest.skip("no Python 3.12, 3.13 or 3.14 is installed here")
    return found


Project = Callable[..., Service]


@pytest.fixture
def project(tmp_path: Path, python: str) -> Project:
    """Write serverless.yml, a handler and further files; load the service."""

    def make(
        function: str = "handler: handler.predict", *, more: str = "", folder: str = "project", runtime: str = python,
        architecture: str = "x86_64", **files: str | bytes,
    ) -> Service:  # fmt: skip
        home = tmp_path / folder
        home.mkdir(exist_ok=True)
        text = (
            "service: own\n"
            f"provider: {{name: aws, runtime: python{runtime}, architecture: {architecture}}}\n"
            f"functions:\n  predict:\n    {function}\n{more}"
        )
        (home / "serverless.yml").write_text(text)
        given = {"handler.py": "def predict(event, context):\n    return 1\n", **files}
        for name, content in given.items():
            path = home / (name if "/" in name else name.replace("__", "."))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_service(home / "serverless.yml", env={})

    return make


@pytest.fixture
def iris(project: Project) -> Project:
    """A project with a model function of the iris classifier."""

    def make(more: str = "", **said: str | bytes) -> Service:
        function = "model: lgb.model\n    labels: [setosa, versicolor, virginica]" + more
        return project(function, **{"lgb__model": IRIS_MODEL.read_bytes(), **said})

    return make


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """Compile an x86_64 shared library that needs another one of a given name."""
    compiler = shutil.which("cc")
    if compiler is None or platform.machine() != "x86_64" or platform.system() != "Linux":
        pytest.skip("no C compiler for Linux x86_64 here")

    def compile_against(library: str) -> bytes:
        folder = tmp_path_factory.mktemp("native")
        (folder / "dep.c").write_text("int dep(void) { return 1; }\n")
        (folder / "x.c").write_text("int dep(void); int x(void) { return dep(); }\n")
        for command in (["dep.c", "-o", "libdep.so", f"-Wl,-soname,{library}"], ["x.c", "libdep.so", "-o", "x.so"]):
            subprocess.run(
                [compiler, "-shared", "-fPIC", *command], cwd=folder, check=True, capture_output=True, timeout=60
            )
        return (folder / "x.so").read_bytes()

    return compile_against
