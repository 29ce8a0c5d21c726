"""Functions made of a few lines of source, run by real runtime clients; no process may outlive its test."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bareboat.artifact.model import Artifact
from bareboat.local.invocation import Invocation
from bareboat.local.pool import Pool
from bareboat.packaging.target import host_target
from bareboat.service.model import Function, Place

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
LIMIT_S = 60


class Functions:
    """Makes pools of functions below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def pool(
        self,
        source: str | dict[str, str],
        *,
        handler: str = "handler.handler",
        python: str = RUNNING,
        settings: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Pool:
        """Return a pool that is not started. `fields` are those of Function, `settings` those of Pool."""
        self._made += 1
        task_root = self.folder / f"task{self._made}"
        files = {"handler.py": source} if isinstance(source, str) else source
        for name, text in files.items():
            path = task_root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        fields.setdefault("full_name", "tests-dev-f")
        function = Function(
            name="f",
            where=Place("serverless.yml", 1, 1),
            runtime=f"python{python}",
            python=python,
            architecture="x86_64",
            handler=handler,
            **fields,
        )
        artifact = Artifact(
            path=self.folder / "f.zip",
            digest="",
            functions=("f",),
            target=host_target(python),
            handlers={"f": handler},
            size_bytes=0,
            unzipped_bytes=0,
            manifest={},
        )
        return Pool(function, artifact, folder=task_root, **(settings or {}))

    def run(self, pool: Pool, body: Callable[[Pool], Awaitable[Any]]) -> Any:
        """Start the pool, await the body, close the pool."""

        async def main() -> Any:
            await pool.start()
            try:
                return await asyncio.wait_for(body(pool), LIMIT_S)
            finally:
                await pool.close()

        return asyncio.run(main())

    def invoke(self, pool: Pool, *events: bytes) -> list[Invocation]:
        """Invoke with one event after the other."""

        async def body(pool: Pool) -> list[Invocation]:
            return [await pool.invoke(event) for event in events]

        result: list[Invocation] = self.run(pool, body)
        return result

    def living(self) -> list[str]:
        """Return the command lines of processes that run in these functions' folders."""
        mark = f"LAMBDA_TASK_ROOT={self.folder}".encode()
        found = []
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdigit() and mark in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found


@pytest.fixture(params=["aws", "own"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each runtime client in turn."""
    monkeypatch.setenv("BAREBOAT_RUNTIME_CLIENT", request.param)
    return str(request.param)


@pytest.fixture
def functions(tmp_path: Path) -> Iterator[Functions]:
    """Functions whose processes must be gone at the end of the test."""
    made = Functions(tmp_path)
    yield made
    until = time.monotonic() + 2
    while made.living() and time.monotonic() < until:
        time.sleep(0.01)
    assert made.living() == []
