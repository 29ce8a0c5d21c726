"""A handler of requests -> an HTTP/1.1 server on a port of this machine."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable

from bareboat.errors import LocalError
from bareboat.local.connection import Connection, Handler
from bareboat.local.limits import Limits
from bareboat.local.messages import Request, Response, refusal

__all__ = ["Handler", "Request", "Response", "Server", "start_server"]

GRACE_S = 10.0  # what requests under way get when a server closes, and the cloud with it
CROWDED_IDLE_S = 1.0  # how long a connection may rest when there are many
MAX_CONNECTIONS = 10_000
ACCEPT = 1  # connections in one go of the loop
BACKLOG = 1024
OTHER_FILES = 256  # descriptors for what is no connection: each process of a function takes four


class Server:
    """A listening server. `port` is the one that was given, or the one that the system chose for 0."""

    def __init__(self, listener: asyncio.Server, connections: set[Connection], limits: Limits) -> None:
        self._listener = listener
        self._connections = connections
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        address = listener.sockets[0].getsockname()
        self.host: str = address[0]
        self.port: int = address[1]
        self._sweeper = self._loop.call_later(1.0, self._sweep)

    def _sweep(self) -> None:
        now = self._loop.time()
        limits = self._limits
        crowded = len(self._connections) > limits.connections * 0.75
        idle_s = min(limits.idle_s, CROWDED_IDLE_S) if crowded else limits.idle_s
        unsent = 0
        for connection in tuple(self._connections):
            connection.sweep(now, idle_s)
            unsent += connection.stalled[1]
        if unsent > limits.held_bytes:
            self._make_room(unsent)
        self._sweeper = self._loop.call_later(1.0, self._sweep)

    def _make_room(self, unsent: int) -> None:
        """Drop the clients that have left their answers longest."""
        for connection in sorted(self._connections, key=lambda connection: connection.stalled[0]):
            if unsent <= self._limits.held_bytes:
                return
            if connection.stalled[1]:
                unsent -= connection.stalled[1]
                connection.abort()

    async def close(self, *, grace_s: float = GRACE_S) -> None:
        """Stop listening, let the answers that are being made go out for `grace_s` seconds, then close everything."""
        self._sweeper.cancel()
        self._listener.close()
        for connection in tuple(self._connections):
            connection.close_soon()
        until = self._loop.time() + grace_s
        while self._connections and self._loop.time() < until:
            await asyncio.sleep(0.01)
        for connection in tuple(self._connections):
            connection.abort()
        while self._connections:
            await asyncio.sleep(0)


async def start_server(  # noqa: PLR0913 - each is a setting of its own
    handler: Handler,
    host: str,
    port: int,
    *,
    max_header_bytes: int = 10_240,
    max_body_bytes: int = 10_485_760,
    idle_s: float = 75.0,
    receive_s: float = 30.0,
    send_s: float = 30.0,
    max_connections: int | None = None,
    max_held_bytes: int = 268_435_456,
    refuse: Callable[[int], Response] = refusal,
    flag: str = "--port",
    connection: Callable[[Handler, Limits, Callable[[int], Response], set[Connection]], Connection] = Connection,
) -> Server:
    """Listen on `host:port` and answer each request with what `handler` returns for it.

    Requests of one connection are handled one after the other and answered in order; those of different connections
    at the same time. A handler goes on when its client leaves. One that raises is logged and answered with 500.

    Args:
        handler: returns a Response, or awaits one.
        port: 0 lets the system choose.
        max_header_bytes: of the target and all headers together; more is 431.
        max_body_bytes: more is 413.
        idle_s: how long a connection may rest between requests.
        receive_s: how long a request may take to arrive, else 408.
        send_s: how long a client may leave its answer untouched before it is dropped.
        max_connections: more are answered with 503; None is what the limit on open files leaves room for.
        max_held_bytes: of all bodies that are not answered yet; more is 503. And of all answers that are not read yet;
            with more, the clients that have left theirs longest are dropped.
        refuse: makes the answer to what never reaches the handler: 400, 408, 413, 431, 503, 505.
        flag: what chooses the port, for an error's fix.
        connection: makes the protocol of one client.
    Raises:
        LocalError: the port is in use or may not be taken, or the host is not of this machine.
    """
    limits = Limits(
        max_header_bytes,
        max_body_bytes,
        idle_s,
        receive_s,
        send_s=send_s,
        connections=room_for_connections() if max_connections is None else max_connections,
        held_bytes=max_held_bytes,
    )
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    listener: asyncio.Server | None = None
    try:
        listener = await loop.create_server(
            lambda: connection(handler, limits, refuse, connections), host, port, backlog=ACCEPT, start_serving=False
        )
        if not listener.sockets:  # asyncio passes over a socket that cannot be opened
            raise OSError(errno.EMFILE, "no file descriptor is left")
        await listener.start_serving()
        _lengthen_backlog(listener)
    except (OSError, OverflowError, asyncio.CancelledError) as error:
        if listener is not None:
            listener.close()
        if isinstance(error, asyncio.CancelledError):
            raise
        raise _explained(error, host, port, flag) from error
    return Server(listener, connections, limits)


def _lengthen_backlog(listener: asyncio.Server) -> None:
    """Let more clients wait in the system than are accepted in one go.

    asyncio takes both from one number, and accepts on, logging each failure, when no descriptor is left.
    """
    if os.name == "posix":
        for listening in listener.sockets:
            with socket.socket(fileno=os.dup(listening.fileno())) as same:
                same.listen(BACKLOG)


def room_for_connections() -> int:
    """Return how many connections a server may have open: half of the files that this process may open, and 10,000.

    Without a bound, one more client than there are descriptors would take the last one from the functions' processes.
    """
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return MAX_CONNECTIONS
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(16, min(MAX_CONNECTIONS, (files - OTHER_FILES) // 2, files // 2))


def _explained(error: OSError | OverflowError, host: str, port: int, flag: str) -> LocalError:
    if isinstance(error, OverflowError):
        return LocalError(f"{port} is no port", expected="a whole number from 0 to 65535")
    if error.errno == errno.EADDRINUSE:
        return LocalError(
            f"port {port} on {host} is in use by another program",
            expected="a free port",
            fix=f"stop that program, or take another port: {flag} {_free_port_after(host, port)}",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return LocalError(
            f"port {port} on {host} may not be taken by this user",
            expected="a port from 1024 up",
            fix=f"{flag} {_free_port_after(host, max(port, 2999))}",
            where=f"{host}:{port}",
        )
    if error.errno == errno.EMFILE:
        return LocalError(
            f"cannot listen on {host}:{port}: too many files are open",
            expected="one more file descriptor",
            fix="raise the limit of this shell: ulimit -n 4096",
        )
    return LocalError(
        f"cannot listen on {host}:{port}: {error.strerror or error}",
        expected="an address of this machine, such as 127.0.0.1",
        fix="--host 127.0.0.1",
        where=f"{host}:{port}",
    )


def _free_port_after(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + 50, 65_536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return candidate
    return 0
