"""Requests in the wire format of AWS's SDKs -> invocations of the local functions: Lambda's service API."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable

import msgspec

from bareboat.artifact.model import Artifact
from bareboat.errors import BareboatError
from bareboat.local import ids
from bareboat.local.addresses import REST_APIS
from bareboat.local.guard import foreign
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.lambda_api import event_stream, operations, refusal
from bareboat.local.lambda_api.asked import Asked
from bareboat.local.lambda_api.names import LATEST, Directory, Target
from bareboat.local.lambda_api.queue import EventQueue
from bareboat.local.lambda_api.reads import Reads
from bareboat.local.lambda_api.refusal import ApiError
from bareboat.local.messages import Request, Response
from bareboat.local.site import Invoke
from bareboat.service.model import Function, Service

log = logging.getLogger(__name__)

MAX_BODY_BYTES = refusal.MAX_PAYLOAD_BYTES  # more is refused by the server, in Lambda's words
MAX_HEADER_BYTES = 16_384  # a client context is up to 3,583 bytes, a signature with a session token about as much
TAIL_BYTES = 4096
TYPES = ("Event", "RequestResponse", "DryRun")
STREAM_TYPES = ("RequestResponse", "DryRun")
LOG_TYPES = ("None", "Tail")


class LambdaApi:
    """Lambda's API for the functions of one service. `handle` and `refuse` are for `start_server`.

    Any credentials are taken, and none: the port is this machine's alone. What a web page may have sent is refused.

    Args:
        queue: takes the asynchronous invocations.
        artifact_of: returns the artifact of a function by name, for what is said of its code; None where it has none.
        url_of: returns the URL of a function by name, None where it has none.
        rest: answers what tools ask of API Gateway on the same port.
    """

    def __init__(
        self,
        service: Service,
        invoke: Invoke,
        queue: EventQueue,
        *,
        artifact_of: Callable[[str], Artifact | None] = lambda _: None,
        url_of: Callable[[str], str | None] = lambda _: None,
        rest: Callable[[Request], Response | Awaitable[Response]] | None = None,
    ) -> None:
        self._rest = rest
        self._directory = Directory(service.functions.values(), region=service.provider.region)
        reads = Reads(service, self._directory, artifact_of, url_of)
        self._invoke = invoke
        self._queue = queue
        self._served: dict[str, Callable[[Asked], Response | Awaitable[Response]]] = {
            "Invoke": self._invocation,
            "InvokeAsync": self._old_event,
            "InvokeWithResponseStream": self._stream,
            **reads.operations,
        }

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one request."""
        request_id = ids.request_id()
        try:
            if why := foreign(request):
                raise refusal.forbidden(f"The local Lambda API is for programs of this machine: {why}")
            path, _, query = request.target.partition("?")
            if self._rest is not None and path.startswith(REST_APIS):
                return self._rest(request)
            found = operations.find(request.method, path)
            if found is None:
                raise ApiError(404, "UnknownOperationException", {})
            serve = self._served.get(found.operation)
            if serve is None:
                raise refusal.not_served(found.operation)
            answer = serve(Asked(request, request_id, found.names, query))
        except ApiError as error:
            return error.response(request_id)
        return answer if isinstance(answer, Response) else self._guarded(answer, request_id)

    def refuse(self, status: int) -> Response:
        """Answer what the server could not read or will not take."""
        error = refusal.request_too_large() if status == 413 else refusal.unreadable(status, _REFUSED.get(status, ""))
        return error.response(ids.request_id())

    async def close(self) -> None:
        """Hold nothing: the queue is its owner's to close."""

    async def _guarded(self, answer: Awaitable[Response], request_id: str) -> Response:
        try:
            return await answer
        except ApiError as error:
            return error.response(request_id)

    # Invocations

    def _invocation(self, asked: Asked) -> Response | Awaitable[Response]:
        kind = asked.choice("x-amz-invocation-type", "invocationType", TYPES, "RequestResponse")
        tail = asked.choice("x-amz-log-type", "logType", LOG_TYPES, "None") == "Tail"
        target = self._target(asked, shown=LATEST)
        if kind == "DryRun":
            return asked.empty(204)
        if kind == "Event":
            return self._event(asked, target.function)
        return self._call(asked, target, tail)

    def _event(self, asked: Asked, function: Function) -> Response:
        body = asked.event(refusal.MAX_EVENT_BYTES)
        try:
            self._queue.put(function, body, source=asked.source, trace_id=asked.trace_id, request_id=asked.request_id)
        except Throttled as error:
            raise refusal.too_many(error) from None
        return asked.empty(202)

    def _old_event(self, asked: Asked) -> Response:
        return self._event(asked, self._target(asked, shown=LATEST).function)

    async def _call(self, asked: Asked, target: Target, tail: bool) -> Response:
        invocation = await self._run(asked, target)
        headers = [*asked.headers(), ("X-Amz-Executed-Version", LATEST)]
        if invocation.error:
            headers.append(("X-Amz-Function-Error", invocation.error))
        if tail:
            headers.append(("X-Amz-Log-Result", _tail(invocation.log)))
        return Response(200, headers, invocation.payload)

    async def _run(self, asked: Asked, target: Target) -> Invocation:
        event = asked.event(refusal.MAX_PAYLOAD_BYTES)
        context = asked.client_context()
        try:
            return await self._invoke(
                target.function.name,
                event,
                trace_id=asked.trace_id,
                client_context=context,
                source=asked.source,
                request_id=asked.request_id,
                qualifier=target.qualifier,
            )
        except Throttled as error:
            raise refusal.too_many(error) from None
        except BareboatError as error:
            log.warning("%s: %s", target.function.name, error)
            raise refusal.cannot_run(error.problems[0].found) from None

    def _stream(self, asked: Asked) -> Response | Awaitable[Response]:
        kind = asked.choice("x-amz-invocation-type", "invocationType", STREAM_TYPES, "RequestResponse")
        tail = asked.choice("x-amz-log-type", "logType", LOG_TYPES, "None") == "Tail"
        target = self._target(asked, shown=LATEST)
        return asked.empty(204) if kind == "DryRun" else self._call_stream(asked, target, tail)

    async def _call_stream(self, asked: Asked, target: Target, tail: bool) -> Response:
        """Answer in the framing of a stream, all of it at once: Python's runtime client streams no response."""
        invocation = await self._run(asked, target)
        end: dict[str, str] = {}
        if invocation.error:
            end = {"ErrorCode": invocation.error, "ErrorDetails": invocation.payload.decode("utf-8", "replace")}
        if tail:
            end["LogResult"] = _tail(invocation.log)
        pieces = [] if invocation.error else [*event_stream.chunks(invocation.payload)]
        pieces.append(event_stream.message("InvokeComplete", "application/json", msgspec.json.encode(end)))
        headers = [*asked.headers(event_stream.CONTENT_TYPE), ("X-Amz-Executed-Version", LATEST)]
        return Response(200, headers, b"".join(pieces))

    def _target(self, asked: Asked, *, shown: str = "") -> Target:
        return self._directory.find(asked.names[0], asked.one("Qualifier"), shown=shown)


_REFUSED = {
    400: "The request is no HTTP/1.1.",
    408: "The request did not arrive in time.",
    431: "The request's headers are too large.",
    505: "The request is not HTTP/1.1.",
}


def _tail(text: str) -> str:
    return b64encode(text.encode()[-TAIL_BYTES:]).decode()
