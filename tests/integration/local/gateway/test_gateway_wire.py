"""Clients that do not behave, on a raw socket: nothing breaks the server, nothing is answered wrong."""

from __future__ import annotations

import contextlib
import json
import socket

import pytest


def request(path: str = "/echo", method: str = "GET", headers: str = "", body: bytes = b"") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}{length}\r\n".encode() + body


LAST = "Connection: close\r\n"


def answers(data: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Take apart what came: status, headers, body of each answer."""
    result = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        result.append((int(lines[0].split(" ")[1]), headers, data[:length]))
        data = data[length:]
    return result


def still_serves(running) -> bool:
    status, _, body = answers(running.talk(request(headers=LAST)))[0]
    return status == 200 and json.loads(body)["rawPath"] == "/echo"


def test_pipelined_requests_are_answered_in_their_order(running):
    numbers = [
        request("/answer", "POST", "Content-Type: application/json\r\n", b'"%d"' % number) for number in range(40)
    ]
    last = request("/nothing", headers=LAST)

    received = answers(running.talk(b"".join(numbers) + last))

    assert [(status, body) for status, _, body in received[:-1]] == [(200, b"%d" % number) for number in range(40)]
    assert received[-1][0] == 404


def test_a_connection_is_kept_until_the_client_ends_it(running):
    with running.connect() as connection:
        for _ in range(3):
            connection.sendall(request("/nothing"))
            received = connection.recv(65_536)
            assert received.startswith(b"HTTP/1.1 404 Not Found\r\n")
            assert b"Connection: keep-alive" in received
    assert still_serves(running)


def test_an_http_1_0_client_is_served_and_left(running):
    ((status, headers, body),) = answers(running.talk(b"GET /echo HTTP/1.0\r\n\r\n"))

    assert (status, headers["connection"]) == (200, "close")
    assert json.loads(body)["requestContext"]["domainName"] == "127.0.0.1"


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /echo HTTP/1.1\r\n\r\n",  # no Host
        b"GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: h\r\nBad Header: x\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"\0" * 100 + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_400_in_json(running, data):
    ((status, headers, body),) = answers(running.talk(data))

    assert (status, body) == (400, b'{"message":"Bad Request"}')
    assert headers["connection"] == "close"
    assert still_serves(running)


@pytest.mark.parametrize(
    "data",
    [
        request(headers="".join(f"X-{number}: {'x' * 100}\r\n" for number in range(200))),
        request(headers=f"X: {'x' * 20_000}\r\n"),
        request("/" + "x" * 20_000),
        request("/echo?" + "a=b&" * 5_000),
        b"GET /echo HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 20_000,  # without an end
    ],
)
def test_a_flood_of_headers_is_431(running, data):
    ((status, _, body),) = answers(running.talk(data))

    assert (status, body) == (431, b'{"message":"Request Header Fields Too Large"}')
    assert still_serves(running)


def test_headers_up_to_the_quota_are_taken(running):
    headers = "X: " + "x" * 9_900 + "\r\n"

    ((status, _, body),) = answers(running.talk(request(headers=headers + LAST)))

    assert status == 200
    assert len(json.loads(body)["headers"]["x"]) == 9_900


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_11_mb_is_413(running, declared):
    body = b"x" * 11_000_000
    if declared:
        data = request("/echo", "POST", LAST, body)
    else:
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        data = b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 11 + b"0\r\n\r\n"
    with running.connect() as connection:
        with contextlib.suppress(OSError):  # refused while it was still being sent
            connection.sendall(data)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                received += piece

    ((status, _, answer),) = answers(received)
    assert (status, answer) == (413, b'{"message":"Request Entity Too Large"}')
    assert still_serves(running)


def test_a_client_may_ask_before_it_sends_its_body(running):
    with running.connect() as connection:
        connection.sendall(
            b"POST /answer HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"
            b"Content-Length: 6\r\nConnection: close\r\n\r\n"
        )
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'"body"')
        received = b""
        while piece := connection.recv(65_536):
            received += piece

    assert answers(received)[0][2] == b"body"


def test_clients_that_send_nothing_or_half_a_request_do_not_hold_up_others(running):
    slow = [running.connect() for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx"[: number % 60])

        assert still_serves(running)
    finally:
        for connection in slow:
            connection.close()
    assert still_serves(running)


def test_a_client_that_leaves_before_its_answer_does_no_harm(running):
    for _ in range(20):
        with running.connect() as connection:
            connection.sendall(request("/echo", "POST", "", b"x" * 1000))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not a farewell

    assert still_serves(running)


def test_a_client_that_ends_its_side_gets_its_answer(running):
    with running.connect() as connection:
        connection.sendall(request("/answer", "POST", "Content-Type: application/json\r\n", b'"body"'))
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65_536):
            received += piece

    assert answers(received)[0][2] == b"body"


def test_204_and_head_have_no_body_on_the_wire(running):
    nothing = request("/answer", "POST", "Content-Type: application/json\r\n", b'{"statusCode": 204, "body": "x"}')
    head = request("/echo", "HEAD")
    last = request("/nothing", headers=LAST)

    received = running.talk(nothing + head + last)

    first, second, third = received.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"204 No Content\r\n")
    assert first.endswith(b"\r\n\r\n")
    assert b"content-length" not in first.lower()
    assert second.startswith(b"200 OK\r\n")
    assert second.endswith(b"\r\n\r\n")
    assert third.endswith(b'{"message":"Not Found"}')


def test_a_name_with_a_line_break_in_the_query_cannot_reach_a_header(running):
    ((status, headers, body),) = answers(running.talk(request("/echo?a=%0d%0aX-Evil:1", headers=LAST)))

    assert status == 200
    assert "x-evil" not in headers
    assert json.loads(body)["queryStringParameters"] == {"a": "\r\nX-Evil:1"}
