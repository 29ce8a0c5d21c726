"""The Runtime API's answers to calls in and out of turn, as AWS's runtime interface emulator gave them.

Taken from aws-lambda-runtime-interface-emulator at 4fa2157, built and called on 2026-11-22; each call on a connection
of its own. Not compared: the header X-Content-Type-Options of its 404, /restore (which it serves to SnapStart alone),
and the payload of an answer that is too large, of which there is a recording of the real Lambda.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bareboat.local.runtime_api import RuntimeApi

STRANGER = "0aaaaaaa-1111-2222-3333-444444444444"
INVALID_ID = (400, "InvalidRequestID", "Invalid request ID")
LIMIT = 6_291_556


def transition(start: str, end: str) -> tuple[int, str, str]:
    text = f"State transition from {start} to {end} failed for runtime. Error: State transition is not allowed"
    return 403, "InvalidStateTransition", text


SENT = "RuntimeResponseSentState"
CALLS: list[tuple[str, str, bytes, Any]] = [
    ("POST", f"invocation/{STRANGER}/response", b"{}", INVALID_ID),
    ("POST", f"invocation/{STRANGER}/error", b"{}", INVALID_ID),
    ("GET", "invocation/next", b"", (200, b'{"n": 0}')),
    ("POST", f"invocation/{STRANGER}/response", b"{}", INVALID_ID),
    ("POST", f"invocation/{STRANGER}/error", b"{}", INVALID_ID),
    ("GET", "invocation/next", b"", (200, b'{"n": 0}')),
    ("POST", "init/error", b"{}", transition("Running", "InitError")),
    ("GET", "nothing", b"", (404, b"404 page not found\n")),
    ("GET", "invocation/ID/response", b"", (405, b"")),
    ("POST", "invocation/next", b"", (405, b"")),
    ("POST", "invocation/ID/response", b'{"a": 1}', (202, b'{"status":"OK"}\n')),
    ("POST", "invocation/ID/response", b'{"a": 2}', transition(SENT, "InvocationResponse")),
    ("POST", "invocation/ID/error", b'{"a": 2}', transition(SENT, "InvocationErrorResponse")),
    ("GET", "invocation/next", b"", (200, b'{"n": 1}')),
    ("POST", "invocation/ID/error", b'{"errorMessage":"boom","errorType":"E"}', (202, b'{"status":"OK"}\n')),
    ("GET", "invocation/next", b"", (200, b'{"n": 2}')),
    ("POST", "invocation/ID/response", b'"' + b"x" * (LIMIT - 1) + b'"',
     (413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({LIMIT} bytes).")),
    ("GET", "invocation/next", b"", (200, b'{"n": 3}')),
    ("POST", "invocation/ID/response", b'"' + b"x" * (LIMIT - 2) + b'"', (202, b'{"status":"OK"}\n')),
    ("GET", "invocation/next", b"", (200, b'{"n": 4}')),
    ("POST", "invocation/ID/response", b"nonsense", (202, b'{"status":"OK"}\n')),
]  # fmt: skip
INIT_FAILS: list[tuple[str, str, bytes, Any]] = [
    ("POST", "init/error", b"{}", (202, b'{"status":"OK"}\n')),
    ("POST", "init/error", b"{}", transition("InitError", "InitError")),
    ("GET", "invocation/next", b"", transition("InitError", "Ready")),
]


class Invoking:
    """Gives the runtime the next event as soon as it asks."""

    api: RuntimeApi
    sent = 0

    def ready(self) -> None:
        asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self.api.send(f"id-{self.sent}", (), b'{"n": %d}' % self.sent)
        self.sent += 1

    def init_failed(self, payload: bytes) -> None:
        pass

    def answered(self, payload: bytes, *, failed: bool, peak_memory_bytes: int) -> None:
        pass

    def overflowed(self) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """A Runtime API in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listener = Invoking()

    async def make() -> RuntimeApi:
        return RuntimeApi(listener)

    api = listener.api = asyncio.run_coroutine_threadsafe(make(), loop).result(10)
    yield asyncio.run_coroutine_threadsafe(api.start(), loop).result(10)
    asyncio.run_coroutine_threadsafe(api.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.mark.parametrize("calls", [CALLS, INIT_FAILS], ids=["invocations", "init error"])
def test_calls_in_and_out_of_turn_are_answered_as_by_the_emulator(
    address: str, calls: list[tuple[str, str, bytes, Any]]
) -> None:
    request_id = ""
    for method, path, body, expected in calls:
        connection = http.client.HTTPConnection(address, timeout=10)
        connection.request(method, "/2018-06-01/runtime/" + path.replace("ID", request_id), body)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        request_id = response.getheader("Lambda-Runtime-Aws-Request-Id", request_id)

        if len(expected) == 2:
            assert (response.status, answer) == expected, (method, path)
        else:
            document = json.loads(answer)
            assert (response.status, document["errorType"], document["errorMessage"]) == expected, (method, path)
            assert answer.endswith(b"\n")
            assert response.getheader("Content-Type") == "application/json"
        if response.status == 405:
            assert response.getheader("Allow") == ("GET" if path.endswith("next") else "POST")
