"""What all authorizers have in common: a guard in front of a route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bareboat.local.verdict import Refused, Verdict
from bareboat.service.api import Authorizer
from bareboat.service.model import Place

if TYPE_CHECKING:
    from bareboat.local.gateway.call import Call
    from bareboat.local.invocation import Invocation

# function, event, trace id, source -> what it came to: how a Lambda authorizer is called.
Invoke = Callable[[str, bytes, str, str], Awaitable["Invocation"]]
_NOWHERE = Place("", 0, 0)


class RouteLike(Protocol):
    """What a guard needs to know of a route; those of both kinds of API have it."""

    @property
    def key(self) -> str:
        """As API Gateway shows it: `GET /items/{id}`, `$default`."""

    @property
    def path(self) -> str:
        """The path or resource as configured, `/items/{id}`."""


class Guard(Protocol):
    """Says of each request to its routes whether it may go on."""

    def check(self, call: Call, route: RouteLike, scopes: tuple[str, ...]) -> Verdict | Awaitable[Verdict]:
        """Return what becomes of a request, or what to await for it.

        Args:
            scopes: those that the route asks for.
        """


@dataclass(frozen=True, slots=True)
class Closed:
    """Lets nobody in: the guard of a route whose authorizer cannot be asked."""

    name: str
    reason: str
    rest: bool = False

    def check(self, call: Call, route: RouteLike, scopes: tuple[str, ...]) -> Verdict:  # noqa: ARG002 - Guard
        """Refuse."""
        return failure(self.reason, self.name, rest=self.rest)


def failure(
    reason: str, authorizer: str = "", *, kind: str = "AUTHORIZER_CONFIGURATION_ERROR", rest: bool = False
) -> Refused:
    """Return the 500 of a request whose authorizer could not say anything; a REST API has no words for it."""
    return Refused(kind, 500, None if rest else "Internal Server Error", reason=reason, authorizer=authorizer)


async def closed_on_failure(asked: Awaitable[Verdict], *, rest: bool = False) -> Verdict:
    """Await a verdict; whatever goes wrong is a refusal."""
    try:
        return await asked
    except Exception as error:  # noqa: BLE001 - what goes wrong here must never let a request in
        return failure(f"{type(error).__name__}: {error}", rest=rest)


def without_place(authorizer: Authorizer) -> object:
    """Return what an authorizer is, wherever it is written: the same for two routes that share it."""
    return replace(authorizer, where=_NOWHERE)
