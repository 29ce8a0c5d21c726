"""A runtime's connection, with a short way for the two calls that make up each invocation.

They come from the runtime client, whole and one at a time; parsed by hand they cost a third of what a general parser
and a task take. Whatever looks different goes the general way, through `Connection`.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import Any

from bareboat.local.connection import Connection
from bareboat.local.messages import Response, encode
from bareboat.local.peer import is_another_users
from bareboat.local.runtime_api import ACCEPTED, MEMORY_HEADER, RuntimeApi

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"
POST = re.compile(rb"POST /2018-06-01/runtime/invocation/([0-9a-f-]+)/(response|error) HTTP/1\.1\r\n")
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
PEAK = re.compile(rb"\r\n%s: (\d+)\r\n" % MEMORY_HEADER.encode(), re.IGNORECASE)
HOST = re.compile(rb"\r\nHost:[ \t]*(?:127\.0\.0\.1|localhost)(?::\d+)?\r\n", re.IGNORECASE)
OTHERS = re.compile(rb"\r\n(?:Transfer-Encoding|Expect|Connection|Origin|Sec-[\w-]+):", re.IGNORECASE)  # or a browser's
END = b"\r\n\r\n"
MAX_HEAD = 1024  # longer ones bring a stack trace
ACCEPTED_BYTES = encode(ACCEPTED, keep_alive=True)


class RuntimeConnection(Connection):
    """One connection of the runtime client. `given` is what `Connection` takes."""

    def __init__(self, api: RuntimeApi, *given: Any) -> None:
        super().__init__(*given)
        self._api = api
        self._waiting = False
        self._held = b""  # what came while an event was waited for

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless another user of this machine opened it: events hold credentials."""
        super().connection_made(transport)
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if peer and own and is_another_users(peer, own):
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Answer the short way, or hand on."""
        if self._waiting:
            self._held += data
        elif not self.is_at_rest() or not (self._try_next(data) or self._try_answer(data)):
            super().data_received(data)

    def _try_next(self, data: bytes) -> bool:
        if not data.startswith(NEXT) or data.find(END) != len(data) - 4 or len(data) > MAX_HEAD:
            return False
        if _framing(data[len(NEXT) - 2 : -2])[0] != 0:
            return False
        self._waiting = True
        response = self._api.next(self._reply)
        if response is not None:
            self._reply(response)
        return True

    def _reply(self, response: Response) -> None:
        if not self._waiting:
            return
        self._waiting = False
        self._write(_event_bytes(response))
        if self._held:
            held, self._held = self._held, b""
            super().data_received(held)

    def _try_answer(self, data: bytes) -> bool:
        call = POST.match(data)
        if call is None:
            return False
        end = data.find(END)
        if not 0 <= end < MAX_HEAD:
            return False
        length, peak = _framing(data[call.end() - 2 : end + 2])
        if len(data) != end + 4 + length:
            return False
        response = self._api.answer(
            call[1].decode(),
            data[end + 4 :],
            failed=call[2] == b"error",
            peak_memory_bytes=peak,
        )
        self._write(ACCEPTED_BYTES if response is ACCEPTED else encode(response, keep_alive=True))
        return True


@lru_cache(maxsize=64)
def _framing(headers: bytes) -> tuple[int, int]:
    """Return the body's length and the peak memory that headers tell, the same ones for most calls of a client.

    The length is -1, which no body has, when it is told in another way, or when a web page may be behind the call.
    """
    if OTHERS.search(headers) or not HOST.search(headers) or headers.lower().count(b"\r\nhost:") != 1:
        return -1, 0
    length, peak = LENGTH.search(headers), PEAK.search(headers)
    return int(length[1]) if length else 0, int(peak[1]) if peak else 0


def _event_bytes(response: Response) -> bytes:
    """As `encode`, for headers that are known to be clean: the pool sees to that."""
    if response.status != 200:
        return encode(response, keep_alive=True)
    lines = "".join([f"{name}: {value}\r\n" for name, value in response.headers])
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(response.body)}\r\n\r\n".encode() + response.body
