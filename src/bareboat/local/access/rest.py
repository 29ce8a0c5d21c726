"""Who may call the methods of a REST API, and how often."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from bareboat.local.access.api_keys import KeyRing, KnownKey, known_keys
from bareboat.local.access.guard import Guard, Invoke, RouteLike, closed_on_failure, failure, without_place
from bareboat.local.access.identity import all_headers
from bareboat.local.access.lambda_events import request_event_rest
from bareboat.local.access.lambda_guard import Manner, lambda_guard
from bareboat.local.access.resource_policy import ResourcePolicy
from bareboat.local.access.settings import Settings, secrets_of
from bareboat.local.access.throttle import Throttles
from bareboat.local.access.usage import FILE, Usage
from bareboat.local.verdict import OPEN, THROTTLED, Allowed, Refused, Verdict
from bareboat.service.api import Authorizer, IamAuthorizer, JwtAuthorizer
from bareboat.service.triggers import HttpEvent

if TYPE_CHECKING:
    from bareboat.local.gateway.call import Call
    from bareboat.service.model import Service

KEY_HEADER = "x-api-key"
EXCEEDED = Refused("QUOTA_EXCEEDED", 429, "Limit Exceeded", reason="the quota of the API key is used up")


class RestAccess:
    """The access control of one REST API: resource policy, authorizer, API key, usage plan, throttling, in this order.

    Args:
        invoke: how a Lambda authorizer's function is called.
        settings: the service's own unless a test says otherwise.
        usage: what API keys have used, where that outlives this object; made anew when None.
    Raises:
        LocalError: the values of API keys cannot be read or kept.
    """

    def __init__(
        self,
        service: Service,
        invoke: Invoke,
        settings: Settings | None = None,
        *,
        usage: Usage | None = None,
    ) -> None:
        api = service.provider.rest_api
        self._region = service.provider.region
        self._invoke = invoke
        self._settings = settings = settings or Settings(secrets_of(service))
        self._from_authorizer = api.key_source == "AUTHORIZER"
        self._policy = ResourcePolicy(service) if api.policy else None
        self._guards: dict[str, tuple[Guard, tuple[str, ...]]] = {}
        self._authorizers: dict[str, Authorizer] = {}
        self._private: set[str] = set()
        throttles = dict(api.throttles)
        made: dict[object, Guard] = {}
        for function in service.functions.values():
            for event in function.events:
                if not isinstance(event, HttpEvent):
                    continue
                if event.private:
                    self._private.add(event.route_key)
                if event.throttle is not None:
                    throttles[event.route_key] = event.throttle
                if event.authorizer is not None:
                    which = without_place(event.authorizer)
                    if which not in made:
                        made[which] = self._guard(event.authorizer)
                    self._guards[event.route_key] = made[which], event.scopes
                    self._authorizers[event.route_key] = event.authorizer
        self._throttles = Throttles(api.throttle, throttles, settings.clock)
        self.keys: tuple[KnownKey, ...] = ()
        if api.keys:
            self.keys = known_keys(api.keys, api.plans, settings.secrets)
        self._ring = KeyRing(self.keys)
        if usage is None:
            usage = Usage(settings.secrets.folder / FILE, clock=settings.clock, now=settings.now)
        self.usage = usage

    def check(self, call: Call, route: RouteLike) -> Verdict | Awaitable[Verdict]:
        """Return what becomes of a request to a method; an authorizer that fails is a refusal."""
        if self._policy is not None:
            refused = self._policy.first(call, self._authorizers.get(route.key))
            if refused is not None:
                return refused
        guarded = self._guards.get(route.key)
        if guarded is None:
            return self._admit(call, route, OPEN)
        guard, scopes = guarded
        try:
            verdict = guard.check(call, route, scopes)
        except Exception as error:  # noqa: BLE001 - what goes wrong here must never let a request in
            return failure(f"{type(error).__name__}: {error}", rest=True)
        if isinstance(verdict, Allowed | Refused):
            return self._admit(call, route, verdict)
        return self._admit_later(call, route, verdict)

    async def _admit_later(self, call: Call, route: RouteLike, asked: Awaitable[Verdict]) -> Verdict:
        return self._admit(call, route, await closed_on_failure(asked, rest=True))

    def _admit(self, call: Call, route: RouteLike, verdict: Verdict) -> Verdict:
        """Return the verdict on a request that the authorizer lets in: its API key and how often it calls."""
        if self._policy is not None and isinstance(verdict, Allowed):
            verdict = self._policy.last(call, self._authorizers.get(route.key), verdict)
        if isinstance(verdict, Refused):
            return verdict
        key = None
        if route.key in self._private:
            value = verdict.usage_key if self._from_authorizer else _sent_key(call)
            key = self._ring.find(value) if value else None
            if key is None or not key.enabled or key.plan is None:
                why = "no API key" if not value else "no such API key" if key is None else "the API key is not enabled"
                if key is not None and key.enabled:
                    why = "the API key is in no usage plan"
                return Refused(
                    "INVALID_API_KEY",
                    403,
                    "Forbidden",
                    reason=why,
                    authorizer=verdict.authorizer,
                    api_key="" if key is None else key.name,
                )
            verdict = replace(
                verdict, api_key=key.name, identity={**verdict.identity, "apiKey": key.value, "apiKeyId": key.key_id}
            )
            if self.usage.is_throttled(key):
                return _limited(THROTTLED, verdict)
        if not self._throttles.take(route.key):
            return _limited(THROTTLED, verdict)
        if key is not None and self.usage.is_used_up(key):
            return _limited(EXCEEDED, verdict)
        return verdict

    def _guard(self, authorizer: Authorizer) -> Guard:
        settings = self._settings
        if isinstance(authorizer, JwtAuthorizer):
            from bareboat.local.access.jwt_guard import jwt_guard  # as above

            return jwt_guard(
                replace(authorizer, cognito=True), local=settings.issuer, now=settings.now, fetch=settings.fetch
            )
        if isinstance(authorizer, IamAuthorizer):
            from bareboat.local.access.iam_guard import IamGuard  # imported late: few services ask for it

            return IamGuard(settings.credentials(), door="http", region=self._region, now=settings.now)
        manner = Manner(self._region, request_event_rest, rest=True, method_path=_method_path)
        return lambda_guard(authorizer, self._invoke, manner, clock=settings.clock)


def _sent_key(call: Call) -> str:
    values = all_headers(call, KEY_HEADER)
    return values[0] if len(values) == 1 else ""


def _limited(refused: Refused, verdict: Allowed) -> Refused:
    return replace(refused, authorizer=verdict.authorizer, api_key=verdict.api_key)


def _method_path(call: Call) -> str:
    """Return the path of a method's ARN, as the method was found by it: without the stage, decoded."""
    return unquote(call.path.rstrip("/"))
