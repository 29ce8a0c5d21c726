"""The proxy before moto: records each call, fails those that shall, and finds who answers."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aws_cloud.calls import Call, Calls
from aws_cloud.faults import Dropped, Faults
from aws_cloud.messages import Answer, Refused, Request, refusal
from aws_cloud.operations import operation_of
from aws_cloud.secure import Authority

_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect", "content-length"}
Front = Callable[[Request, Callable[[Request], Answer]], Answer | None]


class Proxy:
    """An HTTP server on 127.0.0.1.

    Args:
        fronts: asked in turn before moto is; each gets the request and a way to ask moto, and may answer None.
    """

    def __init__(self, moto_port: int, fronts: tuple[Front, ...]) -> None:
        self.calls = Calls()
        self.faults = Faults()
        self.authority = Authority()
        self._moto_port = moto_port
        self._fronts = fronts
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.faults.clear()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(self, request: Request) -> Answer:
        """Answer a request, or fail it.

        Raises:
            Dropped: the connection shall be closed without an answer.
        """
        name = str(request.operation)
        fault = self.faults.met(name) if request.operation.service else None
        try:
            try:
                if fault is not None:
                    self.faults.strike(fault)
            except Refused as error:
                answer = refusal(request.operation, error)
                answer.by = "fault"
            else:
                answer = self._carried_out(request)
                if fault is not None:
                    self.faults.strike_after(fault)
        except Dropped:
            self.calls.add(Call(name, 0, "fault", request.target))
            raise
        answer.headers["x-answered-by"] = answer.by
        self.calls.add(Call(name, answer.status, answer.by, request.target, answer.headers.get("x-amzn-errortype", "")))
        return answer

    def _carried_out(self, request: Request) -> Answer:
        try:
            for front in self._fronts:
                answer = front(request, self.ask_moto)
                if answer is not None:
                    return answer
        except Refused as error:
            return refusal(request.operation, error)
        except Exception:  # noqa: BLE001 - a bug of the test cloud, shown to the test
            text = traceback.format_exc()
            return refusal(request.operation, Refused("TestCloudBug", text[-2000:], 501))
        return self.ask_moto(request)

    def ask_moto(self, request: Request) -> Answer:
        """Pass a request through."""
        connection = http.client.HTTPConnection("127.0.0.1", self._moto_port, timeout=60)
        try:
            headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
            connection.request(request.method, request.target, request.body or None, headers)
            response = connection.getresponse()
            body = response.read()
            kept = {key: value for key, value in response.getheaders() if key.lower() not in _HOP | {"server", "date"}}
            if request.method == "HEAD" and (length := response.getheader("Content-Length")):
                kept["Content-Length"] = length
            return Answer(response.status, kept, body, "moto")
        finally:
            connection.close()


class _Writer(io.BufferedIOBase):
    """Writes to a socket at once."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._connection.sendall(data)
        return len(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    owner: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    def _any(self) -> None:
        body = self._body()
        operation = operation_of(self.command, self.path, self.headers, body)
        try:
            answer = self.owner.answer(Request(self.command, self.path, self.headers, body, operation))
        except Dropped:
            self.close_connection = True
            return
        self._send(answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _any

    def do_CONNECT(self) -> None:
        """Speak as the host that is asked for, in TLS."""
        host = self.path.rpartition(":")[0]
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            self.connection = self.owner.authority.context(host).wrap_socket(self.connection, server_side=True)
        except OSError:
            self.close_connection = True
            return
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = _Writer(self.connection)
        self.close_connection = True
        self.handle_one_request()
        while not self.close_connection:
            self.handle_one_request()
        self.connection.close()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, 'Unknown')}"]
        lines += [f"{key}: {value}" for key, value in [*answer.headers.items(), *answer.more]]
        if "Content-Length" not in answer.headers:
            lines.append(f"Content-Length: {len(answer.body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.wfile.write(head + (b"" if self.command == "HEAD" else answer.body))

    def log_message(self, *args: Any) -> None:
        """Be silent."""
