"""The short way of a runtime's connection: the same answers as the general one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bareboat.local.http import Response
from bareboat.local.limits import Limits
from bareboat.local.messages import refusal
from bareboat.local.runtime_wire import RuntimeConnection

ID = "5d9f4b2e-7d0f-4f0e-9a4e-0123456789ab"
POST = f"POST /2018-06-01/runtime/invocation/{ID}/response HTTP/1.1\r\nHost: 127.0.0.1:4\r\n".encode()
NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:4\r\n"


class Api:
    """Writes down what the short way hands on."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def next(self, waiter: Any) -> None:
        self.said.append("next")

    def answer(self, request_id: str, payload: bytes, *, failed: bool, peak_memory_bytes: int) -> Response:
        self.said.append((request_id, payload, failed, peak_memory_bytes))
        return Response(202)


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def is_reading(self) -> bool:
        return True

    def close(self) -> None:
        pass


def handed_on(*pieces: bytes) -> tuple[list[Any], list[tuple[str, bytes]]]:
    """Send pieces; return what went the short way, and what the general one."""
    general: list[tuple[str, bytes]] = []

    async def main() -> list[Any]:
        def handle(request: Any) -> Response:
            general.append((request.method, request.body))
            return Response(202)

        api = Api()
        limits = Limits(header_bytes=2_000_000, body_bytes=1_000_000, idle_s=9.0, receive_s=9.0)
        connection = RuntimeConnection(api, handle, limits, refusal, set())  # type: ignore[arg-type]
        connection.connection_made(Wire())
        for piece in pieces:
            connection.data_received(piece)
        return api.said

    return asyncio.run(main()), general


def test_calls_that_come_whole_go_the_short_way():
    said, general = handed_on(POST + b"Content-Length: 2\r\n\r\n{}", NEXT + b"\r\n")

    assert said == [(ID, b"{}", False, 0), "next"]
    assert general == []


def test_the_length_and_the_peak_are_those_of_each_call():
    said, _ = handed_on(
        POST + b"content-length: 2\r\nBareboat-Peak-Memory-Bytes: 77\r\n\r\n{}",
        POST + b"content-length: 4\r\nBareboat-Peak-Memory-Bytes: 77\r\n\r\nnull",
        POST + b"content-length: 2\r\n\r\n[]",
    )

    assert said == [(ID, b"{}", False, 77), (ID, b"null", False, 77), (ID, b"[]", False, 0)]


@pytest.mark.parametrize(
    "pieces",
    [
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",),
        (POST + b"Content-Length: 2\r\n\r\n", b"{}"),
        (POST[:20], POST[20:] + b"Content-Length: 2\r\n\r\n{}"),
        (POST + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",),
        (POST + b"Content-Length: 2\r\nX-Trace: " + b"t" * 5000 + b"\r\n\r\n{}",),
        (POST + b"Content-Length: 2\r\nOrigin: http://evil.example\r\n\r\n{}",),
        (POST + b"Content-Length: 2\r\nSec-Fetch-Site: same-site\r\n\r\n{}",),
        (POST.replace(b"127.0.0.1:4", b"evil.example") + b"Content-Length: 2\r\n\r\n{}",),
    ],
    ids=[
        "chunked",
        "in two pieces",
        "cut in its head",
        "to be closed",
        "with a long head",
        "with an origin",
        "from another site",
        "to another host",
    ],
)
def test_a_call_that_looks_different_goes_the_general_way(pieces):
    said, general = handed_on(*pieces)

    assert said == []
    assert general == [("POST", b"{}")]


def test_a_next_with_a_body_goes_the_general_way():
    said, general = handed_on(NEXT + b"Content-Length: 2\r\n\r\n", b"{}")

    assert said == []
    assert general == [("GET", b"{}")]
