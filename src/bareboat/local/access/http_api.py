"""Who may call the routes of an HTTP API, and how often."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from bareboat.local.access.guard import Closed, Guard, Invoke, RouteLike, failure
from bareboat.local.access.throttle import ACCOUNT, Bucket, Clock
from bareboat.local.access.verdict import Allowed, Refused, Verdict
from bareboat.service.api import Authorizer, IamAuthorizer, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.triggers import HttpApiEvent

if TYPE_CHECKING:
    from bareboat.local.gateway.call import Call
    from bareboat.service.model import Service

OPEN = Allowed()
THROTTLED = Refused("THROTTLED", 429, "Too Many Requests", reason="throttled")


class HttpApiAccess:
    """The access control of one HTTP API: throttling, then the route's authorizer.

    Args:
        invoke: how a Lambda authorizer's function is called.
        clock: seconds, for throttling.
    """

    def __init__(self, service: Service, invoke: Invoke, *, clock: Clock = time.monotonic) -> None:
        api = service.provider.http_api
        self._service = service
        self._invoke = invoke
        self._account = Bucket(ACCOUNT, clock)
        self._stage = None if api.throttle is None else Bucket(api.throttle, clock)
        self._buckets = {key: Bucket(throttle, clock) for key, throttle in api.throttles.items()}
        made: dict[str, Guard] = {}
        self._guards: dict[str, tuple[Guard, tuple[str, ...]]] = {}
        for function in service.functions.values():
            for event in function.events:
                if isinstance(event, HttpApiEvent) and event.authorizer:
                    name, authorizer = _asked(event.authorizer, api.authorizers)
                    if name not in made:
                        made[name] = self._guard(name, authorizer)
                    self._guards[event.route_key] = made[name], event.scopes

    def check(self, call: Call, route: RouteLike) -> Verdict | Awaitable[Verdict]:
        """Return what becomes of a request to a route; an authorizer that fails is a refusal."""
        bucket = self._buckets.get(route.key, self._stage)
        if (bucket is not None and not bucket.take()) or not self._account.take():
            return THROTTLED
        guarded = self._guards.get(route.key)
        if guarded is None:
            return OPEN
        guard, scopes = guarded
        try:
            verdict = guard.check(call, route, scopes)
        except Exception as error:  # noqa: BLE001 - what goes wrong here must never let a request in
            return failure(f"{type(error).__name__}: {error}")
        return verdict if isinstance(verdict, Allowed | Refused) else closed_on_failure(verdict)

    def _guard(self, name: str, authorizer: Authorizer | None) -> Guard:  # noqa: ARG002 - until each kind is there
        return Closed(name, f"the authorizer {name} is not known")


async def closed_on_failure(verdict: Awaitable[Verdict]) -> Verdict:
    """Await a verdict; whatever goes wrong is a refusal."""
    try:
        return await verdict
    except Exception as error:  # noqa: BLE001 - what goes wrong here must never let a request in
        return failure(f"{type(error).__name__}: {error}")


def _asked(written: Any, known: Any) -> tuple[str, Authorizer | None]:
    """Return the authorizer that a route asks for; None when there is no such thing, which lets nobody in."""
    if isinstance(written, JwtAuthorizer | LambdaAuthorizer | IamAuthorizer):
        return written.name, written
    name = written.get("name") or written.get("id") or written.get("type") if isinstance(written, dict) else written
    name = str(name)
    return name, known.get(name)
