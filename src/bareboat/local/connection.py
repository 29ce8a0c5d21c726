"""One client's connection: bytes in, requests to the handler one after the other, responses out in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import iscoroutine
from typing import cast

import httptools

from bareboat.local.limits import Limits
from bareboat.local.messages import Request, Response, encode, refusal

log = logging.getLogger(__name__)

Handler = Callable[[Request], "Awaitable[Response] | Response"]
QUEUE = 16  # pipelined requests read ahead of their answers
LINGER_S = 2.0  # a refused client may go on sending this long, so that it gets to read why
LINGERING = 64  # so many of those that are turned away get to read why


class Connection(asyncio.Protocol):
    """The server's side of one TCP connection. `connections` is the server's set of open ones."""

    def __init__(
        self, handler: Handler, limits: Limits, refuse: Callable[[int], Response], connections: set[Connection]
    ) -> None:
        self._handler = handler
        self._limits = limits
        self._refuse = refuse
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._peer = ("", 0)
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[tuple[Request | int, bool]] = deque()  # a request, or the status that refuses one
        self._running: asyncio.Future[Response] | None = None
        self._paused = False  # the client does not read its answers
        self._deaf = False  # no further request is taken: one was refused, or the client will send no more
        self._closing = False
        self._unsent = 0
        self._moved = 0.0  # when the client last took a part of what is unsent
        self._since = self._loop.time()
        self._complete = 0
        self._resumes = False  # a head is parsed a second time, for its body
        self._begin()
        self._receiving = False

    # The request being read

    def _begin(self) -> None:
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: bytes | bytearray = b""
        self._body_bytes = self._head_bytes = self._raw_bytes = self._hosts = 0
        self._in_head = True
        self._expects = False
        self._receiving = True

    def on_message_begin(self) -> None:
        """Start the next request."""
        if not self._resumes:
            self._begin()

    def on_url(self, url: bytes) -> None:
        """Take (a piece of) the request line's target."""
        if self._resumes:
            return
        self._target += url
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header; what follows a body in chunks is none (RFC 9110, section 6.5.1)."""
        if self._resumes:
            return
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes > self._limits.header_bytes:
            self._stop(431)
            return
        if not self._in_head:
            return
        self._headers.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
        length = len(name)
        if length == 4:
            self._hosts += name.lower() == b"host"
        elif length == 6:
            self._expects = self._expects or (name.lower() == b"expect" and value.lower() == b"100-continue")
        elif length == 14 and name.lower() == b"content-length" and int(value) > self._limits.body_bytes:
            self._stop(413)

    def on_headers_complete(self) -> None:
        """Refuse what can be refused before the body, or ask for the body."""
        if self._resumes:
            return
        self._in_head = False
        self._raw_bytes = 0
        version = self._parser.get_http_version()
        if version not in {"1.0", "1.1"}:
            self._stop(505)
        elif self._head_bytes > self._limits.header_bytes:
            self._stop(431)
        elif self._parser.get_method() == b"CONNECT" or self._hosts > 1 or (version == "1.1" and self._hosts == 0):
            self._stop(400)  # RFC 9112, section 3.2
        elif version == "1.0" and any(name.lower() == "transfer-encoding" for name, _ in self._headers):
            self._stop(400)  # RFC 9112, section 6.1: its framing is not to be trusted
        elif self._expects and not self._deaf and self._running is None and not self._queue:
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._expects = False

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._expects = False
        if self._deaf:
            return
        limits = self._limits
        self._body_bytes += len(piece)
        limits.held += len(piece)
        if self._body_bytes > limits.body_bytes:
            self._stop(413)
        elif limits.held > limits.held_bytes:
            self._stop(503)
        elif not self._body:
            self._body = piece
        else:
            if type(self._body) is bytes:
                self._body = bytearray(self._body)  # a list of small pieces would take many times their bytes
            self._body += piece

    def on_message_complete(self) -> None:
        """Queue the request."""
        if self._parser.should_upgrade() and self._framing():
            return  # the parser takes no body here: `_feed` goes on with it
        self._receiving = self._expects = False
        self._complete += 1
        if self._deaf:
            return
        method = self._parser.get_method().decode("latin-1")
        body = bytes(self._body)
        self._body, self._body_bytes = b"", 0  # held on by the request
        request = Request(method, self._target.decode("latin-1"), self._headers, body, self._peer)
        self._queue.append((request, self._parser.should_keep_alive()))

    def _stop(self, status: int) -> None:
        if not self._deaf:
            self._deaf = True
            self._drop_body()
            self._queue.append((status, False))

    def _drop_body(self) -> None:
        """Give up what has come of a body."""
        self._limits.held -= self._body_bytes
        self._body, self._body_bytes = b"", 0

    def _drop_queue(self) -> None:
        """Give up the requests that wait."""
        for item, _ in self._queue:
            if isinstance(item, Request):
                self._limits.held -= len(item.body)
        self._queue.clear()

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has its methods and not its class
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._peer = (str(peer[0]), int(peer[1]))
        self._connections.add(self)
        excess = len(self._connections) - self._limits.connections
        if excess > LINGERING:
            self.abort()
        elif excess > 0:
            self._stop(503)
            self._advance()

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the connection. A handler at work goes on, as an invocation does when its client is gone."""
        self._connections.discard(self)
        self._transport = None
        self._drop_queue()
        self._drop_body()

    def data_received(self, data: bytes) -> None:
        """Parse what came, then go on answering."""
        if self._deaf:
            return
        if not self._receiving:
            self._since = self._loop.time()
        complete, body_bytes, in_head = self._complete, self._body_bytes, self._in_head or not self._receiving
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._stop(400)
        if self._complete == complete and not self._deaf:
            if self._body_bytes != body_bytes:
                self._raw_bytes = 0
            elif self._in_head or not in_head:  # all of it is one head, or between or after chunks, and not at its end
                self._raw_bytes += len(data)
                if self._raw_bytes > self._limits.header_bytes:
                    self._stop(431)
        if len(self._queue) >= QUEUE and self._transport is not None and not self._deaf:
            self._transport.pause_reading()
        self._advance()

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]  # the offer to upgrade is not taken: what follows is HTTP/1.1
                head = self._framing()
                method = self._parser.get_method()
                keep_alive = self._parser.should_keep_alive()
                self._parser = httptools.HttpRequestParser(self)
                if head and not self._deaf:
                    self._resume(method, head, keep_alive=keep_alive)
                else:
                    self._receiving = False
            else:
                return

    def _framing(self) -> bytes:
        """Return the headers that say how the body is sent; b"" when there is none."""
        return b"".join(
            f"{name}: {value}\r\n".encode("latin-1")
            for name, value in self._headers
            if name.lower() in {"content-length", "transfer-encoding"}
        )

    def _resume(self, method: bytes, framing: bytes, *, keep_alive: bool) -> None:
        """Lead the parser past a head that has been read, to its body.

        A body comes with the offer too (RFC 9110, section 7.8; Java's HttpClient sends such requests). Read as the next
        request, it would be a way to have one sent that nobody has looked at.
        """
        self._resumes = True
        close = b"" if keep_alive else b"Connection: close\r\n"
        self._parser.feed_data(b"%s / HTTP/1.1\r\n%s%s\r\n" % (method, framing, close))
        self._resumes = False

    def eof_received(self) -> bool:
        """Answer what was asked, then close."""
        if self._receiving and not self._deaf:
            self._stop(400)  # it says no more, and half a request is none
            self._advance()
        self._deaf = True
        return self._running is not None or bool(self._queue)

    def pause_writing(self) -> None:
        """Take no further request until the client has read its answers."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._advance()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    # Answers, one after the other

    def _advance(self) -> None:
        while self._queue and self._running is None and not self._paused and self._transport is not None:
            item, keep_alive = self._queue.popleft()
            if isinstance(item, int):
                self._write(encode(self._refuse(item), keep_alive=False))
                self._linger()
                return
            try:
                result = self._handler(item)
            except Exception:
                log.exception("the handler of %s failed", item.method)
                result = refusal(500)
            if isinstance(result, Response):
                self._limits.held -= len(item.body)
                self._answer(item, result, keep_alive)
            else:
                # as ensure_future does, without its questions on the way of each request
                self._running = self._loop.create_task(result) if iscoroutine(result) else asyncio.ensure_future(result)
                self._running.add_done_callback(partial(self._answered, item, keep_alive))
        if self._running is None and self._transport is not None and not self._paused and not self._queue:
            self._rest()

    def _rest(self) -> None:
        transport = self._transport
        assert transport is not None
        if self._expects and not self._in_head:
            self._expects = False
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if (self._closing and not self._receiving) or (self._deaf and not transport.is_closing()):
            transport.close()
        elif not transport.is_reading() and not transport.is_closing():
            transport.resume_reading()

    def _answered(self, request: Request, keep_alive: bool, done: asyncio.Future[Response]) -> None:
        self._running = None
        self._limits.held -= len(request.body)
        self._since = self._loop.time()
        if done.cancelled():
            if self._transport is not None:
                self._transport.close()
            return
        error = done.exception()
        if error is None:
            response = done.result()
        else:
            log.error("the handler of %s failed", request.method, exc_info=error)
            response = refusal(500)
        self._answer(request, response, keep_alive)
        self._advance()

    def _answer(self, request: Request, response: Response, keep_alive: bool) -> None:
        keep_alive = keep_alive and not self._closing
        head_only = request.method == "HEAD"
        try:
            data = encode(response, keep_alive=keep_alive, head_only=head_only)
        except ValueError as error:
            log.error("the answer to %s cannot be sent: %s", request.method, error)
            broken = refusal(500)
            data = encode(broken, keep_alive=keep_alive, head_only=head_only)
        self._write(data)
        if not keep_alive:
            self._deaf = True
            self._drop_queue()
            if self._transport is not None:
                self._transport.close()

    def _linger(self) -> None:
        self._drop_queue()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.can_write_eof():
            transport.write_eof()
        if not transport.is_reading():
            transport.resume_reading()
        self._loop.call_later(LINGER_S, transport.close)

    # What the server asks

    def is_at_rest(self) -> bool:
        """Return whether no request is being read, waits or is being answered."""
        return not self._receiving and self._running is None and not self._queue and not self._deaf

    def sweep(self, now: float, idle_s: float) -> None:
        """Close a connection that rests too long, whose request does not come to its end, or its answer not away."""
        transport = self._transport
        if transport is None:
            return
        if self._paused or transport.is_closing():
            unsent = transport.get_write_buffer_size()
            if unsent != self._unsent:
                self._unsent, self._moved = unsent, now
            elif now - self._moved > self._limits.send_s:
                self.abort()
            return
        self._unsent = 0
        if self._running is not None or self._queue or self._deaf:
            return
        if self._receiving and now - self._since > self._limits.receive_s:
            self._stop(408)
            self._advance()
        elif not self._receiving and now - self._since > idle_s:
            transport.close()

    @property
    def stalled(self) -> tuple[float, int]:
        """Since when the client has not touched its answer, and how many bytes of it are kept here."""
        return self._moved, self._unsent

    def close_soon(self) -> None:
        """Close at once when at rest, else after the answer that is being made."""
        self._closing = True
        if self._running is None and not self._queue and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close now. A handler at work is cancelled."""
        if self._running is not None:
            self._running.cancel()
        if self._transport is not None:
            self._transport.abort()
