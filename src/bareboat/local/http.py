"""A handler of requests -> an HTTP/1.1 server on a port of this machine."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from bareboat.errors import LocalError
from bareboat.local.connection import Connection, Handler, Limits, refusal
from bareboat.local.messages import Request, Response

__all__ = ["Handler", "Request", "Response", "Server", "start_server"]

GRACE_S = 5.0


class Server:
    """A listening server. `port` is the one that was given, or the one that the system chose for 0."""

    def __init__(self, listener: asyncio.Server, connections: set[Connection]) -> None:
        self._listener = listener
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        address = listener.sockets[0].getsockname()
        self.host: str = address[0]
        self.port: int = address[1]
        self._sweeper = self._loop.call_later(1.0, self._sweep)

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._connections):
            connection.sweep(now)
        self._sweeper = self._loop.call_later(1.0, self._sweep)

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
    refuse: Callable[[int], Response] = refusal,
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
        refuse: makes the answer to what never reaches the handler: 400, 408, 413, 431, 505.
        connection: makes the protocol of one client.
    Raises:
        LocalError: the port is in use or may not be taken, or the host is not of this machine.
    """
    limits = Limits(header_bytes=max_header_bytes, body_bytes=max_body_bytes, idle_s=idle_s, receive_s=receive_s)
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    listener: asyncio.Server | None = None
    try:
        listener = await loop.create_server(
            lambda: connection(handler, limits, refuse, connections), host, port, backlog=1024, start_serving=False
        )
        if not listener.sockets:  # asyncio passes over a socket that cannot be opened
            raise OSError(errno.EMFILE, "no file descriptor is left")
        await listener.start_serving()
    except (OSError, OverflowError, asyncio.CancelledError) as error:
        if listener is not None:
            listener.close()
        if isinstance(error, asyncio.CancelledError):
            raise
        raise _explained(error, host, port) from error
    return Server(listener, connections)


def _explained(error: OSError | OverflowError, host: str, port: int) -> LocalError:
    if isinstance(error, OverflowError):
        return LocalError(f"{port} is no port", expected="a whole number from 0 to 65535")
    if error.errno == errno.EADDRINUSE:
        return LocalError(
            f"port {port} on {host} is in use by another program",
            expected="a free port",
            fix=f"stop that program, or take another port: --port {_free_port_after(host, port)}",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return LocalError(
            f"port {port} on {host} may not be taken by this user",
            expected="a port from 1024 up",
            fix=f"--port {_free_port_after(host, max(port, 2999))}",
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
