"""What the console asks of the cloud that it shows, and of what was observed."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.local.cloud import LocalCloud
    from bareboat.local.invocation import Invocation
    from bareboat.local.reload_record import Reload
    from bareboat.service.model import Service

_KEPT = "console"
_SCHEDULES = "schedules"  # as `serve` keeps its scheduler


class Address(NamedTuple):
    """One address of the cloud.

    Args:
        kind: "httpApi", "http" (REST), "lambda" or "url".
        url: without a slash at its end; that of a REST API ends with its stage.
        function: of a function's own address.
    """

    kind: str
    url: str
    function: str = ""


class Fleet(NamedTuple):
    """The processes of a function at a moment, and the generation of its code."""

    processes: int = 0
    busy: int = 0
    waiting: int = 0
    generation: int = 1


class Cloud(Protocol):
    """The running cloud, of whichever generation serves."""

    @property
    def service(self) -> Service:
        """The service that serves."""

    @property
    def artifacts(self) -> Mapping[str, Artifact]:
        """For each function its artifact."""

    @property
    def addresses(self) -> Sequence[Address]:
        """Where it is reached."""

    @property
    def generation(self) -> int:
        """1, and one more after each reload."""

    @property
    def reloaded(self) -> Reload | None:
        """The last reload, or the last that failed."""

    @property
    def has_clock(self) -> bool:
        """Whether schedules call their functions by themselves (`serve --schedules`)."""

    def fleets(self) -> Mapping[str, Fleet]:
        """Return the processes of each function."""

    def invoke(self, function: str, event: bytes) -> Awaitable[Invocation]:
        """Call a function."""


class Observed(Protocol):
    """What was kept of requests and invocations. Everything is JSON-like; the methods wait for the disk."""

    def mark(self) -> str:
        """Return what changes whenever there is something new."""

    def history(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Return `{"rows": [...], "more": bool}`, the newest first.

        Args:
            wanted: any of function, status, q, limit, before.
        """

    def detail(self, key: str) -> Mapping[str, Any] | None:
        """Return one row of the history with its bodies, event and log.

        Args:
            key: of a row, or the request id that a client was told.
        """

    def counts(self, seconds: float) -> Mapping[str, Any]:
        """Return `{"routes": {key: ...}, "functions": {name: ...}}` with requests, errors, latencies.

        Args:
            seconds: how far back; 0 is all that is kept.
        """

    def series(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Return columns over time.

        Args:
            wanted: any of function, seconds, buckets.
        """


class Shown:
    """A LocalCloud as the console sees it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        last = cloud.kept.get(_KEPT)
        if last is None:
            last = cloud.kept[_KEPT] = _LastReload()
            cloud.observe(on_reload=last.keep)
        self._last: _LastReload = last

    @property
    def service(self) -> Service:
        """The service that serves."""
        return self._cloud.service

    @property
    def artifacts(self) -> Mapping[str, Artifact]:
        """For each function its artifact."""
        return self._cloud.artifacts

    @property
    def addresses(self) -> Sequence[Address]:
        """Where it is reached, the console itself left out."""
        kinds = {"httpApi": "httpApi", "rest": "http", "lambda": "lambda", "url": "url"}
        found = []
        for name, url in self._cloud.urls.items():
            kind, _, function = name.partition(":")
            if kind in kinds:
                found.append(Address(kinds[kind], url.rstrip("/"), function))
        return found

    @property
    def generation(self) -> int:
        """1, and one more after each reload."""
        return self._cloud.generation

    @property
    def reloaded(self) -> Reload | None:
        """The last reload, or the last that failed."""
        return self._last.reload

    @property
    def has_clock(self) -> bool:
        """Whether schedules call their functions by themselves (`serve --schedules`)."""
        return _SCHEDULES in self._cloud.kept

    def fleets(self) -> Mapping[str, Fleet]:
        """Return the processes of each function."""
        found = {}
        for name in self._cloud.service.functions:
            one = self._cloud.function(name)
            if one is not None:
                processes, events = one.processes, one.in_flight
                found[name] = Fleet(processes, min(processes, events), max(0, events - processes), one.generation)
        return found

    def invoke(self, function: str, event: bytes) -> Awaitable[Invocation]:
        """Call a function."""
        return self._cloud.invoke(function, event, source="console")


class _LastReload:
    """Keeps the last reload over generations: a console is made for each."""

    def __init__(self) -> None:
        self.reload: Reload | None = None

    def keep(self, reload: Reload) -> None:
        self.reload = reload
