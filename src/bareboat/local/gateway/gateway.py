"""Requests -> invocations -> responses: the HTTP API in front of the local Lambda."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter, time
from typing import Any, NamedTuple, Protocol

import msgspec

from bareboat.errors import BareboatError
from bareboat.local.access_record import AccessRecord
from bareboat.local.gateway import event_v1, event_v2
from bareboat.local.gateway.call import Api, Call
from bareboat.local.gateway.cors import CorsRules, is_preflight
from bareboat.local.gateway.deadline import DeadlinePassedError
from bareboat.local.gateway.patience import Patience
from bareboat.local.gateway.response import error_text, message, parse_v1, parse_v2
from bareboat.local.gateway.returned import MalformedResponseError
from bareboat.local.gateway.routes import Route, RouteTable
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.messages import Request, Response
from bareboat.local.verdict import Allowed, Refused, Verdict
from bareboat.service.api import Cors

log = logging.getLogger(__name__)

MAX_HEADER_BYTES = 10_240  # request line and headers (quota of HTTP APIs)
MAX_BODY_BYTES = 10 * 1024 * 1024  # payload (quota of HTTP APIs)
MAX_EVENT_BYTES = 6 * 1024 * 1024  # what Lambda takes in a synchronous invocation
INTEGRATION_TIMEOUT_S = 30.0

Invoke = Callable[[str, bytes, str], Awaitable[Invocation]]  # function name, event, trace id
_encode = msgspec.json.Encoder().encode


class EventFormat(NamedTuple):
    """How one payload format makes events and reads answers."""

    build: Callable[[Call, Route, dict[str, str]], dict[str, Any]]
    parse: Callable[[bytes], Response]


FORMATS = {
    "2.0": EventFormat(event_v2.build_event, parse_v2),
    "1.0": EventFormat(event_v1.build_event, parse_v1),
}


class Access(Protocol):
    """Who may call, and how often: `bareboat.local.access`."""

    def check(self, call: Call, route: Route) -> Verdict | Awaitable[Verdict]:
        """Return what becomes of a request to a route, or what to await for it. It raises nothing."""


class HttpApiGateway:
    """The HTTP API: one table of routes, answered by functions. `handle` and `refuse` are for `start_server`.

    Args:
        invoke: calls a function; may raise Throttled (503) or another BareboatError (500).
        cors: None where the API has no CORS configuration: then OPTIONS is a method like any other.
        access: None where anyone may call anything.
        on_request: told of each request after it was answered.
        integration_timeout_s: longer than this is 503, while the function goes on.
    """

    def __init__(
        self,
        table: RouteTable[Route],
        invoke: Invoke,
        *,
        api: Api,
        cors: Cors | None = None,
        access: Access | None = None,
        on_request: Callable[[AccessRecord], None] | None = None,
        integration_timeout_s: float = INTEGRATION_TIMEOUT_S,
    ) -> None:
        self._table = table
        self._invoke = invoke
        self._api = api
        self._cors = None if cors is None else CorsRules(cors, table.methods)
        self._access = access
        self._on_request = on_request
        self._patience = Patience(integration_timeout_s)

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request: at once what the gateway answers itself, else after the function."""
        started = perf_counter()
        call = Call(request, self._api)
        found = self._table.find(request.method, call.path)
        if self._cors is not None and request.method == "OPTIONS":
            explicit = found is not None and found[0].method == "OPTIONS"
            if found is None or (is_preflight(request) and not explicit):
                return self._finish(call, self._cors.preflight(request), started)
        if found is None:
            why = self._table.why_none(call.path)
            return self._finish(call, self._shared(request, message(404)), started, error=why)
        if self._access is None:
            return self._serve(call, *found, started)
        call.parameters = found[1]
        verdict = self._access.check(call, found[0])
        if isinstance(verdict, Refused):
            return self._turn_away(call, found[0], verdict, started)
        if isinstance(verdict, Allowed):
            call.access = verdict
            return self._serve(call, *found, started)
        return self._serve_later(call, *found, started, verdict)

    def refuse(self, status: int) -> Response:
        """Answer what the server could not read or will not take: 400, 408, 413, 431, 505."""
        response = message(status)
        if self._on_request is not None:
            self._on_request(AccessRecord("", "", status, 0.0, "", "", cold=False, at=time(), response=response))
        return response

    async def close(self) -> None:
        """Give up what still runs after its client had its 503."""
        await self._patience.close()

    async def _serve_later(
        self, call: Call, route: Route, parameters: dict[str, str], started: float, asked: Awaitable[Verdict]
    ) -> Response:
        verdict = await asked
        if isinstance(verdict, Refused):
            return self._turn_away(call, route, verdict, started)
        call.access = verdict
        return await self._serve(call, route, parameters, started)

    def _turn_away(self, call: Call, route: Route, refused: Refused, started: float) -> Response:
        response = message(refused.status, refused.message or "")
        response.headers = [*response.headers, *refused.headers]
        self._shared(call.request, response)
        return self._finish(call, response, started, route=route, refused=refused)

    async def _serve(self, call: Call, route: Route, parameters: dict[str, str], started: float) -> Response:
        invocation: Invocation | None = None
        error = ""
        form = FORMATS[route.payload]
        try:
            event = self._event(call, route, parameters, form)
            if event is None:
                response = message(413)
            else:
                answer = self._invoke(route.function, event, call.lambda_trace)
                invocation = await self._patience.wait(answer, route.timeout_s)
                if invocation.error:
                    response, error = message(500), error_text(invocation.payload)
                else:
                    response = form.parse(invocation.payload)
        except MalformedResponseError as problem:
            response, error = message(500), str(problem)
        except Throttled as problem:
            response, error = message(503), problem.problems[0].found
        except DeadlinePassedError:
            response, error = message(503), f"no answer in {self._patience.limit_s:g} s"
        except BareboatError as problem:
            log.warning("%s: %s", route.function, problem)
            response, error = message(500), problem.problems[0].found
        self._shared(call.request, response)
        return self._finish(call, response, started, route=route, invocation=invocation, error=error)

    @staticmethod
    def _event(call: Call, route: Route, parameters: dict[str, str], form: EventFormat) -> bytes | None:
        if len(call.request.body) > MAX_EVENT_BYTES:
            return None
        event = _encode(form.build(call, route, parameters))
        return event if len(event) <= MAX_EVENT_BYTES else None

    def _shared(self, request: Request, response: Response) -> Response:
        if self._cors is not None:
            self._cors.apply(request, response)
        return response

    def _finish(
        self,
        call: Call,
        response: Response,
        started: float,
        *,
        route: Route | None = None,
        invocation: Invocation | None = None,
        error: str = "",
        refused: Refused | None = None,
    ) -> Response:
        response.headers = [*response.headers, ("Apigw-Requestid", call.request_id)]
        if self._on_request is not None:
            asked = refused or call.access
            self._on_request(
                AccessRecord(
                    call.request.method,
                    call.path,
                    response.status,
                    (perf_counter() - started) * 1000,
                    "" if route is None or refused is not None else route.function,
                    call.request_id,
                    cold=invocation is not None and invocation.init_ms is not None,
                    error=error if refused is None else refused.reason,
                    at=call.time_epoch / 1000,
                    route="" if route is None else route.key,
                    authorizer="" if asked is None else asked.authorizer,
                    refused="" if refused is None else refused.kind,
                    invocation_id="" if invocation is None else invocation.request_id,
                    request=call.request,
                    response=response,
                )
            )
        return response
