"""Requests of any path and method -> one function -> responses: a Lambda function URL.

Source:
    LocalStack's recordings TestLambdaURL and TestLambdaPermissions of November 2025 (docs/fidelity.md).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter, time
from typing import TYPE_CHECKING

import msgspec

from bareboat.errors import BareboatError
from bareboat.local import ids
from bareboat.local.access_record import AccessRecord
from bareboat.local.addresses import digest_id
from bareboat.local.gateway.call import Api, Call
from bareboat.local.gateway.cors import CorsRules, is_preflight
from bareboat.local.gateway.gateway import Access
from bareboat.local.gateway.response import JSON, error_text, parse_v2
from bareboat.local.gateway.returned import MalformedResponseError
from bareboat.local.gateway.routes import Route
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.messages import REASONS, Request, Response
from bareboat.local.url.event import build_event
from bareboat.local.verdict import Allowed, Refused
from bareboat.service.model import Function, Service

if TYPE_CHECKING:
    from bareboat.local.site import Invoke

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 6 * 1024 * 1024
MAX_HEADER_BYTES = 16_384
STREAMED = ("Content-Type", "application/octet-stream")
_encode = msgspec.json.Encoder().encode


class FunctionUrl:
    """One function URL. `handle` and `refuse` are for `start_server`.

    Args:
        invoke: calls the function; may raise Throttled (429) or another BareboatError (502).
        api: with the URL's own id, see `url_id`.
        access: asked before the function is; without it a URL that wants signatures (AWS_IAM) lets nobody in.
        on_request: told of each request, just before its response is returned.
    """

    def __init__(
        self,
        function: Function,
        invoke: Invoke,
        *,
        api: Api,
        access: Access | None = None,
        on_request: Callable[[AccessRecord], None] | None = None,
    ) -> None:
        assert function.url is not None, "the function has no URL"
        self._name = function.name
        self._invoke = invoke
        self._api = api
        self._access = access or (None if function.url.auth == "NONE" else _Nobody())
        self._on_request = on_request
        self._streams = function.url.invoke_mode == "RESPONSE_STREAM"
        self._cors = None if function.url.cors is None else CorsRules(function.url.cors, ())
        self._route = Route("$default", "*", "*", function.name, timeout_s=function.timeout_s)

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request: at once what the URL answers itself, else after the function."""
        started = perf_counter()
        call = Call(request, self._api)
        call.request_id = ids.request_id()
        if self._cors is not None and is_preflight(request):
            preflight = self._cors.preflight(request)
            preflight.status = 200
            return self._finish(call, preflight, started)
        if self._access is None:
            return self._serve(call, started)
        verdict = self._access.check(call, self._route)
        if isinstance(verdict, Refused):
            return self._turn_away(call, verdict, started)
        if isinstance(verdict, Allowed):
            call.access = verdict
            return self._serve(call, started)
        return self._serve_later(call, verdict, started)

    def refuse(self, status: int) -> Response:
        """Answer what the server could not read or will not take: 400, 408, 413, 431, 505."""
        response = _said(status, REASONS[status])
        if self._on_request is not None:
            self._on_request(
                AccessRecord("", "", status, 0.0, "", "", cold=False, at=time(), api="url", response=response)
            )
        return response

    async def close(self) -> None:
        """Hold nothing."""

    async def _serve_later(self, call: Call, asked: Awaitable[Allowed | Refused], started: float) -> Response:
        verdict = await asked
        if isinstance(verdict, Refused):
            return self._turn_away(call, verdict, started)
        call.access = verdict
        return await self._serve(call, started)

    def _turn_away(self, call: Call, refused: Refused, started: float) -> Response:
        response = _said(refused.status, refused.message)
        response.headers = [*response.headers, *refused.headers]
        return self._finish(call, self._shared(call, response), started, refused=refused)

    async def _serve(self, call: Call, started: float) -> Response:
        invocation: Invocation | None = None
        error = ""
        try:
            event = _encode(build_event(call, self._route))
            if len(event) > MAX_BODY_BYTES:
                response = _said(413, REASONS[413])
            else:
                invocation = await self._invoke(self._name, event, call.lambda_trace, "url", request_id=call.request_id)
                if invocation.error:
                    response, error = _failed(), error_text(invocation.payload)
                elif self._streams:
                    response = Response(200, [STREAMED], invocation.payload)
                else:
                    response = parse_v2(invocation.payload, JSON)
        except MalformedResponseError as problem:
            response, error = _failed(), str(problem)
        except Throttled as problem:
            response, error = _throttled(problem), problem.problems[0].found
        except BareboatError as problem:
            log.warning("%s: %s", self._name, problem)
            response, error = _failed(), problem.problems[0].found
        return self._finish(call, self._shared(call, response), started, invocation=invocation, error=error)

    def _shared(self, call: Call, response: Response) -> Response:
        """Add the configured CORS headers beside those that the function returned, as AWS does, twice if need be."""
        if self._cors is not None:
            response.headers = [*response.headers, *self._cors.headers(call.request)]
        return response

    def _finish(
        self,
        call: Call,
        response: Response,
        started: float,
        *,
        invocation: Invocation | None = None,
        error: str = "",
        refused: Refused | None = None,
    ) -> Response:
        response.headers = [*response.headers, ("x-amzn-RequestId", call.request_id)]
        if self._on_request is not None:
            self._on_request(
                AccessRecord(
                    call.request.method,
                    call.path,
                    response.status,
                    (perf_counter() - started) * 1000,
                    "" if refused is not None else self._name,
                    call.request_id,
                    cold=invocation is not None and invocation.init_ms is not None,
                    error=error if refused is None else refused.reason,
                    at=call.time_epoch / 1000,
                    api="url",
                    route=self._route.key,
                    refused="" if refused is None else refused.kind,
                    invocation_id="" if invocation is None else invocation.request_id,
                    request=call.request,
                    response=response,
                )
            )
        return response


class _Nobody:
    """Lets nobody in."""

    def check(self, call: Call, route: Route) -> Refused:  # noqa: ARG002 - as a gateway asks it
        """Refuse (the answer is recorded)."""
        message = (
            "Forbidden. For troubleshooting Function URL authorization issues, see: "
            "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
        )
        return Refused("ACCESS_DENIED", 403, message, (("x-amzn-ErrorType", "AccessDeniedException"),))


def url_id(service: Service, function: str) -> str:
    """Return 32 characters that name a function's URL as AWS's ids do, the same for the same service and stage."""
    name = f"{service.name}/{service.provider.stage}/{function}/url"
    return digest_id(name, 32, "abcdefghijklmnopqrstuvwxyz234567")


def _said(status: int, text: str | None) -> Response:
    return Response(status, [JSON], msgspec.json.encode({"Message": text}))


def _failed() -> Response:
    """Return what a client learns of a function that failed (recorded: the status and the text)."""
    return Response(502, [JSON], b"Internal Server Error")


def _throttled(problem: Throttled) -> Response:
    fields = {"Reason": problem.reason, "Type": "User", "message": problem.words}
    return Response(429, [JSON, ("x-amzn-ErrorType", problem.code)], msgspec.json.encode(fields))
