"""Who may call the routes of an HTTP API, and how often."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from bareboat.local.access.guard import Guard, Invoke, closed_on_failure, failure, without_place
from bareboat.local.access.lambda_events import request_event_v1, request_event_v2
from bareboat.local.access.lambda_guard import Manner, lambda_guard
from bareboat.local.access.settings import Settings, secrets_of
from bareboat.local.access.throttle import Throttles
from bareboat.local.verdict import OPEN, THROTTLED, Allowed, Refused, Verdict
from bareboat.service.api import Authorizer, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.triggers import HttpApiEvent

if TYPE_CHECKING:
    from bareboat.local.gateway.call import Call
    from bareboat.local.gateway.routes import Route
    from bareboat.service.model import Service

Shape = Literal["jwt", "lambda", "iam"]  # the key below `requestContext.authorizer`, format 2.0


class HttpApiAccess:
    """The access control of one HTTP API: throttling, then the route's authorizer.

    Args:
        invoke: how a Lambda authorizer's function is called.
        settings: the service's own unless a test says otherwise.
    """

    def __init__(self, service: Service, invoke: Invoke, settings: Settings | None = None) -> None:
        api = service.provider.http_api
        self._region = service.provider.region
        self._invoke = invoke
        self._settings = settings or Settings(secrets_of(service))
        self._throttles = Throttles(api.throttle, api.throttles, self._settings.clock)
        made: dict[object, tuple[Guard, Shape]] = {}
        self._guards: dict[str, tuple[Guard, tuple[str, ...], Shape]] = {}
        for function in service.functions.values():
            for event in function.events:
                if isinstance(event, HttpApiEvent) and event.authorizer:
                    authorizer = event.authorizer
                    which = without_place(authorizer)
                    if which not in made:
                        made[which] = self._guard(authorizer)
                    guard, shape = made[which]
                    self._guards[event.route_key] = guard, event.scopes, shape

    def check(self, call: Call, route: Route) -> Verdict | Awaitable[Verdict]:
        """Return what becomes of a request to a route; an authorizer that fails is a refusal."""
        if not self._throttles.take(route.key):
            return THROTTLED
        guarded = self._guards.get(route.key)
        if guarded is None:
            return OPEN
        guard, scopes, shape = guarded
        try:
            verdict = guard.check(call, route, scopes)
        except Exception as error:  # noqa: BLE001 - what goes wrong here must never let a request in
            return failure(f"{type(error).__name__}: {error}")
        if isinstance(verdict, Allowed | Refused):
            return _shaped(verdict, shape, route)
        return self._later(verdict, shape, route)

    async def _later(self, asked: Awaitable[Verdict], shape: Shape, route: Route) -> Verdict:
        return _shaped(await closed_on_failure(asked), shape, route)

    def _guard(self, authorizer: Authorizer) -> tuple[Guard, Shape]:
        settings = self._settings
        if isinstance(authorizer, JwtAuthorizer):
            from bareboat.local.access.jwt_guard import jwt_guard  # imported late: few services ask for it

            guard = jwt_guard(authorizer, local=settings.issuer, now=settings.now, fetch=settings.fetch)
            return guard, "jwt"
        if isinstance(authorizer, LambdaAuthorizer):
            build = request_event_v1 if authorizer.payload == "1.0" else request_event_v2
            manner = Manner(self._region, build, rest=False, method_path=lambda call: call.decoded_path)
            return lambda_guard(authorizer, self._invoke, manner, clock=settings.clock), "lambda"
        from bareboat.local.access.iam_guard import IamGuard  # as above

        return IamGuard(settings.credentials(), door="httpApi", region=self._region, now=settings.now), "iam"


def _shaped(verdict: Verdict, shape: Shape, route: Route) -> Verdict:
    """Return the verdict with its context as the event format of the route has it."""
    if isinstance(verdict, Refused):
        return verdict
    if route.payload == "2.0":
        return replace(verdict, context={shape: verdict.context})
    return replace(verdict, context=None) if shape == "iam" else verdict
