"""Changes of the project -> the next generation behind the open ports, or why the last good one goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.local.reload.refusal import Refusal, refusal
from bareboat.local.reload.syntax import check_syntax
from bareboat.local.reload.watched import MOST, Watched, watched
from bareboat.local.reload.watcher import Watcher
from bareboat.local.reload_record import Reload

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.local.cloud import LocalCloud
    from bareboat.service.model import Service

log = logging.getLogger(__name__)

HOLD_S = 1.0
HOLD_MOST_S = 3.0  # when all is built and only an init is missing, or when changes go on
LOOK_S = 0.005  # how often requests look for changes themselves, since the system tells of them a moment later
LOOK_FILE_S = 75e-6  # for each file more, which costs 1.5 us: looking takes a fiftieth of the time at most
SETTLE_S = 0.015  # files are written in several steps; longer than the clock of file systems ticks (4 ms)
SECOND_LOOK_S = 0.1  # what is broken may be half written
WATCH_AFTER_S = 0.3  # the first requests come first
OFTEN, OFTEN_S = 8, 20.0  # a file that changes more often than that is not written by a person
CODE = (".py", ".yml", ".yaml", ".env", ".toml", ".so")
LONG = ("Resolving", "Installing", "Fetching", "Compiling and compressing", "Proving", "Waiting")
"""What builds say they do when it takes longer than anybody should wait for."""

Load = Callable[[], "Service"]
Build = Callable[["Service", Callable[[str], None]], "Mapping[str, Artifact]"]


class Reloader:
    """Keeps a running cloud in step with its project.

    Args:
        load: reads the service anew; called in a thread.
        build: builds its artifacts for this machine, telling what is under way; called in a thread.
        on_note: told once of each reload that takes longer, and of a file that is followed no more.
        hold_s: how long a request waits for the next generation; then the last good one answers.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        load: Load,
        build: Build,
        *,
        on_note: Callable[[str], None] = lambda _: None,
        hold_s: float = HOLD_S,
    ) -> None:
        self._cloud = cloud
        self._load = load
        self._build = build
        self._on_note = on_note
        self._hold_s = hold_s
        self._loop = asyncio.get_running_loop()
        self._watched: Watched = watched(cloud.service)
        self._watcher: Watcher | None = None
        self._pending: set[str] = set()
        self._since = 0.0
        self._wake = asyncio.Event()
        self._running = False
        self._hold_until = 0.0
        self._is_long = False
        self._is_broken = False
        self._times: dict[str, list[float]] = {}
        self._missed: set[str] = set()  # archives that were found gone

    async def run(self) -> None:
        """Reload whenever something has changed, until cancelled."""
        gate = self._cloud.gate
        self._look_often()
        starting = self._loop.call_later(WATCH_AFTER_S, self._watch)
        try:
            while True:
                await self._wake.wait()
                self._running = True
                try:
                    await self._reload()
                    self._notice(self._changed())  # what was saved meanwhile comes before the requests that wait
                finally:
                    self._running = False
                    if self._pending:
                        self._hold()
                    else:
                        gate.open()
        finally:
            gate.look_with(None)
            starting.cancel()
            if self._watcher is not None:
                self._watcher.stop()

    # What has changed

    def _watch(self) -> None:
        """Watch the folders of the project as it is now."""
        folders = self._watched.folders.keys()
        if self._watcher is not None:
            if self._watcher.folders == folders:
                return
            self._watcher.stop()
        self._watcher = Watcher(folders, self._from_thread)

    def _from_thread(self, paths: set[str] | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._hear, paths)

    def _hear(self, paths: set[str] | None) -> None:
        """Hear of paths from the system, which also tells of what was seen already; None is that it begins to tell."""
        seen = self._watched
        if paths is None:
            self._notice(seen.changed())
        else:
            self._notice({path for path in paths if seen.counts(path) and seen.differs(path)})

    def _look_often(self) -> None:
        every_s = max(LOOK_S, LOOK_FILE_S * self._watched.size)
        self._cloud.gate.look_with(self._look if self._watched.size <= MOST else None, every_s=every_s)

    def _look(self) -> None:
        """Look for changes before a request."""
        if not self._running:
            self._notice(self._watched.changed() | self._gone())

    def _gone(self) -> set[str]:
        """Return the archives that somebody has removed since, each once: building makes them again."""
        gone = {str(one.path) for one in self._cloud.artifacts.values() if not one.path.exists()}
        new = gone - self._missed
        self._missed = gone
        return new

    def _notice(self, paths: set[str]) -> None:
        if not paths:
            return
        if not self._pending:
            self._since = time.time()
        self._pending |= paths
        self._wake.set()
        if not self._running:  # one that runs holds requests back itself, for as long as it may
            self._hold()

    def _hold(self) -> None:
        """Hold requests back for a while, unless they are."""
        if not self._cloud.gate.is_shut:
            self._cloud.gate.close(self._hold_s)
            self._hold_until = time.monotonic() + HOLD_MOST_S

    def _hold_for_init(self) -> None:
        """Hold requests that are held back until a usual init is over: all else is done."""
        left_s = self._hold_until - time.monotonic()
        self._cloud.gate.hold_longer(min(self._cloud.init_s + self._hold_s, left_s))

    def _changed(self) -> set[str]:
        return self._watched.changed() if self._watched.size <= MOST else set()

    def _follow_less(self, changed: set[str]) -> None:
        """Follow no more what changes without end and is no code: some program's output that lies in the project."""
        now = time.monotonic()
        restless = set()
        for path in changed:
            if path.endswith(CODE) or path in self._watched.own:
                continue
            times = [at for at in self._times.get(path, ()) if now - at < OFTEN_S]
            self._times[path] = [*times, now]
            if len(times) + 1 > OFTEN:
                restless.add(path)
        if restless:
            self._watched = replace(self._watched, not_followed=self._watched.not_followed | restless)
            names = ", ".join(sorted(os.path.relpath(path, self._cloud.service.folder) for path in restless))
            self._on_note(
                f"{names} changes again and again, so its changes are followed no more (until the next start)"
            )

    # What becomes of it

    async def _reload(self) -> None:
        at, began = self._since, time.perf_counter() - (time.time() - self._since)
        changed: set[str] = set()
        self._is_long = False
        while True:
            await self._settle()
            changed |= self._take()
            error: Exception | None = None
            try:
                service, artifacts = await asyncio.to_thread(self._attempt, changed)
                if self._pending and time.perf_counter() - began < self._hold_s:
                    continue
                new = self._is_new(service, artifacts)
                if new:
                    self._hold_for_init()
                functions = await self._cloud.replace(service, artifacts) if new else ()
            except Exception as caught:  # noqa: BLE001 - whatever a half-written project leads to
                error = caught
                if not self._pending:
                    await asyncio.sleep(SECOND_LOOK_S)
                    self._notice(self._watched.changed())
            if error is not None and self._pending and time.perf_counter() - began < 2 * self._hold_s:
                continue
            break
        took_ms = (time.perf_counter() - began) * 1000
        self._follow_less(changed)
        self._watch()
        self._look_often()
        if error is not None:
            self._is_broken = True
            self._tell(refusal(error, self._cloud.service.folder), at, took_ms, changed, ())
        elif new or self._is_broken:
            self._is_broken = False
            self._tell(Refusal(""), at, took_ms, changed, functions)

    async def _settle(self) -> None:
        """Wait until nothing more is noticed, but not for long."""
        for _ in range(10):
            known = len(self._pending)
            await asyncio.sleep(SETTLE_S)
            self._pending |= self._changed()
            if len(self._pending) == known:
                return

    def _take(self) -> set[str]:
        taken, self._pending = self._pending, set()
        self._wake.clear()
        return taken

    def _attempt(self, changed: set[str]) -> tuple[Service, Mapping[str, Artifact]]:
        """Read and build, in a thread; what has been seen before counts as known from now on."""
        before = self._watched.refreshed()
        self._watched = before
        service = self._load()
        self._watched = watched(service).as_seen(before)
        check_syntax(changed, service)
        return service, self._build(service, self._step)

    def _step(self, what: str) -> None:
        if what.startswith(LONG):
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._takes_long, what)

    def _takes_long(self, what: str) -> None:
        self._cloud.gate.open()
        if not self._is_long:
            self._is_long = True
            self._on_note(f"reloading: {what}; the last version answers meanwhile")

    def _is_new(self, service: Service, artifacts: Mapping[str, Artifact]) -> bool:
        served = self._cloud.artifacts
        return service != self._cloud.service or any(
            name not in served or _state(artifact) != _state(served[name]) for name, artifact in artifacts.items()
        )

    def _tell(self, refused: Refusal, at: float, took_ms: float, changed: set[str], functions: tuple[str, ...]) -> None:
        folder = str(self._cloud.service.folder)
        files = tuple(sorted(os.path.relpath(path, folder) for path in changed))
        self._cloud.tell_reload(
            Reload(
                at=at,
                took_ms=took_ms,
                generation=self._cloud.generation,
                changed=files,
                functions=functions,
                error=refused.error,
                where=refused.where,
                fix=refused.fix,
            )
        )


def _state(artifact: Artifact) -> tuple[str, ...]:
    return (artifact.digest, *(layer.digest for layer in artifact.layers))
