"""The guard of a Lambda authorizer, of an HTTP API or a REST API."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from bareboat.errors import BareboatError
from bareboat.local import patterns
from bareboat.local.access.guard import Closed, Guard, Invoke, RouteLike, failure
from bareboat.local.access.identity import Source, all_headers, source_of
from bareboat.local.gateway.response import error_text
from bareboat.local.patterns import PatternTooSlowError
from bareboat.local.verdict import Allowed, Refused, Verdict
from bareboat.service.policy import Policy, PolicyError, parse_policy

if TYPE_CHECKING:
    from bareboat.local.access.throttle import Clock
    from bareboat.local.gateway.call import Call
    from bareboat.local.invocation import Invocation
    from bareboat.service.api import LambdaAuthorizer

LIMIT_S = 10.0  # how long an authorizer may take
KEPT_ANSWERS = 4096
MAX_ARN_BYTES = 1600
NOT_ALLOWED = "User is not authorized to access this resource"
DENIED = "User is not authorized to access this resource with an explicit deny"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

BuildEvent = Callable[[Any, Any, list[str], str], dict[str, Any]]  # call, route, values, ARN


class BadAnswerError(Exception):
    """What the function answered says neither yes nor no. The text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an authorizer's function said.

    Args:
        policy: who may call what; None for a simple answer.
        allows: the simple answer.
        usage_key: `usageIdentifierKey`.
        principal: `principalId`; "" in a simple answer.
    """

    policy: Policy | None
    allows: bool = False
    context: dict[str, Any] | None = None
    principal: str = ""
    usage_key: str = ""


@dataclass(slots=True)
class _Kept:
    answer: Answer
    until: float


@dataclass(frozen=True, slots=True)
class Manner:
    """How one kind of API asks its authorizers and tells of them.

    Args:
        region: of the ARN of a method.
        build: makes the event.
        rest: whether it is a REST API, which has words of its own for a refusal.
        method_path: the path of a request in the ARN, without the stage.
    """

    region: str
    build: BuildEvent
    rest: bool
    method_path: Callable[[Call], str]


def lambda_guard(
    authorizer: LambdaAuthorizer, invoke: Invoke, manner: Manner, *, clock: Clock = time.monotonic
) -> Guard:
    """Return the guard of an authorizer; one that lets nobody in where it cannot be asked."""
    name = authorizer.name
    if not authorizer.function:
        return Closed(name, f"the function {authorizer.arn or name} is not in this service", manner.rest)
    sources = []
    for written in authorizer.identity_sources:
        source = source_of(written)
        if source is None:
            return Closed(name, f"the identity source {written} is not known", manner.rest)
        sources.append(source)
    if authorizer.pattern:
        try:
            patterns.check(authorizer.pattern)
        except re.error as error:
            return Closed(name, f"{authorizer.pattern!r} is no pattern: {error}", manner.rest)
    header = ""
    if authorizer.kind == "token":
        header = authorizer.identity_sources[0].rpartition("header.")[2].lower() if sources else "authorization"
        if not sources:
            sources = [source_of("method.request.header.Authorization")]  # type: ignore[list-item]
    return LambdaGuard(authorizer, invoke, manner, sources, authorizer.pattern, header, clock)


@dataclass
class LambdaGuard:
    """Lets in whom a function lets in.

    Requests at the same time with the same identity each ask the function; AWS promises nothing else.
    """

    authorizer: LambdaAuthorizer
    invoke: Invoke
    manner: Manner
    sources: list[Source]
    pattern: str  # "" where any token is asked about
    header: str  # of a token authorizer
    clock: Clock
    _kept: OrderedDict[tuple[str, ...], _Kept] = field(default_factory=OrderedDict)
    _late: set[asyncio.Future[Invocation]] = field(default_factory=set)

    def check(self, call: Call, route: RouteLike, scopes: tuple[str, ...]) -> Verdict | Awaitable[Verdict]:  # noqa: ARG002
        """Return what becomes of a request: at once from what is kept, else after the function."""
        values = [source(call, route) for source in self.sources]
        if self.header:  # the last one is what the function and the event are told, too
            values = [(all_headers(call, self.header) or [""])[-1]]
        if not all(values):
            return self._unauthorized("an identity source is missing")
        if self.pattern:
            patterns.begin()
            try:
                if not patterns.fullmatch(self.pattern, values[0]):
                    return self._unauthorized("the token does not match identityValidationExpression")
            except PatternTooSlowError as error:
                return self._unauthorized(f"identityValidationExpression: {error}")
        key = tuple(values)
        if key and self.authorizer.ttl_s > 0:
            kept = self._kept.get(key)
            if kept is not None:
                if self.clock() < kept.until:
                    self._kept.move_to_end(key)
                    return self._decide(kept.answer, call, 0)
                del self._kept[key]
        return self._ask(call, route, values, key)

    async def _ask(self, call: Call, route: RouteLike, values: list[str], key: tuple[str, ...]) -> Verdict:
        arn = self._arn(call)
        if self.authorizer.kind == "token":
            event: dict[str, Any] = {"type": "TOKEN", "authorizationToken": values[0], "methodArn": arn}
        else:
            event = self.manner.build(call, route, values, arn)
        started = self.clock()
        task = asyncio.ensure_future(
            self.invoke(self.authorizer.function, _encode(event), call.lambda_trace, "authorizer")
        )
        self._late.add(task)
        task.add_done_callback(self._over)
        done, _ = await asyncio.wait({task}, timeout=LIMIT_S)
        if not done:
            return self._failed(f"no answer in {LIMIT_S:g} s", kind="AUTHORIZER_FAILURE")
        try:
            invocation = task.result()
        except BareboatError as error:
            return self._failed(error.problems[0].found, kind="AUTHORIZER_FAILURE")
        latency_ms = int((self.clock() - started) * 1000)
        if invocation.error:
            return self._error(invocation)
        try:
            answer = self._read(invocation.payload)
        except BadAnswerError as error:
            return self._failed(str(error))
        if key and self.authorizer.ttl_s > 0:
            self._kept[key] = _Kept(answer, self.clock() + self.authorizer.ttl_s)
            if len(self._kept) > KEPT_ANSWERS:
                self._kept.popitem(last=False)
        return self._decide(answer, call, latency_ms)

    def _read(self, payload: bytes) -> Answer:
        try:
            said = _decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise BadAnswerError("the function answered no object")
        context = said.get("context")
        if context is not None and not isinstance(context, dict):
            raise BadAnswerError("context is no object")
        if self.authorizer.simple and not self.manner.rest:
            if not isinstance(said.get("isAuthorized"), bool):
                raise BadAnswerError("isAuthorized is neither true nor false")
            return Answer(None, said["isAuthorized"], context)
        return self._read_policy(said, context)

    def _read_policy(self, said: dict[str, Any], context: dict[str, Any] | None) -> Answer:
        principal = said.get("principalId")
        if self.manner.rest and (not isinstance(principal, str | int) or principal is True or principal in ("", False)):
            raise BadAnswerError("there is no principalId")
        try:
            policy = parse_policy(said.get("policyDocument"))
        except PolicyError as error:
            raise BadAnswerError(str(error)) from None
        if self.manner.rest and any(isinstance(value, dict | list) for value in (context or {}).values()):
            raise BadAnswerError("context has an object or a list; a REST API takes text, numbers, true and false")
        usage_key = said.get("usageIdentifierKey")
        return Answer(policy, False, context, str(principal or ""), usage_key if isinstance(usage_key, str) else "")

    def _decide(self, answer: Answer, call: Call, latency_ms: int) -> Verdict:
        if answer.policy is None:
            decision = "allow" if answer.allows else "deny"
        else:
            arn = self._arn(call)
            if self.manner.rest and len(arn.encode()) > MAX_ARN_BYTES:
                return Refused("REQUEST_TOO_LONG", 414, "Request URI too long", reason="the method's ARN is too long")
            decision = answer.policy.decide(arn, {"aws:sourceip": call.request.peer[0]})
        if decision != "allow":
            said = "Forbidden" if not self.manner.rest else DENIED if decision == "deny" else NOT_ALLOWED
            reason = "the authorizer denies it" if decision == "deny" else "the authorizer's policy does not allow it"
            return Refused("ACCESS_DENIED", 403, said, reason=reason, authorizer=self.authorizer.name)
        return Allowed(
            context=self._context(answer, latency_ms), authorizer=self.authorizer.name, usage_key=answer.usage_key
        )

    def _context(self, answer: Answer, latency_ms: int) -> dict[str, Any] | None:
        if not self.manner.rest:
            return answer.context
        told = {name: _as_text(value) for name, value in (answer.context or {}).items()}
        return {**told, "principalId": answer.principal, "integrationLatency": latency_ms}

    def _arn(self, call: Call) -> str:
        api = call.api
        path = self.manner.method_path(call).removeprefix("/")
        return (
            f"arn:aws:execute-api:{self.manner.region}:{api.account_id}:{api.api_id}"
            f"/{api.stage}/{call.request.method}/{path}"
        )

    def _error(self, invocation: Invocation) -> Refused:
        """Return the refusal of a function that failed; raising `Unauthorized` is REST's way to say 401."""
        try:
            said = _decode(invocation.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            said = None
        text = said.get("errorMessage") if isinstance(said, dict) else None
        if self.manner.rest and text == "Unauthorized":
            return self._unauthorized("the function raised Unauthorized")
        return self._failed(error_text(invocation.payload))

    def _failed(self, reason: str, *, kind: str = "AUTHORIZER_CONFIGURATION_ERROR") -> Refused:
        return failure(reason, self.authorizer.name, kind=kind, rest=self.manner.rest)

    def _unauthorized(self, reason: str) -> Refused:
        return Refused("UNAUTHORIZED", 401, "Unauthorized", reason=reason, authorizer=self.authorizer.name)

    def _over(self, task: asyncio.Future[Invocation]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # seen: nobody may wait for it any more


def _as_text(value: Any) -> str | None:
    """Return a context value as a REST API hands it on: all but null becomes text (seen, docs/fidelity.md)."""
    if value is None or isinstance(value, str):
        return value
    return _encode(value).decode()
