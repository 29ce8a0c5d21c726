"""Fronts -> servers on ports: which port each has, and what stands behind it now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from bareboat.errors import ConfigurationError, LocalError
from bareboat.local.addresses import url_of
from bareboat.local.http import Server, start_server
from bareboat.local.messages import Request, Response, refusal

if TYPE_CHECKING:
    from bareboat.local.fronts import Kind
    from bareboat.local.generation import Generation
    from bareboat.local.site import Front

log = logging.getLogger(__name__)

CONSOLE_HOST = "127.0.0.1"
LAST_PORT = 65_535
FLAGS = {"rest": "--rest-port", "lambda": "--lambda-port", "console": "--console-port"}


@dataclass(frozen=True, slots=True)
class Ports:
    """Which ports are wanted: 0 is any that is free; None the default, or a free one where that is taken.

    Args:
        main: the HTTP API's, or the REST API's where there is no HTTP API.
        rest: the REST API's; by default `main`, or the port behind it where the HTTP API has that.
        lambda_api: the Invoke API's; by default two behind `main`.
        console: by default three behind `main`. Function URLs follow it.
    """

    main: int = 3000
    rest: int | None = None
    lambda_api: int | None = None
    console: int | None = None

    def all_wanted(self, doors: list[str]) -> dict[str, tuple[int, bool]]:
        """Return what `wanted` says of each door, those that must have their port first.

        Raises:
            ConfigurationError: a port is asked for twice.
        """
        found = sorted(((door, self.wanted(door, doors)) for door in doors), key=lambda one: not one[1][1])
        flags: dict[int, str] = {}
        for door, (port, must) in found:
            flag = self.flag(door)
            if must and flags.setdefault(port, flag) != flag:
                raise ConfigurationError(
                    f"port {port} is asked for twice, by {flags[port]} and {flag}",
                    expected="a port for each",
                    fix=f"leave {flag} out",
                )
        return dict(found)

    def flag(self, door: str) -> str:
        """Return the flag that chooses the port of a door."""
        return "--port" if door == "rest" and self.rest is None else FLAGS.get(door, "--port")

    def wanted(self, door: str, doors: list[str]) -> tuple[int, bool]:
        """Return the port that a door is to have, and whether it must be that one.

        Args:
            doors: the names of all doors.
        Returns:
            the port, in front of `main` where there is none so far behind it.
        """
        if door == "httpApi" or (door == "rest" and "httpApi" not in doors and self.rest is None):
            return self.main, True
        asked = {"rest": self.rest, "lambda": self.lambda_api, "console": self.console}.get(door)
        if asked is not None:
            return asked, asked != 0
        urls = [name for name in doors if name.startswith("url:")]
        behind = {"rest": 1, "lambda": 2, "console": 3}.get(door) or 4 + urls.index(door)
        port = self.main + behind
        return (port if port <= LAST_PORT else self.main - behind, False) if self.main else (0, False)


class Gate:
    """What holds requests back for a moment: until the first generation is there, or the next one is.

    Requests may be made to look for changes first, so that the very next one after a change already waits for it.
    """

    def __init__(self) -> None:
        self._shut: asyncio.Event | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._look: Callable[[], None] | None = None
        self._every_s = 0.0
        self._looked = 0.0

    def look_with(self, look: Callable[[], None] | None, *, every_s: float = 0.0) -> None:
        """Have requests call `look`, which may close the gate, but not more often than each `every_s` seconds."""
        self._look, self._every_s = look, every_s

    def shut(self) -> asyncio.Event | None:
        """Return what a request has to wait for; None when it may pass."""
        if self._look is not None and self._shut is None:
            now = monotonic()
            if now - self._looked > self._every_s:
                self._looked = now
                self._look()
        return self._shut

    def close(self, limit_s: float | None = None) -> None:
        """Hold requests back until `open`, but not longer than `limit_s`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._shut is None:
            self._shut = asyncio.Event()
        if limit_s is not None:
            self._timer = asyncio.get_running_loop().call_later(limit_s, self.open)

    @property
    def is_shut(self) -> bool:
        """Whether requests are held back."""
        return self._shut is not None

    def hold_longer(self, limit_s: float) -> None:
        """Hold requests back for `limit_s` from now on, where they are held back."""
        if self._shut is not None:
            self.close(max(limit_s, 0.0))

    def open(self) -> None:
        """Let requests pass."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._shut is not None:
            shut, self._shut = self._shut, None
            shut.set()


class Door:
    """One open port. Its requests go to the front of the generation that serves when they arrive.

    Attributes:
        name: such as "httpApi" or "url:predict".
        moved_from: the default port, where another program has it.
    """

    def __init__(self, name: str, host: str, gate: Gate) -> None:
        self.name = name
        self.host = host
        self.moved_from = 0
        self._gate = gate
        self._front: Front | None = None
        self._generation: Generation | None = None
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port that is open."""
        assert self._server is not None, "the door has not been opened"
        return self._server.port

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        return url_of(self.host, self.port)

    async def open(self, kind: Kind, port: int, *, must: bool, flag: str = "--port") -> None:
        """Listen.

        Args:
            flag: what chooses the port, for an error's fix.
            must: whether it is to be that port; else a free one stands in where it is taken.
        Raises:
            LocalError: the port is in use or may not be taken.
        """
        try:
            self._server = await self._listen(kind, port, flag)
        except LocalError:
            if must or port == 0:
                raise
            self._server = await self._listen(kind, 0, flag)
            self.moved_from = port

    def lead_to(self, front: Front, generation: Generation) -> None:
        """Put another front behind it, from the next request on."""
        self._front, self._generation = front, generation

    async def close(self, grace_s: float) -> None:
        """Stop listening, and let requests under way end for `grace_s` seconds."""
        if self._server is not None:
            await self._server.close(grace_s=grace_s)

    def _listen(self, kind: Kind, port: int, flag: str) -> Awaitable[Server]:
        return start_server(
            self._handle,
            self.host,
            port,
            max_header_bytes=kind.limits[0],
            max_body_bytes=kind.limits[1],
            refuse=self._refuse,
            flag=flag,
        )

    def _handle(self, request: Request) -> Response | Awaitable[Response]:
        shut = self._gate.shut()
        return self._pass(request) if shut is None else self._pass_later(request, shut)

    def _pass(self, request: Request) -> Response | Awaitable[Response]:
        if self._front is None or self._generation is None:
            return refusal(503)  # closed before it served anything
        try:
            answer = self._front.handle(request)
        except Exception:
            log.exception("the answer to %s failed", request.method)
            return self._refuse(500)  # in place of a front that has a bug, so that the request is told and kept
        if isinstance(answer, Response):
            return answer
        self._generation.busy += 1
        return self._counted(request, answer, self._generation)

    async def _counted(self, request: Request, answer: Awaitable[Response], generation: Generation) -> Response:
        try:
            return await answer
        except Exception:
            log.exception("the answer to %s failed", request.method)
            return self._refuse(500)  # in place of a front that has a bug, so that the request is told and kept
        finally:
            generation.left()

    async def _pass_later(self, request: Request, opened: asyncio.Event) -> Response:
        await opened.wait()
        answer = self._pass(request)
        return answer if isinstance(answer, Response) else await answer

    def _refuse(self, status: int) -> Response:
        return refusal(status) if self._front is None else self._front.refuse(status)
