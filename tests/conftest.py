"""What all tests share: where the recordings of the real AWS lie, and what a missing part of the machine means."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bareboat.local.cloud import LocalCloud

REPOSITORY = Path(__file__).parent.parent
ORACLE = Path(os.environ.get("BAREBOAT_ORACLE", REPOSITORY.parent / "shared" / "oracle"))
NOT_HERE = "not on this machine: "
PROMISED = (NOT_HERE, "could not import")  # pyproject.toml installs every module that a test needs


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that is tested."""
    return REPOSITORY


@pytest.fixture(scope="session")
def oracle() -> Path:
    """The folder of recorded answers. They are not ours to copy, so a test without them is skipped, saying so."""
    if not ORACLE.is_dir():
        pytest.skip(f"{NOT_HERE}the recordings at {ORACLE} (BAREBOAT_ORACLE says where they lie)")
    return ORACLE


@pytest.fixture(scope="session")
def system_command() -> Callable[[str], str]:
    """Find a command of tests/system-packages.txt, or skip the test; in CI that skip is a failure."""
    listed = dict(
        reversed(line.split())
        for line in (REPOSITORY / "tests" / "system-packages.txt").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    )

    def find(command: str) -> str:
        assert command in listed, f"{command} is not in tests/system-packages.txt"
        path = shutil.which(command)
        if path is None:
            pytest.skip(f"{NOT_HERE}{command}, of the package {listed[command]}")
        return path

    return find


@pytest.fixture(scope="session")
def load_file() -> Callable[[Path], ModuleType]:
    """Import a Python file that lies among the tests, which are no package."""

    def load_module(path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"bareboat_tests_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load_module


@pytest.fixture
def load_template(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], ModuleType]:
    """Import a module of a template as Lambda would, from its folder and by its bare name, anew for each test."""

    def load_module(template: str, module: str) -> ModuleType:
        monkeypatch.syspath_prepend(str(REPOSITORY / "src" / "bareboat" / "templates" / template))
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        for name in ("handler", "page"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        loaded = importlib.import_module(module)
        for name in ("handler", "page"):
            if name in sys.modules:
                monkeypatch.setitem(sys.modules, name, sys.modules.pop(name))
        return loaded

    return load_module


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail, in CI, a test that was skipped for something that CI promises to have."""
    report = yield
    if report.skipped and os.environ.get("CI") and any(words in str(report.longrepr) for words in PROMISED):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def cloud_of() -> Callable[[Path], AbstractContextManager[LocalCloud]]:
    """Serve the service of a folder on a thread of its own, on free ports: `with cloud_of(folder) as cloud`."""
    from bareboat.artifact import build_here, targets_here
    from bareboat.local.cloud import LocalCloud
    from bareboat.service import load_service

    @contextmanager
    def running(folder: Path) -> Iterator[LocalCloud]:
        service = load_service(folder)
        artifacts = build_here(service, targets_here(service)[0])
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        async def start() -> LocalCloud:
            cloud = LocalCloud(service, artifacts, port=0, console=False)
            await cloud.start()
            return cloud

        try:
            cloud = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
            try:
                yield cloud
            finally:
                asyncio.run_coroutine_threadsafe(cloud.close(), loop).result(60)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(30)
            loop.close()

    return running
