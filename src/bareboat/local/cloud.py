"""A service and its artifacts -> a running local cloud: doors on ports, and behind them the functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from bareboat.errors import LocalError
from bareboat.local.addresses import is_loopback
from bareboat.local.doors import CONSOLE_HOST, Door, Gate, Ports
from bareboat.local.fronts import FRONTS, Kind, http_api_routes
from bareboat.local.functions import Functions, ServedFunction
from bareboat.local.gateway import Route
from bareboat.local.generation import Generation
from bareboat.local.http import GRACE_S
from bareboat.local.own_paths import MARK, own_paths
from bareboat.local.site import Site
from bareboat.local.warming import warm

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.local.access_record import AccessRecord
    from bareboat.local.invocation import Invocation
    from bareboat.local.reload_record import Reload
    from bareboat.service.model import Service

RETIRE_S = 900.0  # what an older generation gets for its last requests: Lambda's longest timeout


class LocalCloud:
    """A service on this machine, as `async with` or by `start` and `close`.

    Each function that something can call is made ready in the background while the ports are already open: its
    artifact unpacked, its interpreter found. Its processes start with the first event that finds none idle.

    Args:
        artifacts: for each function its artifact, built for this machine.
        host: an address of this machine. Anything but loopback lets the network call the functions.
        port: of the HTTP API, or of the REST API where there is no HTTP API; 0 lets the system choose, for all doors.
        rest_port, lambda_port, console_port: of the other doors; None is the default, near `port`.
        console: whether there is a console.
        max_processes: of each function; further requests wait. Its reservedConcurrency, when less, answers 503.
        freeze: stop processes between their events, as Lambda does.
        on_log: told of each invocation when it is over; its `log` is what the function wrote.
        on_request: told of each request after it was answered.
        on_reload: told of each reload, and of each that failed.
        grace_s: how long `close` waits for requests in flight.
    Raises:
        LocalError: two routes are the same, a path is none that API Gateway takes, an artifact is missing.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        service: Service,
        artifacts: Mapping[str, Artifact],
        *,
        host: str = "127.0.0.1",
        port: int = 3000,
        rest_port: int | None = None,
        lambda_port: int | None = None,
        console_port: int | None = None,
        console: bool = False,
        max_processes: int = 64,
        freeze: bool = True,
        on_log: Callable[[Invocation], None] | None = None,
        on_request: Callable[[AccessRecord], None] | None = None,
        on_reload: Callable[[Reload], None] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        if not host:
            raise LocalError(
                "the host is empty, which would listen on every network",
                expected="an address, such as 127.0.0.1",
                fix="--host 127.0.0.1, or --host 0.0.0.0 to let the network in",
            )
        self.kept: dict[str, Any] = {}
        self._host = host
        self._ports = Ports(port, rest_port, lambda_port, console_port)
        self._has_console = console
        self._max_processes = max_processes
        self._freeze = freeze
        self._grace_s = grace_s
        self.gate = Gate()
        self._doors: dict[str, Door] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._old: list[tuple[Generation, Generation, list[Door]]] = []  # each with its successor
        self._on_log: list[Callable[[Invocation], None]] = []
        self._on_request: list[Callable[[AccessRecord], None]] = []
        self._on_reload: list[Callable[[Reload], None]] = []
        self.observe(on_log=on_log, on_request=on_request, on_reload=on_reload)
        self._closed = False
        self._generation = self._prepared(service, artifacts)

    # What it is

    @property
    def service(self) -> Service:
        """The service that is served now."""
        return self._generation.service

    @property
    def artifacts(self) -> Mapping[str, Artifact]:
        """What is served now, by the function's name."""
        return self._generation.artifacts

    @property
    def generation(self) -> int:
        """1, and one more after each reload."""
        return self._generation.number

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of the HTTP API, in the order of serverless.yml."""
        return http_api_routes(self.service)

    @property
    def is_open_to_the_network(self) -> bool:
        """Whether others than this machine can call the functions."""
        return not is_loopback(self._host)

    @property
    def url(self) -> str:
        """Where the API is: `http://127.0.0.1:3000`; the REST API's, with its stage, where there is no HTTP API."""
        urls = self.urls
        assert urls, "the cloud has not been started"
        return urls.get("httpApi") or urls.get("rest") or next(iter(urls.values()))

    @property
    def urls(self) -> dict[str, str]:
        """Where each door is: "httpApi", "rest" (with its stage), "lambda", "url:NAME", "console"."""
        paths = {"rest": f"/{self.service.provider.stage}", "console": "/_bareboat/"}
        return {name: door.url + paths.get(name, "") for name, door in self._doors.items()}

    @property
    def moved(self) -> dict[str, int]:
        """The doors whose default port was taken, with that port."""
        return {name: door.moved_from for name, door in self._doors.items() if door.moved_from}

    @property
    def processes(self) -> int:
        """How many processes the functions have."""
        return self._generation.functions.processes

    @property
    def init_s(self) -> float:
        """What the longest init of a function took."""
        return self._generation.functions.init_s

    def function(self, name: str) -> ServedFunction | None:
        """Return a function as it is served now; None where there is none that can be called."""
        return self._generation.functions.get(name)

    # Its life

    async def start(self) -> None:
        """Listen.

        Raises:
            LocalError: a port is in use or may not be taken.
        """
        assert not self._doors, "the cloud is started once"
        self.gate.close()
        try:
            await self._open_doors(self._generation)
            self._serve(self._generation)
        except BaseException:
            for door in self._doors.values():
                await door.close(0)
            raise
        self.gate.open()
        self._make_ready(self._generation)

    async def ready(self) -> None:
        """Wait until every function that something can call is ready.

        Raises:
            BareboatError: the first thing that stands in the way: no interpreter, no runtime client, a damaged archive.
        """
        for name in _called(self.service):
            await self._generation.functions[name].ready()

    async def invoke(
        self,
        function: str,
        event: bytes,
        trace_id: str = "",
        source: str = "invoke",
        *,
        client_context: str = "",
        request_id: str = "",
        qualifier: str = "",
    ) -> Invocation:
        """Call a function of the newest generation, with a route or without; the arguments are those of `Pool.invoke`.

        Raises:
            LocalError: there is no such function, or its runtime cannot be started.
            Throttled: its concurrency limit is reached.
        """
        generation = self._generation
        generation.busy += 1
        try:
            return await generation.functions.invoke(
                function,
                event,
                trace_id,
                source,
                client_context=client_context,
                request_id=request_id,
                qualifier=qualifier,
            )
        finally:
            generation.left()

    async def replace(self, service: Service, artifacts: Mapping[str, Artifact]) -> tuple[str, ...]:
        """Serve another state of the service behind the same ports, from the next request on.

        Requests under way end on what they began with. Functions that have not changed keep their processes; those
        that have get ready first, with one process through its init.

        Returns:
            The functions that are new or have changed.
        Raises:
            BareboatError: it cannot be served; then nothing has changed.
        """
        old = self._generation
        new = self._prepared(service, artifacts, before=old)
        changed = new.functions.not_in(old.functions)
        try:
            await warm(changed, old.functions, service.folder)
            await self._open_doors(new)
            self._serve(new)
        except BaseException:
            await new.retire(old.functions, grace_s=0)
            raise
        self._generation = new
        self._make_ready(new)
        gone = [self._doors.pop(name) for name in tuple(self._doors) if name not in new.fronts]
        self._old.append((old, new, gone))
        self._soon(self._retire(old, new, gone))
        return tuple(one.function.name for one in changed)

    async def close(self) -> None:
        """Stop listening, let requests in flight end for `grace_s` seconds, then end every process."""
        self.gate.open()
        try:
            await asyncio.gather(*(door.close(self._grace_s) for door in self._doors.values()))
        finally:
            self._closed = True
            for task in tuple(self._retiring):
                task.cancel()
            await asyncio.gather(*self._retiring, return_exceptions=True)
            try:
                for thing in self.kept.values():  # while the functions are there: events under way may end
                    if hasattr(thing, "close"):
                        await thing.close()
            finally:
                await self._end_all()

    async def _end_all(self) -> None:
        """End the processes of every generation, whatever goes wrong on the way."""
        try:
            for old, new, doors in self._old:  # cancelled on its way
                for door in doors:
                    await door.close(0)
                await old.retire(new.functions, grace_s=0)
        finally:
            await self._generation.retire(None, grace_s=0)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    # Who watches

    def observe(
        self,
        *,
        on_log: Callable[[Invocation], None] | None = None,
        on_request: Callable[[AccessRecord], None] | None = None,
        on_reload: Callable[[Reload], None] | None = None,
    ) -> None:
        """Tell one more observer; what it raises is a bug and reaches the client as a 500."""
        if on_log is not None:
            self._on_log.append(on_log)
        if on_request is not None:
            self._on_request.append(on_request)
        if on_reload is not None:
            self._on_reload.append(on_reload)

    def tell_reload(self, reload: Reload) -> None:
        """Tell of a reload."""
        for observer in self._on_reload:
            observer(reload)

    def _tell_log(self, invocation: Invocation) -> None:
        if MARK in invocation.log:
            invocation = msgspec.structs.replace(invocation, log=own_paths(invocation.log))
        for observer in self._on_log:
            observer(invocation)

    def _tell_request(self, record: AccessRecord) -> None:
        for observer in self._on_request:
            observer(record)

    # Generations

    def _prepared(
        self, service: Service, artifacts: Mapping[str, Artifact], before: Generation | None = None
    ) -> Generation:
        functions = Functions(
            service,
            artifacts,
            max_processes=self._max_processes,
            freeze=self._freeze,
            on_log=self._tell_log,
            before=None if before is None else before.functions,
        )
        for kind in FRONTS:
            kind.check(service)
        for name in _called(service):
            functions[name]  # raises where the artifact is missing
        return Generation(1 if before is None else before.number + 1, service, artifacts, functions)

    async def _open_doors(self, generation: Generation) -> None:
        """Open the doors that are not open yet."""
        wanted = self._wanted(generation.service)
        for name, (port, must) in self._ports.all_wanted(list(wanted)).items():
            if name not in self._doors:
                host = CONSOLE_HOST if name in {"console", "lambda"} else self._host
                door = Door(name, host, self.gate)
                await door.open(wanted[name], port, must=must, flag=self._ports.flag(name))
                self._doors[name] = door
        for name in wanted:  # in the order in which they are shown
            self._doors[name] = self._doors.pop(name)

    def _wanted(self, service: Service) -> dict[str, Kind]:
        kinds = [kind for kind in FRONTS if kind.name != "console" or self._has_console]
        return {name: kind for kind in kinds for name in kind.doors(service)}

    def _serve(self, generation: Generation) -> None:
        """Make the fronts of a generation, all of them, then let the doors lead to them."""
        invoke = generation.functions.invoke
        for name, kind in self._wanted(generation.service).items():
            door = self._doors[name]
            site = Site(generation.service, name, door.host, door.port, invoke, self._tell_request, self)
            generation.fronts[name] = kind.make(site)
        for name, front in generation.fronts.items():
            self._doors[name].lead_to(front, generation)

    def _make_ready(self, generation: Generation) -> None:
        for name in _called(generation.service):
            generation.functions[name].start_soon()

    async def _retire(self, old: Generation, new: Generation, doors: list[Door]) -> None:
        await asyncio.gather(*(door.close(self._grace_s) for door in doors))
        await old.retire(new.functions, grace_s=RETIRE_S)
        self._old.remove((old, new, doors))

    def _soon(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


def _called(service: Service) -> tuple[str, ...]:
    """Return the functions that an event or an address of their own calls."""
    return tuple(name for name, one in service.functions.items() if one.events or one.url is not None)
