"""Requests to addresses that AWS, or what stands for it, made of an API."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bareboat.aws.sending import Sender
from bareboat.local.events.requests import Asked


@pytest.fixture
def stand_in() -> Iterator[str]:
    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{self.headers['Host']} {self.path}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.mark.parametrize(
    "host",
    [
        "abc.execute-api.us-east-1.amazonaws.com",
        "abc.lambda-url.us-east-1.on.aws",
        "abc.execute-api.us-east-1.localhost:4566",  # LocalStack's own suffix, which need not resolve
    ],
)
def test_sender_asks_what_stands_for_aws_with_the_host_of_the_api(stand_in: str, host: str) -> None:
    sender = Sender(stand_in)
    try:
        answer, _ = sender.send(f"https://{host}/dev", Asked("GET", "/greet"), [])
    finally:
        sender.close()

    assert answer.body == f"{host} /dev/greet".encode()
