"""A project that is served while the test changes it."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bareboat.artifact import build_here, targets_here
from bareboat.artifact.model import Artifact
from bareboat.local.cloud import LocalCloud
from bareboat.local.invocation import Invocation
from bareboat.local.reload.reloader import LOOK_S, Reloader
from bareboat.local.reload_record import Reload
from bareboat.service import load_service
from bareboat.service.model import Service

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
LIMIT_S = 30.0

CONFIG = f"""\
service: hot
provider: {{name: aws, runtime: python{MINOR}, memorySize: 128}}
functions:
  hello:
    handler: handler.hello
    package: {{individually: true, patterns: ['!**', handler.py, helper.py, data/**]}}
    events:
      - httpApi: GET /hello
  other:
    handler: other.other
    package: {{individually: true, patterns: ['!**', other.py]}}
    events:
      - httpApi: GET /other
"""
HANDLER = """\
import os
import helper

def hello(event, context):
    return f"{helper.WORD} {os.getpid()}"
"""
OTHER = """\
import os, time

def other(event, context):
    folder = (event.get("queryStringParameters") or {}).get("folder")
    if folder:
        open(os.path.join(folder, "began"), "w").close()
        while not os.path.exists(os.path.join(folder, "go")):
            time.sleep(0.005)
    return f"one {os.getpid()}"
"""
FILES = {"serverless.yml": CONFIG, "handler.py": HANDLER, "helper.py": "WORD = 'one'\n", "other.py": OTHER}


@dataclass
class Project:
    """A folder that is served, in a thread of its own."""

    folder: Path
    loop: asyncio.AbstractEventLoop
    cloud: LocalCloud
    client: httpx.Client
    reloads: list[Reload] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def write(self, **files: str) -> None:
        """Write modules (`handler=...`) and the configuration (`serverless=...`)."""
        for name, text in files.items():
            (self.folder / ("serverless.yml" if name == "serverless" else f"{name}.py")).write_text(text)

    def get(self, path: str = "/hello") -> str:
        time.sleep(max(2 * LOOK_S, 0.02))  # else the request before this one has looked for changes for both
        response = self.client.get(path)
        return response.text if response.status_code == 200 else f"{response.status_code} {response.text}"

    def word(self, path: str = "/hello") -> str:
        return self.get(path).split()[0]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LIMIT_S)

    def wait_for_reloads(self, count: int) -> None:
        wait_for(lambda: len(self.reloads) >= count)


def wait_for(condition: Callable[[], Any], limit_s: float = LIMIT_S) -> None:
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.01)


Build = Callable[[Service, Callable[[str], None]], Mapping[str, Artifact]]


def build(service: Service, on_step: Callable[[str], None]) -> Mapping[str, Artifact]:
    service = replace(service, proof=False)
    return build_here(service, targets_here(service)[0], on_step=on_step)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Serve a project of some files."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    ends: list[Callable[[], Any]] = []

    def start(files: Mapping[str, str] = FILES, *, build: Build = build, reloads: bool = True) -> Project:
        folder = tmp_path / "project"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_text(text)
        service = load_service(folder)
        artifacts = build(service, lambda _: None)
        client = httpx.Client(timeout=LIMIT_S)

        async def make() -> Project:
            cloud = LocalCloud(service, artifacts, port=0, grace_s=1)
            await cloud.start()
            client.base_url = httpx.URL(cloud.url)
            project = Project(folder, loop, cloud, client)
            cloud.observe(on_reload=project.reloads.append, on_log=project.invocations.append)
            if reloads:
                reloader = Reloader(cloud, lambda: load_service(folder), build, on_note=project.notes.append, hold_s=10)
                tasks.append(asyncio.ensure_future(reloader.run()))
                await asyncio.sleep(0)
            return project

        tasks: list[asyncio.Task[None]] = []
        project: Project = asyncio.run_coroutine_threadsafe(make(), loop).result(LIMIT_S)

        async def end() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await project.cloud.close()

        ends.append(lambda: (client.close(), project.run(end())))
        return project

    yield start
    for each in ends:
        each()
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LIMIT_S)
    loop.close()


@pytest.fixture
def project(serve: Callable[..., Project]) -> Project:
    """The project of FILES, served."""
    return serve()
