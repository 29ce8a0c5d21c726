"""What a front is made from: its service, its place, and how it calls functions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bareboat.local.addresses import url_of
from bareboat.local.messages import Request, Response
from bareboat.service.model import Service

if TYPE_CHECKING:
    from bareboat.local.access_record import AccessRecord
    from bareboat.local.cloud import LocalCloud
    from bareboat.local.invocation import Invocation


class Front(Protocol):
    """What answers the requests of a door: a gateway, the Invoke API, the console."""

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request."""

    def refuse(self, status: int) -> Response:
        """Answer what the server could not read or will not take."""

    async def close(self) -> None:
        """Give up what still runs; no request is under way any more."""


class Invoke(Protocol):
    """Calls a function."""

    def __call__(
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
        """Run a function on an event and return what came of it; the arguments are those of `Pool.invoke`.

        Raises:
            LocalError: there is no such function, or its runtime cannot be started.
            Throttled: its concurrency limit is reached.
        """


@dataclass(frozen=True, slots=True)
class Site:
    """A front's surroundings.

    Args:
        door: "httpApi", "rest", "lambda", "url:NAME" or "console".
        invoke: of the generation that the front belongs to.
        on_request: told of each request, just before its response is returned.
        cloud: what outlives the generation: `cloud.invoke` calls the newest one, `cloud.kept` holds state.
    """

    service: Service
    door: str
    host: str
    port: int
    invoke: Invoke
    on_request: Callable[[AccessRecord], None]
    cloud: LocalCloud

    @property
    def function(self) -> str:
        """The function whose own address this is; "" elsewhere."""
        kind, _, name = self.door.partition(":")
        return name if kind == "url" else ""

    @property
    def url(self) -> str:
        """Where clients on this machine reach the door: `http://127.0.0.1:3000`."""
        return url_of(self.host, self.port)
