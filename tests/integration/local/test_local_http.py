"""The HTTP server over a real loopback socket, byte by byte."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bareboat.errors import LocalError
from bareboat.local.http import Request, Response, Server, start_server

CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


async def echo(request: Request) -> Response:
    text = f"{request.method} {request.target} {len(request.body)}"
    return Response(200, [("Content-Type", "text/plain")], text.encode())


@asynccontextmanager
async def serving(handler: Any = echo, **options: Any) -> AsyncIterator[Server]:
    server = await start_server(handler, "127.0.0.1", 0, **options)
    try:
        yield server
    finally:
        await server.close(grace_s=1)


async def talk(server: Server, sent: bytes, *, half_close: bool = True) -> bytes:
    """Send bytes, read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    if half_close:
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await asyncio.wait_for(body(), 30)

    asyncio.run(main())


def bodies(answer: bytes) -> list[bytes]:
    """Split what came back into bodies, by Content-Length."""
    found = []
    while answer:
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), 0
        )
        found.append(rest[:length])
        answer = rest[length:]
    return found


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_request_keeps_raw_target_header_case_order_and_duplicates() -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(204)

    async def body() -> None:
        async with serving(handler) as server:
            await talk(
                server,
                b"POST /a%20b//c?x=1&x=%C3%A9+2 HTTP/1.1\r\nHost: h\r\nX-One:  1 \r\nx-ONE: 2\r\nCookie: a=b\r\n"
                b"Content-Length: 3\r\n\r\nabc",
            )

    run(body)

    assert seen[0].method == "POST"
    assert seen[0].target == "/a%20b//c?x=1&x=%C3%A9+2"
    assert seen[0].headers == [
        ("Host", "h"), ("X-One", "1"), ("x-ONE", "2"), ("Cookie", "a=b"), ("Content-Length", "3"),
    ]  # fmt: skip
    assert seen[0].body == b"abc"
    assert seen[0].peer[0] == "127.0.0.1"


def test_pipelined_requests_are_answered_in_order_though_the_first_is_slowest() -> None:
    async def handler(request: Request) -> Response:
        await asyncio.sleep(0.1 if request.target == "/0" else 0)
        return Response(200, [], request.target.encode())

    async def body() -> None:
        async with serving(handler) as server:
            sent = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(40))
            assert bodies(await talk(server, sent)) == [b"/%d" % number for number in range(40)]

    run(body)


def test_one_connection_serves_many_requests_and_closes_when_asked() -> None:
    async def body() -> None:
        async with serving() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            for _ in range(3):
                writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                assert b"Connection: keep-alive" in await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(len(b"GET / 0"))
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert b"Connection: close" in await reader.read()
            writer.close()
            assert b"Connection: close" in await talk(server, b"GET / HTTP/1.0\r\n\r\n", half_close=False)

    run(body)


def test_a_chunked_body_arrives_whole_even_byte_by_byte() -> None:
    async def body() -> None:
        async with serving() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            sent = CHUNKED + b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
            for place in range(len(sent)):
                writer.write(sent[place : place + 1])
                await writer.drain()
                await asyncio.sleep(0)
            writer.write_eof()
            assert (await reader.read()).endswith(b"POST / 13")
            writer.close()

    run(body)


def test_a_client_that_expects_100_continue_is_asked_for_the_body() -> None:
    async def body() -> None:
        async with serving() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            assert await reader.readexactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"ab")
            writer.write_eof()
            assert (await reader.read()).endswith(b"POST / 2")
            writer.close()

    run(body)


def test_a_client_that_expects_100_continue_with_too_long_a_body_is_refused_at_once() -> None:
    async def body() -> None:
        async with serving(max_body_bytes=10) as server:
            answer = await talk(
                server,
                b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n",
                half_close=False,
            )
            assert status(answer) == 413

    run(body)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001, 413),
        (CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 500 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 500 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A: b\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 100_000, 431),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (CHUNKED + b"zz\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
    ],
)  # fmt: skip
def test_what_is_malformed_or_too_large_is_refused_and_the_connection_closed(sent: bytes, expected: int) -> None:
    async def body() -> None:
        async with serving(max_header_bytes=400, max_body_bytes=1000) as server:
            answer = await talk(server, sent, half_close=False)
            assert (status(answer), answer.count(b"HTTP/1.1")) == (expected, 1)
            assert b"Connection: close" in answer

    run(body)


def test_requests_before_a_malformed_one_are_answered_first() -> None:
    async def body() -> None:
        async with serving() as server:
            answer = await talk(server, b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n", half_close=False)
            assert bodies(answer) == [b"GET /1 0", b'{"message":"Bad Request"}']

    run(body)


def test_a_client_that_sends_11_mb_gets_to_read_its_413() -> None:
    async def body() -> None:
        async with serving() as server:
            size = 11_000_000
            head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size
            assert status(await talk(server, head + b"x" * size, half_close=False)) == 413

    run(body)


def test_an_offer_to_upgrade_is_not_taken() -> None:
    async def body() -> None:
        async with serving() as server:
            upgrade = b"GET /1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
            answer = await talk(server, upgrade + b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
            assert bodies(answer) == [b"GET /1 0", b"GET /2 0"]

    run(body)


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("split", ["whole", "after-head", "bytes"])
def test_the_body_of_an_offer_to_upgrade_is_no_second_request(protocol: bytes, chunked: bool, split: str) -> None:
    inner = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(inner)
    sent = b"%x\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(inner), inner) if chunked else inner
    head = (
        b"PUT /1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAM\r\n%s"
    )
    request = (head % (protocol, framing)) + b"\r\n\r\n" + sent + b"GET /2 HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n"
    seen: list[Request] = []

    async def keep(asked: Request) -> Response:
        seen.append(asked)
        return await echo(asked)

    async def body() -> None:
        async with serving(keep) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            at = request.find(b"\r\n\r\n") + 4
            pieces = {
                "whole": [request],
                "after-head": [request[:at], request[at:]],
                "bytes": [request[i : i + 1] for i in range(len(request))],
            }[split]
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.02 if split == "after-head" else 0)
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            assert bodies(answer) == [b"PUT /1 %d" % len(inner), b"GET /2 0"]

    run(body)
    assert [one.body for one in seen] == [inner, b""]
    assert ("HTTP2-Settings", "AAM") in seen[0].headers
    assert seen[1].headers == [("Host", "h"), ("X", "y")]


def test_an_offer_to_upgrade_that_ends_the_connection_keeps_its_body() -> None:
    async def body() -> None:
        async with serving() as server:
            head = b"POST /1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n"
            head += b"Content-Length: 4\r\n\r\n"
            assert bodies(await talk(server, head + b"body", half_close=False)) == [b"POST /1 4"]
            assert status(await talk(server, head + b"bo")) == 400
            large = head.replace(b"h: 4", b"h: 99999999")
            assert status(await talk(server, large + b"x" * 1000)) == 413

    run(body)


def test_trailers_are_no_headers() -> None:
    seen: list[Request] = []

    async def keep(asked: Request) -> Response:
        seen.append(asked)
        return await echo(asked)

    async def body() -> None:
        async with serving(keep) as server:
            trailers = b"Host: evil\r\nAuthorization: x\r\nUpgrade: h2c\r\n"
            answer = await talk(
                server, CHUNKED + b"2\r\nab\r\n0\r\n" + trailers + b"\r\n" + b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
            )
            assert bodies(answer) == [b"POST / 2", b"GET /2 0"]
            assert seen[0].headers == [("Host", "h"), ("Transfer-Encoding", "chunked")]
            many = b"".join(b"X-%d: %s\r\n" % (i, b"v" * 1000) for i in range(50))
            assert status(await talk(server, CHUNKED + b"0\r\n" + many + b"\r\n")) == 431

    run(body)


@pytest.mark.parametrize("start", [b"0\r\nx: ", b"2\r\nab\r\n2;x="], ids=["trailer", "extension"])
def test_what_is_no_body_has_an_end(start: bytes) -> None:
    async def body() -> None:
        async with serving() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(CHUNKED + start)
            answer = asyncio.ensure_future(reader.read())
            sent = 0
            while sent < 1_000_000 and not answer.done():
                writer.write(b"a" * 1000)
                sent += 1000
                await asyncio.sleep(0.005 if sent % 20_000 == 0 else 0)
            writer.write_eof()
            assert status(await asyncio.wait_for(answer, 10)) == 431
            writer.close()
            assert sent < 500_000

    run(body)


def test_small_pieces_of_a_chunked_body_are_no_head() -> None:
    async def body() -> None:
        async with serving(max_header_bytes=200) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(CHUNKED)
            for _ in range(100):
                for piece in (b"2\r\n", b"ab", b"\r\n"):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
            writer.write(b"0\r\n\r\n")
            writer.write_eof()
            assert bodies(await asyncio.wait_for(reader.read(), 10)) == [b"POST / 200"]
            writer.close()

    run(body)


def test_chunks_of_http_1_0_are_refused() -> None:
    async def body() -> None:
        async with serving() as server:
            old = CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Host", b"Connection: keep-alive\r\nHost")
            assert status(await talk(server, old + b"2\r\nab\r\n0\r\n\r\n")) == 400

    run(body)


def test_head_is_answered_without_a_body_and_204_without_a_length() -> None:
    async def handler(request: Request) -> Response:
        return Response(204 if request.target == "/empty" else 200, [], b"body")

    async def body() -> None:
        async with serving(handler) as server:
            head = await talk(server, b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert b"Content-Length: 4\r\n" in head
            assert head.endswith(b"\r\n\r\n")
            empty = await talk(server, b"GET /empty HTTP/1.1\r\nHost: h\r\n\r\n")
            assert b"Content-Length" not in empty
            assert empty.endswith(b"\r\n\r\n")

    run(body)


def test_slow_clients_and_silent_ones_do_not_hold_up_others() -> None:
    async def body() -> None:
        async with serving(receive_s=0.5, idle_s=0.5) as server:
            slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(50)]
            for _, writer in slow:
                writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab")
            silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(10)]
            assert (await talk(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")).endswith(b"GET / 0")
            assert {status(await reader.read()) for reader, _ in slow} == {408}
            assert [await reader.read() for reader, _ in silent] == [b""] * 10
            for _, writer in slow + silent:
                writer.close()

    run(body)


def test_a_client_that_does_not_read_is_not_served_further() -> None:
    calls = 0

    async def handler(request: Request) -> Response:
        nonlocal calls
        calls += 1
        return Response(200, [], b"x" * 4_000_000)

    async def body() -> None:
        async with serving(handler) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1000)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 12)
            await writer.drain()
            await talk(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert calls < 8
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            writer.write_eof()
            received = 0
            while piece := await reader.read(1_000_000):
                received += len(piece)
            assert received > 48_000_000
            assert calls == 13
            writer.close()

    run(body)


@pytest.mark.parametrize("headers", [[("X", "a\r\nSet-Cookie: b")], [("X\n", "a")], [("X", "a\0")]])
def test_a_header_with_a_line_break_cannot_split_the_response(
    headers: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(request: Request) -> Response:
        return Response(200, headers, b"ok")

    async def body() -> None:
        async with serving(handler) as server:
            answer = await talk(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert status(answer) == 500
            assert b"Set-Cookie" not in answer

    run(body)

    assert "line break" in caplog.text


def test_a_handler_that_raises_is_answered_with_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(request: Request) -> Response:
        raise KeyError("broken")

    async def body() -> None:
        async with serving(handler) as server:
            answer = await talk(server, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert status(answer) == 500
            assert answer.endswith(b'{"message":"Internal Server Error"}')

    run(body)

    assert "KeyError: 'broken'" in caplog.text


def test_a_handler_goes_on_when_its_client_leaves() -> None:
    async def body() -> None:
        started, finished = asyncio.Event(), asyncio.Event()

        async def handler(request: Request) -> Response:
            started.set()
            await asyncio.sleep(0.05)
            finished.set()
            return Response(200)

        async with serving(handler) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await started.wait()
            writer.transport.abort()
            await asyncio.wait_for(finished.wait(), 5)

    run(body)


def test_closing_lets_the_answer_that_is_being_made_go_out_and_frees_the_port() -> None:
    async def body() -> None:
        started = asyncio.Event()

        async def handler(request: Request) -> Response:
            started.set()
            await asyncio.sleep(0.1)
            return Response(200, [], b"late")

        server = await start_server(handler, "127.0.0.1", 0)
        busy_reader, busy = await asyncio.open_connection("127.0.0.1", server.port)
        idle_reader, idle = await asyncio.open_connection("127.0.0.1", server.port)
        busy.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await started.wait()
        await server.close()
        assert (await busy_reader.read()).endswith(b"late")
        assert await idle_reader.read() == b""
        again = await start_server(handler, "127.0.0.1", server.port)
        await again.close()
        busy.close()
        idle.close()

    run(body)


def test_a_port_in_use_is_named_with_a_free_one() -> None:
    async def body() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(LocalError) as caught:
                await start_server(echo, "127.0.0.1", port)
            problem = caught.value.problems[0]
            assert f"port {port}" in problem.found
            free = int(problem.fix.rpartition("--port ")[2])
            server = await start_server(echo, "127.0.0.1", free)
            await server.close()

    run(body)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("203.0.113.7", 0), ("no.such.host.invalid", 0)])
def test_an_address_that_cannot_be_served_is_an_error_to_act_on(host: str, port: int) -> None:
    async def body() -> None:
        with pytest.raises(LocalError) as caught:
            await start_server(echo, host, port)
        assert caught.value.problems[0].expected

    run(body)
