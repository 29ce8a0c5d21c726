"""A call that may go on -> what its function answers: validation, event, invocation, response."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from bareboat.errors import BareboatError
from bareboat.local.gateway.deadline import DeadlinePassedError
from bareboat.local.gateway.patience import Patience
from bareboat.local.gateway.response import error_text
from bareboat.local.gateway.returned import BadBase64Error, MalformedResponseError
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.messages import Response
from bareboat.local.rest.binary import BinaryTypes
from bareboat.local.rest.call import RestCall
from bareboat.local.rest.compression import TooLargeError, UnknownCodingError, unpacked
from bareboat.local.rest.event import build_event
from bareboat.local.rest.methods import Method
from bareboat.local.rest.refusal import Refusal
from bareboat.local.rest.response import JSON, parse
from bareboat.local.rest.template_event import build_template_event, template_response
from bareboat.local.rest.validation import Invalid, Validator
from bareboat.service.api import RestApi
from bareboat.service.triggers import HttpEvent

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 10 * 1024 * 1024  # payload (quota of REST APIs)
MAX_EVENT_BYTES = 6 * 1024 * 1024  # what Lambda takes in a synchronous invocation
LARGE_BODY_BYTES = 16_384  # from here on, validation takes long enough for others to notice
SOURCE = "http"

Invoke = Callable[[str, bytes, str, str], Awaitable[Invocation]]  # function, event, trace id, source
InvokeLater = Callable[[str, bytes, str, str], None]
_encode = msgspec.json.Encoder().encode


class Integration:
    """What stands between the methods of one API and their functions.

    Args:
        invoke: calls a function; may raise Throttled or another BareboatError.
        invoke_later: takes the event of a method with `async: true`; None invokes once, in the background.
    """

    def __init__(
        self, rest: RestApi, invoke: Invoke, deployment_id: str, *, invoke_later: InvokeLater | None = None
    ) -> None:
        self._invoke = invoke
        self._deployment_id = deployment_id
        self._binary = BinaryTypes(rest.binary_types)
        self._unpacks = rest.compress_from_bytes is not None
        self._invoke_later = invoke_later or self._in_background
        self._background: set[asyncio.Task[None]] = set()
        self._patience: dict[float, Patience] = {}

    async def run(self, call: RestCall, method: Method) -> tuple[Response, Invocation | None]:
        """Return the response, and what the function came to; None when it was not waited for.

        Raises:
            Refusal: the gateway answers in the function's place.
        """
        assert method.event is not None
        if self._unpacks:
            _unpack(call)
        if method.validator is not None:
            invalid = await self._invalid(call, method, method.validator)
            if invalid is not None:
                raise Refusal(
                    invalid.kind,
                    invalid.message,
                    why=invalid.details or invalid.message,
                    before=True,
                    details=invalid.details,
                )
        if method.event.integration == "AWS_PROXY":
            return await self._proxy(call, method)
        if is_templated(method.event):
            return await self._template(call, method)
        text = f"The integration {method.event.integration} of {method.key} is not served locally"
        raise Refusal("DEFAULT_5XX", text, status=501, why=text, before=True)

    async def _invalid(self, call: RestCall, method: Method, validator: Validator) -> Invalid | None:
        """Return what is wrong with a request; a large body is looked at beside the event loop."""
        assert method.event is not None
        if len(call.request.body) < LARGE_BODY_BYTES:
            return validator.check(call)
        limit_s = method.event.timeout_s
        try:
            return await asyncio.wait_for(asyncio.to_thread(validator.check, call), limit_s)
        except TimeoutError:
            why = f"the body could not be validated in {limit_s:g} s"
            raise Refusal("INTEGRATION_TIMEOUT", why=why, before=True) from None

    async def close(self) -> None:
        """Give up what still runs after its client was answered."""
        background = list(self._background)
        for task in background:
            task.cancel()
        waiting = (patience.close() for patience in self._patience.values())
        await asyncio.gather(*background, *waiting, return_exceptions=True)

    async def _proxy(self, call: RestCall, method: Method) -> tuple[Response, Invocation]:
        if len(call.request.body) > MAX_EVENT_BYTES:
            raise Refusal("REQUEST_TOO_LARGE", before=True)
        event = _encode(build_event(call, method, self._binary, self._deployment_id))
        invocation = await self._call(call, method, event)
        if invocation.error:
            why = error_text(invocation.payload)
            raise Refusal("DEFAULT_5XX", status=502, why=why, invocation=invocation)
        try:
            return parse(invocation.payload, binary=self._binary.has(call.request.header("accept"))), invocation
        except BadBase64Error as problem:
            raise Refusal("API_CONFIGURATION_ERROR", why=str(problem), invocation=invocation) from None
        except MalformedResponseError as problem:
            raise Refusal("DEFAULT_5XX", status=502, why=str(problem), invocation=invocation) from None

    async def _template(self, call: RestCall, method: Method) -> tuple[Response, Invocation | None]:
        assert method.event is not None
        document = build_template_event(call, method)
        if document is None:
            raise Refusal("UNSUPPORTED_MEDIA_TYPE", before=True)
        event = _encode(document)
        if method.event.asynchronous:
            try:
                self._invoke_later(method.function, event, call.lambda_trace, SOURCE)
            except Throttled as problem:
                raise Refusal("DEFAULT_5XX", why=problem.problems[0].found) from None
            return Response(200, [JSON]), None
        invocation = await self._call(call, method, event)
        return template_response(invocation.payload, failed=bool(invocation.error)), invocation

    async def _call(self, call: RestCall, method: Method, event: bytes) -> Invocation:
        assert method.event is not None
        if len(event) > MAX_EVENT_BYTES:
            raise Refusal("REQUEST_TOO_LARGE", before=True)
        limit_s = method.event.timeout_s
        patience = self._patience.get(limit_s)
        if patience is None:
            patience = self._patience[limit_s] = Patience(limit_s)
        try:
            answer = self._invoke(method.function, event, call.lambda_trace, SOURCE)
            return await patience.wait(answer, method.timeout_s)
        except Throttled as problem:
            raise Refusal("DEFAULT_5XX", why=problem.problems[0].found) from None
        except DeadlinePassedError:
            raise Refusal("INTEGRATION_TIMEOUT", why=f"no answer in {limit_s:g} s") from None
        except BareboatError as problem:
            log.warning("%s: %s", method.function, problem)
            raise Refusal("DEFAULT_5XX", status=502, why=problem.problems[0].found) from None

    def _in_background(self, function: str, event: bytes, trace_id: str, source: str) -> None:
        async def once() -> None:
            try:
                await self._invoke(function, event, trace_id, source)
            except BareboatError as problem:
                log.warning("%s: %s", function, problem)

        task = asyncio.ensure_future(once())
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def is_templated(event: HttpEvent) -> bool:
    """Return whether a method is `integration: lambda`, or `async`, with Serverless's own templates."""
    request = event.options.get("request")
    templates = isinstance(request, Mapping) and ("template" in request or "passThrough" in request)
    return event.integration == "AWS" and not templates and event.options.get("response") is None


def _unpack(call: RestCall) -> None:
    try:
        call.request.body = unpacked(call.request, MAX_BODY_BYTES)
    except TooLargeError:
        raise Refusal("REQUEST_TOO_LARGE", before=True) from None
    except UnknownCodingError as problem:
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", why=str(problem), before=True) from None
