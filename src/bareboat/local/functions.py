"""Functions and their artifacts -> what can be called: one pool of processes each, started when it is first wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bareboat.errors import LocalError
from bareboat.local.pool import Pool

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.local.invocation import Invocation
    from bareboat.local.sandbox import InitFailure
    from bareboat.service.model import Function, Service


class ServedFunction:
    """One function as it is served: its code and settings, and its pool.

    Generations of a service share the object as long as nothing changes that its processes are made from.

    Args:
        generation: of its code: 1, and one more after each change.
        on_log: told of each invocation when it is over.
    """

    def __init__(
        self,
        function: Function,
        artifact: Artifact,
        *,
        region: str,
        max_processes: int,
        freeze: bool = True,
        generation: int,
        on_log: Callable[[Invocation], None],
    ) -> None:
        self.function = function
        self.artifact = artifact
        self.generation = generation
        self.made_from = made_from(function, artifact, region)
        self._region = region
        self._max_processes = max_processes
        self._freeze = freeze
        self._on_log = on_log
        self._pool: Pool | None = None
        self._starting: asyncio.Task[Pool] | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """Its name in serverless.yml."""
        return self.function.name

    @property
    def is_broken(self) -> bool:
        """Whether its last init failed."""
        return self._pool is not None and self._pool.init_failure is not None

    @property
    def processes(self) -> int:
        """How many processes it has."""
        return 0 if self._pool is None else self._pool.processes

    @property
    def init_s(self) -> float:
        """What its last init took; 0 before there was one."""
        return 0.0 if self._pool is None else self._pool.init_s

    @property
    def in_flight(self) -> int:
        """How many events it has: those that run and those that wait."""
        return 0 if self._pool is None else self._pool.in_flight

    async def invoke(
        self, event: bytes, trace_id: str, source: str, client_context: str, request_id: str, qualifier: str
    ) -> Invocation:
        """Run it on an event; raises as `Pool.invoke` and `ready` do."""
        pool = self._pool
        if pool is None:
            pool = await self.ready()
        invocation = await pool.invoke(
            event,
            trace_id=trace_id,
            client_context=client_context,
            request_id=request_id,
            qualifier=qualifier,
            source=source,
        )
        self._on_log(invocation)
        return invocation

    async def ready(self) -> Pool:
        """Wait until it can be called.

        Raises:
            BareboatError: what stands in the way: no interpreter, no runtime client, a damaged archive.
        """
        if self._pool is not None:
            return self._pool
        return await asyncio.shield(self._begun())

    async def warm(self) -> InitFailure | None:
        """Start a process and wait until it is ready for an event; return why it is not. Raises as `ready` does."""
        return await (await self.ready()).warm()

    def start_soon(self) -> None:
        """Make it ready in the background."""
        if self._pool is None:
            self._begun()

    def _begun(self) -> asyncio.Task[Pool]:
        if self._starting is None:
            if self._closed:
                raise LocalError("the local cloud is closed")
            self._starting = asyncio.ensure_future(self._start())
            self._starting.add_done_callback(_seen)
        return self._starting

    async def _start(self) -> Pool:
        try:
            pool = Pool(
                self.function,
                self.artifact,
                region=self._region,
                max_processes=self._max_processes,
                freeze=self._freeze,
                generation=self.generation,
            )
            await pool.start()
            self._pool = pool
            return pool
        finally:
            self._starting = None  # what failed is tried again by the next request

    async def drained(self, limit_s: float) -> None:
        """Wait until nothing runs in it any more, but not longer than `limit_s`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + limit_s
        while self._pool is not None and self._pool.in_flight and loop.time() < until:
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """End its processes."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._pool is not None:
            await self._pool.close()


class Functions:
    """The functions of one generation. Those without an artifact can be named and not called.

    Args:
        before: the generation's predecessor, whose functions are taken over where nothing has changed.
    """

    def __init__(
        self,
        service: Service,
        artifacts: Mapping[str, Artifact],
        *,
        max_processes: int,
        freeze: bool = True,
        on_log: Callable[[Invocation], None],
        before: Functions | None = None,
    ) -> None:
        self._service = service
        self._served: dict[str, ServedFunction] = {}
        region = service.provider.region
        for name, function in service.functions.items():
            artifact = artifacts.get(name)
            if artifact is None:
                continue
            old = None if before is None else before._served.get(name)
            if old is not None and old.made_from == made_from(function, artifact, region):
                self._served[name] = old
                continue
            self._served[name] = ServedFunction(
                function,
                artifact,
                region=region,
                max_processes=max_processes,
                freeze=freeze,
                generation=1 if old is None else old.generation + 1,
                on_log=on_log,
            )

    def get(self, name: str) -> ServedFunction | None:
        """Return a function, or None where there is none that can be called."""
        return self._served.get(name)

    @property
    def processes(self) -> int:
        """How many processes there are."""
        return sum(one.processes for one in self._served.values())

    @property
    def init_s(self) -> float:
        """What the longest init of a function took."""
        return max((one.init_s for one in self._served.values()), default=0.0)

    def __getitem__(self, name: str) -> ServedFunction:
        """Return a function.

        Raises:
            LocalError: there is none of that name, or it has no artifact.
        """
        served = self._served.get(name)
        if served is not None:
            return served
        if name not in self._service.functions:
            raise LocalError(f"there is no function {name!r}", expected="one of " + ", ".join(self._service.functions))
        raise LocalError(
            f"function {name} has no artifact",
            expected="one artifact for each function",
            fix=f"bareboat package --function {name}",
        )

    def invoke(
        self,
        function: str,
        event: bytes,
        trace_id: str = "",
        source: str = "invoke",
        *,
        client_context: str = "",
        request_id: str = "",
        qualifier: str = "",
    ) -> Awaitable[Invocation]:
        """Run a function on an event; raises as `__getitem__` and `ServedFunction.invoke` do."""
        served = self._served.get(function)
        if served is None:
            served = self[function]
        return served.invoke(event, trace_id, source, client_context, request_id, qualifier)

    def not_in(self, other: Functions | None) -> list[ServedFunction]:
        """Return those that another generation does not share."""
        kept = set() if other is None else {id(one) for one in other._served.values()}
        return [one for one in self._served.values() if id(one) not in kept]


async def close_all(functions: Iterable[ServedFunction]) -> None:
    """End the processes of functions; the first error is raised when each had its turn."""
    for error in await asyncio.gather(*(one.close() for one in functions), return_exceptions=True):
        if error is not None:
            raise error


def made_from(function: Function, artifact: Artifact, region: str) -> tuple[Any, ...]:
    """Return what a function's processes are made from, to be compared; routes and places in files are no part."""
    return (
        function.full_name,
        function.python,
        function.handler,
        function.before,
        function.after,
        function.memory_mb,
        function.timeout_s,
        function.ephemeral_storage_mb,
        function.reserved_concurrency,
        dict(function.environment),
        region,
        artifact.path,
        artifact.digest,
        artifact.handlers.get(function.name),
        tuple(layer.digest for layer in artifact.layers),
    )


def _seen(task: asyncio.Task[Pool]) -> None:
    if not task.cancelled():
        task.exception()  # whoever asks for the pool gets it; a start that nobody waits for says nothing
