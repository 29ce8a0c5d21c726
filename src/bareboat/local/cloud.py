"""A service and its artifacts -> a running local cloud: the HTTP API in front of one pool of processes a function."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bareboat.errors import LocalError
from bareboat.local.access_record import AccessRecord
from bareboat.local.gateway import Api, HttpApiGateway, Route, RouteTable
from bareboat.local.gateway.gateway import MAX_BODY_BYTES, MAX_HEADER_BYTES
from bareboat.local.http import Request, Response, Server, start_server
from bareboat.local.pool import Pool
from bareboat.service.model import Service
from bareboat.service.triggers import HttpApiEvent

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bareboat.artifact.model import Artifact
    from bareboat.local.invocation import Invocation

GRACE_S = 10.0  # what requests in flight get when the cloud closes


class LocalCloud:
    """A service on this machine, as `async with` or by `start` and `close`.

    Each function with a route is made ready in the background while the port is already open: its artifact unpacked,
    its interpreter found. Its processes start with the first event that finds none idle.

    Args:
        artifacts: for each function its artifact, built for this machine.
        host: an address of this machine. Anything but loopback lets the network call the functions.
        port: 0 lets the system choose.
        max_processes: of each function; further requests wait. Its reservedConcurrency, when less, answers 503.
        on_log: told of each invocation when it is over; its `log` is what the function wrote.
        on_request: told of each request after it was answered.
        grace_s: how long `close` waits for requests in flight.
    Raises:
        LocalError: two routes are the same, a path is none that API Gateway takes, an artifact is missing.
    """

    def __init__(
        self,
        service: Service,
        artifacts: Mapping[str, Artifact],
        *,
        host: str = "127.0.0.1",
        port: int = 3000,
        max_processes: int = 64,
        on_log: Callable[[Invocation], None] | None = None,
        on_request: Callable[[AccessRecord], None] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        if not host:
            raise LocalError(
                "the host is empty, which would listen on every network",
                expected="an address, such as 127.0.0.1",
                fix="--host 127.0.0.1, or --host 0.0.0.0 to let the network in",
            )
        self.service = service
        self._artifacts = artifacts
        self._host = host
        self._port = port
        self._max_processes = max_processes
        self._on_log = on_log
        self._on_request = on_request
        self._grace_s = grace_s
        self._table = RouteTable(http_api_routes(service))
        for route in self._table.routes:
            self._artifact(route.function)
        self._starting: dict[str, asyncio.Task[Pool]] = {}
        self._pools: dict[str, Pool] = {}
        self._closed = False
        self._server: Server | None = None
        self._gateway: HttpApiGateway | None = None

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of the HTTP API, in the order of serverless.yml."""
        return self._table.routes

    @property
    def is_open_to_the_network(self) -> bool:
        """Whether others than this machine can call the functions."""
        return not is_loopback(self._host)

    @property
    def url(self) -> str:
        """Where the API is: `http://127.0.0.1:3000`."""
        assert self._server is not None, "the cloud has not been started"
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - shown, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self._server.port}"

    async def start(self) -> None:
        """Listen.

        Raises:
            LocalError: the port is in use or may not be taken.
        """
        assert self._server is None, "the cloud is started once"
        self._server = await start_server(
            self._handle,
            self._host,
            self._port,
            max_header_bytes=MAX_HEADER_BYTES,
            max_body_bytes=MAX_BODY_BYTES,
            refuse=self._refuse,
        )
        api = Api(api_id(self.service), port=str(self._server.port), domain=self._host)
        self._gateway = HttpApiGateway(
            self._table,
            self._call,
            api=api,
            cors=self.service.provider.http_api.cors,
            on_request=self._on_request,
        )
        for name in self._routed():
            self._start_soon(name)

    async def ready(self) -> None:
        """Wait until every function with a route can be called.

        Raises:
            BareboatError: the first thing that stands in the way: no interpreter, no runtime client, a damaged archive.
        """
        for name in self._routed():
            await self._pool(name)

    async def invoke(self, function: str, event: bytes, *, client_context: str = "") -> Invocation:
        """Call a function, with a route or without.

        Raises:
            LocalError: there is no such function, or its runtime cannot be started.
            Throttled: its concurrency limit is reached.
        """
        if function not in self.service.functions:
            raise LocalError(
                f"there is no function {function!r}", expected="one of " + ", ".join(self.service.functions)
            )
        return await self._run(function, event, client_context=client_context)

    async def close(self) -> None:
        """Stop listening, let requests in flight end for `grace_s` seconds, then end every process."""
        try:
            if self._server is not None:
                await self._server.close(grace_s=self._grace_s)
        finally:
            self._closed = True
            starting = list(self._starting.values())
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            closed = await asyncio.gather(*(pool.close() for pool in self._pools.values()), return_exceptions=True)
            if self._gateway is not None:
                await self._gateway.close()
            for error in closed:  # after every pool had its turn
                if error is not None:
                    raise error

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    def _handle(self, request: Request) -> Response | Awaitable[Response]:
        assert self._gateway is not None
        return self._gateway.handle(request)

    def _refuse(self, status: int) -> Response:
        assert self._gateway is not None
        return self._gateway.refuse(status)

    def _call(self, function: str, event: bytes, trace_id: str) -> Awaitable[Invocation]:
        return self._run(function, event, trace_id=trace_id)

    async def _run(self, function: str, event: bytes, *, trace_id: str = "", client_context: str = "") -> Invocation:
        pool = self._pools.get(function)
        if pool is None:
            pool = await self._pool(function)
        invocation = await pool.invoke(event, trace_id=trace_id, client_context=client_context)
        if self._on_log is not None:
            self._on_log(invocation)
        return invocation

    async def _pool(self, name: str) -> Pool:
        pool = self._pools.get(name)
        if pool is None:
            pool = await asyncio.shield(self._start_soon(name))
        return pool

    def _start_soon(self, name: str) -> asyncio.Task[Pool]:
        task = self._starting.get(name)
        if task is None:
            if self._closed:
                raise LocalError("the local cloud is closed")
            task = self._starting[name] = asyncio.ensure_future(self._start_pool(name))
            task.add_done_callback(_seen)
        return task

    async def _start_pool(self, name: str) -> Pool:
        try:
            pool = Pool(
                self.service.functions[name],
                self._artifact(name),
                region=self.service.provider.region,
                max_processes=self._max_processes,
            )
            await pool.start()
            self._pools[name] = pool
            return pool
        finally:
            del self._starting[name]  # what failed is tried again by the next request

    def _routed(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(route.function for route in self.routes))

    def _artifact(self, name: str) -> Artifact:
        artifact = self._artifacts.get(name)
        if artifact is None:
            raise LocalError(
                f"function {name} has no artifact",
                expected="one artifact for each function",
                fix=f"bareboat package --function {name}",
            )
        return artifact


def _seen(task: asyncio.Task[Pool]) -> None:
    if not task.cancelled():
        task.exception()  # whoever asks for the pool gets it; a start that nobody waits for says nothing


def http_api_routes(service: Service) -> tuple[Route, ...]:
    """Return the routes of the service's `httpApi` events, in the order of serverless.yml."""
    return tuple(
        Route(
            event.route_key,
            event.method,
            event.path,
            function.name,
            payload=function.http_api_payload,
            timeout_s=function.timeout_s,
            where=str(event.where),
        )
        for function in service.functions.values()
        for event in function.events
        if isinstance(event, HttpApiEvent)
    )


def api_id(service: Service) -> str:
    """Return ten characters that name the API as AWS's ids do, the same for the same service and stage."""
    digest = hashlib.sha256(f"{service.name}/{service.provider.stage}".encode()).digest()
    return "".join("abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36] for byte in digest[:10])


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
