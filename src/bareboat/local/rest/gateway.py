"""Requests -> responses: the REST API in front of the local Lambda."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from time import perf_counter, time
from typing import Protocol

from bareboat.local.access_record import AccessRecord
from bareboat.local.addresses import domain_name
from bareboat.local.gateway.call import Api
from bareboat.local.gateway.response import message
from bareboat.local.gateway.routes import RouteTable
from bareboat.local.invocation import Invocation
from bareboat.local.messages import Request, Response
from bareboat.local.rest.answers import KINDS, Answers, Asked, with_headers
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.compression import compress
from bareboat.local.rest.event import request_context
from bareboat.local.rest.integration import MAX_BODY_BYTES, SOURCE, Integration, Invoke, InvokeLater
from bareboat.local.rest.methods import Method, rest_table
from bareboat.local.rest.refusal import Refusal
from bareboat.local.verdict import Allowed, Refused, Verdict
from bareboat.service.model import Service

__all__ = ["MAX_BODY_BYTES", "MAX_HEADER_BYTES", "RestApiGateway"]

MAX_HEADER_BYTES = 10_240  # request line and headers (quota of REST APIs)
STAGE_NOT_FOUND = "STAGE_NOT_FOUND"  # no gateway response: there is no API that could have one
_PLAIN = Answers()


class Access(Protocol):
    """Who may call, and how often: `bareboat.local.access`."""

    def check(self, call: RestCall, route: Method) -> Verdict | Awaitable[Verdict]:
        """Return what becomes of a request to a method, or what to await for it. It raises nothing."""


class RestApiGateway:
    """The REST API: resources and methods, answered by functions. `handle` and `refuse` are for `start_server`.

    Args:
        invoke: calls a function; may raise Throttled or another BareboatError (500, 502).
        access: None where anyone may call anything.
        api: what all events have in common; its stage is the first part of each path.
        on_request: told of each request after it was answered.
        invoke_later: takes the event of a method with `async: true`; None invokes once, in the background.
    Raises:
        LocalError: two methods are the same, a path is none that API Gateway takes, a model cannot be read.
    """

    def __init__(
        self,
        service: Service,
        invoke: Invoke,
        access: Access | None = None,
        *,
        api: Api,
        on_request: Callable[[AccessRecord], None] | None = None,
        invoke_later: InvokeLater | None = None,
    ) -> None:
        rest = service.provider.rest_api
        self._table: RouteTable[Method] = rest_table(service)
        self._access = access
        self._api = api
        self._on_request = on_request
        self._answers = Answers(rest.responses)
        self._compress_from = rest.compress_from_bytes
        self._deployment_id = hashlib.sha256(f"{api.api_id}/{api.stage}".encode()).hexdigest()[:6]
        self._integration = Integration(rest, invoke, self._deployment_id, invoke_later=invoke_later)

    @property
    def methods(self) -> tuple[Method, ...]:
        """The methods, in the order of serverless.yml, those of CORS last."""
        return self._table.routes

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request: at once what the gateway answers itself, else after the function."""
        started = perf_counter()
        call = RestCall(request, self._api)
        found = self._table.find(request.method, call.resource_path) if call.path else None
        if found is None:
            return self._lost(call, started)
        method, call.parameters = found
        if method.preflight is not None:
            return self._finish(call, method, method.preflight.answer(request), started)
        if self._access is None:
            return self._serve(call, method, started)
        verdict = self._access.check(call, method)
        if isinstance(verdict, Refused):
            return self._turn_away(call, method, verdict, started)
        if isinstance(verdict, Allowed):
            call.access = verdict
            return self._serve(call, method, started)
        return self._serve_later(call, method, started, verdict)

    def refuse(self, status: int) -> Response:
        """Answer what the server could not read or will not take: 400, 408, 413, 431, 505."""
        response = self._answers.make("REQUEST_TOO_LARGE") if status == 413 else message(status)
        if self._on_request is not None:
            self._on_request(
                AccessRecord("", "", response.status, 0.0, "", "", cold=False, at=time(), api=SOURCE, response=response)
            )
        return response

    async def close(self) -> None:
        """Give up what still runs after its client was answered."""
        await self._integration.close()

    async def _serve(self, call: RestCall, method: Method, started: float) -> Response:
        try:
            response, invocation = await self._integration.run(call, method)
        except Refusal as refusal:
            response = self._answer(call, method, refusal)
            return self._finish(call, method, response, started, invocation=refusal.invocation, refusal=refusal)
        response.headers = [*response.headers, ("X-Amzn-Trace-Id", call.lambda_trace)]
        return self._finish(call, method, response, started, invocation=invocation)

    async def _serve_later(self, call: RestCall, method: Method, started: float, asked: Awaitable[Verdict]) -> Response:
        verdict = await asked
        if isinstance(verdict, Refused):
            return self._turn_away(call, method, verdict, started)
        call.access = verdict
        return await self._serve(call, method, started)

    def _lost(self, call: RestCall, started: float) -> Response:
        """Answer a stage, path or method that there is not. AWS calls none of them not found."""
        if call.path:
            why = self._table.why_none(call.resource_path)
            refusal = Refusal("MISSING_AUTHENTICATION_TOKEN", why=why, before=True)
            return self._finish(call, None, self._answer(call, None, refusal), started, refusal=refusal)
        why = f"paths begin with the stage: /{self._api.stage}{call.stage_path}"
        if call.stage_path.strip("/"):
            refusal = Refusal(STAGE_NOT_FOUND, why=why, before=True)
            return self._finish(call, None, _PLAIN.make("INVALID_API_KEY"), started, refusal=refusal)
        refusal = Refusal("MISSING_AUTHENTICATION_TOKEN", why=why, before=True)
        return self._finish(call, None, _PLAIN.make(refusal.kind), started, refusal=refusal)

    def _turn_away(self, call: RestCall, method: Method, refused: Refused, started: float) -> Response:
        known = KINDS.get(refused.kind)
        text = None if known is not None and known.message is None else refused.message
        refusal = Refusal(refused.kind, text, status=refused.status, why=refused.reason, before=True)
        response = self._answer(call, method, refusal)
        response.headers = with_headers(response.headers, refused.headers)
        return self._finish(call, method, response, started, refusal=refusal, verdict=refused)

    def _answer(self, call: RestCall, method: Method | None, refusal: Refusal) -> Response:
        asked = Asked(
            call.request, lambda: self._context(call, method), self._api.stage_variables, call.parameters, call.query
        )
        return self._answers.make(
            refusal.kind, refusal.text, status=refusal.status, asked=asked, validation=refusal.details
        )

    def _context(self, call: RestCall, method: Method | None) -> dict[str, object]:
        headers = {name.lower(): value for name, value in call.request.headers}
        domain = domain_name(headers.get("host") or self._api.domain)
        shown = method or Method("", call.request.method, "", "")
        return request_context(call, shown, domain, headers.get("user-agent"), self._deployment_id)

    def _finish(
        self,
        call: RestCall,
        method: Method | None,
        response: Response,
        started: float,
        *,
        invocation: Invocation | None = None,
        refusal: Refusal | None = None,
        verdict: Refused | None = None,
    ) -> Response:
        if self._compress_from is not None:
            compress(call.request, response, self._compress_from)
        response.headers = [
            *response.headers,
            ("x-amzn-RequestId", call.request_id),
            ("x-amz-apigw-id", call.extended_id),
        ]
        if self._on_request is not None:
            asked = verdict or call.access
            before = refusal is not None and refusal.before
            self._on_request(
                AccessRecord(
                    call.request.method,
                    call.stage_path,
                    response.status,
                    (perf_counter() - started) * 1000,
                    "" if method is None or before else method.function,
                    call.request_id,
                    cold=invocation is not None and invocation.init_ms is not None,
                    error="" if refusal is None else refusal.why,
                    at=call.time_epoch / 1000,
                    api=SOURCE,
                    route="" if method is None else method.key,
                    authorizer="" if asked is None else asked.authorizer,
                    refused=refusal.kind if refusal is not None and before else "",
                    api_key="" if asked is None else asked.api_key,
                    invocation_id="" if invocation is None else invocation.request_id,
                    request=call.request,
                    response=response,
                )
            )
        return response
