"""Lambda's Runtime API, version 2018-06-01, for one process: events out, answers in.

Source: AWS's runtime interface client for Python (what it sends) and AWS's runtime interface emulator (states, bodies).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from bareboat.local.faults import MAX_PAYLOAD_BYTES
from bareboat.local.guard import foreign
from bareboat.local.http import Request, Response, Server, start_server

PREFIX = "/2018-06-01/runtime/"
JSON = (("Content-Type", "application/json"),)
POSTED = re.compile(r"invocation/[^/]+/(response|error)|init/error")
ACCEPTED = Response(202, JSON, b'{"status":"OK"}\n')
MAX_HEADER_BYTES = 2_000_000  # the client sends up to 1 MB of stack trace in a header
MEMORY_HEADER = "bareboat-peak-memory-bytes"  # from our own client, where there is no /proc


class Listener(Protocol):
    """Whom the API tells what the runtime did."""

    def ready(self) -> None:
        """Hear that the runtime asks for an event."""

    def init_failed(self, payload: bytes) -> None:
        """Hear that the handler could not be imported."""

    def answered(self, payload: bytes, *, failed: bool, peak_memory_bytes: int) -> None:
        """Hear the response (or, `failed`, the error document) of the event."""

    def overflowed(self) -> None:
        """Hear that the response was over the limit, and refused."""


class RuntimeApi:
    """The API on a port of its own. `send` hands one event to the runtime that waits for it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._state = "Started"
        self._request_id = ""
        self._event = Response(500)
        self._waiter: Callable[[Response], None] | None = None
        self._server: Server | None = None

    async def start(self) -> str:
        """Listen, and return the address as AWS_LAMBDA_RUNTIME_API has it: `127.0.0.1:40123`."""
        from bareboat.local.runtime_wire import RuntimeConnection

        self._server = await start_server(
            self.handle,
            "127.0.0.1",
            0,
            max_header_bytes=MAX_HEADER_BYTES,
            max_body_bytes=MAX_PAYLOAD_BYTES,
            idle_s=float("inf"),
            refuse=self._refuse,
            connection=lambda *given: RuntimeConnection(self, *given),
        )
        return f"127.0.0.1:{self._server.port}"

    async def close(self) -> None:
        """Stop listening and drop the runtime's connections."""
        if self._server is not None:
            await self._server.close(grace_s=0)
        self._waiter = None

    def send(self, request_id: str, headers: tuple[tuple[str, str], ...], event: bytes) -> None:
        """Hand an event to the runtime, which must be waiting.

        Args:
            headers: those of `/next` beside the request id and the content type: deadline, ARN, trace, contexts.
        """
        assert self._waiter is not None
        assert self._state == "Ready"
        self._state = "Running"
        self._request_id = request_id
        self._event = Response(200, (*JSON, ("Lambda-Runtime-Aws-Request-Id", request_id), *headers), event)
        waiter, self._waiter = self._waiter, None
        waiter(self._event)

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Answer one call of the runtime; web pages in a browser of this machine are none of it."""
        why = foreign(request)
        if why:
            return _error(403, "Forbidden", why)
        if not request.target.startswith(PREFIX):
            return _not_found()
        path = request.target[len(PREFIX) :]
        if request.method == "GET":
            if path == "invocation/next":
                future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
                return self.next(lambda event: None if future.done() else future.set_result(event)) or future
            if path == "restore/next":
                return self._restore_next()
        elif request.method == "POST":
            kind, _, rest = path.partition("/")
            request_id, _, verb = rest.partition("/")
            if kind == "invocation" and verb in {"response", "error"}:
                return self.answer(request_id, request.body, failed=verb == "error", peak_memory_bytes=_peak(request))
            if path == "init/error":
                return self._init_error(request, "Started", "InitError")
            if path == "restore/error":
                return self._init_error(request, "Restoring", "RestoreError")
        return _not_allowed(path, request.method)

    def next(self, waiter: Callable[[Response], None]) -> Response | None:
        """Take a call of `/invocation/next`: `waiter` gets the event later, unless something is returned at once."""
        if self._state == "Running":
            return self._event  # asked again before answering: the same event again
        if self._state not in {"Started", "Restoring", "Ready", "ResponseSent"}:
            return self._forbidden("Ready")
        first = self._state != "Ready"
        self._waiter = waiter  # of two connections that wait, the newer is the one that lives
        self._state = "Ready"
        if first:
            self._listener.ready()
        return None

    def answer(self, request_id: str, payload: bytes, *, failed: bool, peak_memory_bytes: int = 0) -> Response:
        """Take a call of `/invocation/{id}/response` or, `failed`, `/error`."""
        if request_id != self._request_id:
            return _error(400, "InvalidRequestID", "Invalid request ID")
        if self._state != "Running":
            return self._forbidden("InvocationErrorResponse" if failed else "InvocationResponse")
        self._state = "ResponseSent"
        self._listener.answered(payload, failed=failed, peak_memory_bytes=peak_memory_bytes)
        return ACCEPTED

    def _restore_next(self) -> Response:
        if self._state != "Started":
            return self._forbidden("RestoreReady")
        self._state = "Restoring"
        return Response(200)

    def _init_error(self, request: Request, state: str, target: str) -> Response:
        if self._state != state:
            return self._forbidden(target)
        self._state = target
        self._listener.init_failed(request.body)
        return ACCEPTED

    def _refuse(self, status: int) -> Response:
        if status == 413:
            if self._state == "Running":
                self._state = "ResponseSent"
                self._listener.overflowed()
            size = f"Exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes)."
            return _error(413, "RequestEntityTooLarge", size)
        return _error(status, "InvalidRequest", "The request cannot be read")

    def _forbidden(self, target: str) -> Response:
        state = "RuntimeResponseSentState" if self._state == "ResponseSent" else self._state
        text = f"State transition from {state} to {target} failed for runtime. Error: "
        return _error(403, "InvalidStateTransition", text + "State transition is not allowed")


def _peak(request: Request) -> int:
    for name, value in request.headers:
        if name.lower() == MEMORY_HEADER and value.isdigit():
            return int(value)
    return 0


def _not_allowed(path: str, method: str) -> Response:
    """Tell a call that is there under another method from one that is not there."""
    right = "GET" if path == "invocation/next" else "POST" if POSTED.fullmatch(path) else method
    return _not_found() if right == method else Response(405, (("Allow", right),))


def _not_found() -> Response:
    return Response(404, (("Content-Type", "text/plain; charset=utf-8"),), b"404 page not found\n")


def _error(status: int, kind: str, message: str) -> Response:
    body = json.dumps({"errorMessage": message, "errorType": kind}, separators=(",", ":"))
    return Response(status, JSON, body.encode() + b"\n")
