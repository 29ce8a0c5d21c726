"""Who may call the methods of a REST API, and how often."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from bareboat.local.access.guard import Closed, Guard, Invoke, RouteLike, failure
from bareboat.local.access.http_api import OPEN, THROTTLED, closed_on_failure
from bareboat.local.access.throttle import ACCOUNT, Bucket, Clock
from bareboat.local.access.verdict import Allowed, Refused, Verdict
from bareboat.service.api import Authorizer
from bareboat.service.triggers import HttpEvent

if TYPE_CHECKING:
    from bareboat.local.gateway.call import Call
    from bareboat.service.model import Service


class RestAccess:
    """The access control of one REST API: authorizer, API key, usage plan and throttling, in this order.

    Args:
        invoke: how a Lambda authorizer's function is called.
        clock: seconds, for throttling.
    """

    def __init__(self, service: Service, invoke: Invoke, *, clock: Clock = time.monotonic) -> None:
        api = service.provider.rest_api
        self._service = service
        self._invoke = invoke
        self._account = Bucket(ACCOUNT, clock)
        self._stage = None if api.throttle is None else Bucket(api.throttle, clock)
        self._buckets = {key: Bucket(throttle, clock) for key, throttle in api.throttles.items()}
        made: dict[str, Guard] = {}
        self._guards: dict[str, tuple[Guard, tuple[str, ...]]] = {}
        for function in service.functions.values():
            for event in function.events:
                if isinstance(event, HttpEvent):
                    if event.authorizer is not None:
                        name = event.authorizer.name
                        if name not in made:
                            made[name] = self._guard(name, event.authorizer)
                        self._guards[event.route_key] = made[name], event.scopes
                    elif event.private:
                        self._guards[event.route_key] = Closed("", "API keys are not known yet"), ()

    def check(self, call: Call, route: RouteLike) -> Verdict | Awaitable[Verdict]:
        """Return what becomes of a request to a method; an authorizer that fails is a refusal."""
        guarded = self._guards.get(route.key)
        if guarded is None:
            return self._admit(route, OPEN)
        guard, scopes = guarded
        try:
            verdict = guard.check(call, route, scopes)
        except Exception as error:  # noqa: BLE001 - what goes wrong here must never let a request in
            return failure(f"{type(error).__name__}: {error}")
        if isinstance(verdict, Allowed | Refused):
            return self._admit(route, verdict)
        return self._admit_later(route, verdict)

    async def _admit_later(self, route: RouteLike, verdict: Awaitable[Verdict]) -> Verdict:
        return self._admit(route, await closed_on_failure(verdict))

    def _admit(self, route: RouteLike, verdict: Verdict) -> Verdict:
        if isinstance(verdict, Refused):
            return verdict
        bucket = self._buckets.get(route.key, self._stage)
        if (bucket is not None and not bucket.take()) or not self._account.take():
            return THROTTLED
        return verdict

    def _guard(self, name: str, authorizer: Authorizer) -> Guard:  # noqa: ARG002 - until each kind is there
        return Closed(name, f"the authorizer {name} is not known")
