"""What the console asks of the cloud that it shows, and of what was observed."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.local.invocation import Invocation
    from bareboat.service.model import Service


class Door(NamedTuple):
    """One address of the cloud.

    Args:
        kind: "httpApi", "http", "lambda" or "url".
        url: without a slash at its end; that of a REST API ends with its stage.
        function: of a function's own address.
    """

    kind: str
    url: str
    function: str = ""


class Fleet(NamedTuple):
    """The processes of a function at a moment."""

    processes: int = 0
    busy: int = 0
    waiting: int = 0
    generation: int = 1


class ReloadState(NamedTuple):
    """What the last reload came to.

    Args:
        at: seconds since 1970; 0 when there was none.
        generation: which one serves.
        took_ms: from the change to its first possible answer.
        changed: the functions, or "serverless.yml".
        error: why the last good version still serves, "" when the new one does.
        where: `file:line` of the error, as far as it is known.
        fix: what mends it, as far as it is known.
    """

    at: float = 0.0
    generation: int = 1
    took_ms: float = 0.0
    changed: tuple[str, ...] = ()
    error: str = ""
    where: str = ""
    fix: str = ""


class Cloud(Protocol):
    """The running cloud, of whichever generation serves."""

    @property
    def service(self) -> Service:
        """The service that serves."""

    @property
    def artifacts(self) -> Mapping[str, Artifact]:
        """For each function its artifact."""

    @property
    def doors(self) -> Sequence[Door]:
        """The addresses."""

    @property
    def reloaded(self) -> ReloadState:
        """The last reload."""

    def fleets(self) -> Mapping[str, Fleet]:
        """Return the processes of each function."""

    def invoke(self, function: str, event: bytes, *, source: str = "invoke") -> Awaitable[Invocation]:
        """Call a function."""


class Observed(Protocol):
    """What was kept of requests and invocations. Everything is JSON-like; the methods may block."""

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

    def counts(self, since: float) -> Mapping[str, Any]:
        """Return `{"routes": {key: ...}, "functions": {name: ...}}` with requests, errors, latencies."""

    def series(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Return columns over time.

        Args:
            wanted: any of function, seconds, buckets.
        """
