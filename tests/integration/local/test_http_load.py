"""The HTTP server under clients that are many, slow, silent, greedy or gone."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bareboat.local.http import Request, Response, Server, start_server
from bareboat.local.loop import allow_open_files

GET = b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Run on both event loops: they accept, pause and close in ways of their own."""
    factory = None
    if request.param == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop

    def main(body: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            await asyncio.wait_for(body(), 30)

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(bounded())

    return main


async def own(request: Request) -> Response:
    """Answer with what the request was, a moment later."""
    await asyncio.sleep(0)
    return Response(200, [], f"{request.target} {len(request.body)}".encode())


@asynccontextmanager
async def serving(handler: Any = own, **options: Any) -> AsyncIterator[Server]:
    server = await start_server(handler, "127.0.0.1", 0, **options)
    try:
        yield server
    finally:
        await server.close(grace_s=1)


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer: (status, body)."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


async def ask(server: Server, number: int) -> tuple[int, bytes]:
    """Send one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(GET % number)
        return await asyncio.wait_for(read_answer(reader), 10)
    finally:
        writer.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_two_thousand_open_connections_are_all_answered_and_leave_no_descriptor(run: Any) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 6000:
        pytest.skip(f"this user may open {hard} files, and both ends of 2,000 connections are here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 6000), hard))

    async def body() -> None:
        before = descriptors()
        async with serving() as server:
            clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2000)]
            for _ in range(2):
                for number, (_, writer) in enumerate(clients):
                    writer.write(GET % number)
                for number, (reader, _) in enumerate(clients):
                    assert await read_answer(reader) == (200, b"/%d 0" % number)
            for _, writer in clients:
                writer.close()
        await asyncio.sleep(0.05)
        assert descriptors() <= before + 1  # libuv keeps a spare one

    try:
        run(body)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_hundreds_of_pipelined_requests_with_bodies_are_answered_in_order(run: Any) -> None:
    async def body() -> None:
        async with serving() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            for number in range(800):
                size = number % 300
                head = b"POST /%d HTTP/1.1\r\nHost: h\r\n" % number
                if number % 3:
                    writer.write(head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
                else:
                    chunks = b"".join(b"1\r\nx\r\n" for _ in range(size))
                    writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
            answers = [await read_answer(reader) for _ in range(800)]
            assert answers == [(200, b"/%d %d" % (number, number % 300)) for number in range(800)]
            writer.close()

    run(body)


def test_clients_that_break_off_anywhere_harm_nobody(run: Any) -> None:
    """Resets and half-closes at every place of a request, between clients that must get their own answers."""
    whole = b"POST /7 HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\n" + b"y" * 40
    rng = random.Random(6)

    async def breaks_off(server: Server) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(whole[: rng.randrange(len(whole) + 1)])
        await asyncio.sleep(0)
        if rng.random() < 0.5:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
            return
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 10)
        assert answer.count(b"HTTP/1.1 ") <= 1
        assert answer[9:12] in {b"", b"200", b"400"}
        writer.close()

    async def body() -> None:
        before = descriptors()
        async with serving() as server:
            await asyncio.gather(*(breaks_off(server) for _ in range(200)))
            assert await asyncio.gather(*(ask(server, n) for n in range(100))) == [
                (200, b"/%d 0" % n) for n in range(100)
            ]
        assert descriptors() <= before + 1

    run(body)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 400),  # and then no more
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", 400),
        (b"GET / HT", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400),
    ],
)
def test_a_body_that_is_not_as_it_was_announced_is_400_once(run: Any, sent: bytes, expected: int) -> None:
    async def body() -> None:
        async with serving() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(sent)
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), 10)
            assert answer.count(b"HTTP/1.1 ") == 1
            assert int(answer[9:12]) == expected
            writer.close()

    run(body)


def test_a_head_and_a_body_that_trickle_are_408(run: Any) -> None:
    async def trickles(server: Server, start: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(start)
        try:
            while True:
                writer.write(b"a")
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(reader.readuntil(b"\r\n"), 0.1)
        finally:
            writer.close()

    async def body() -> None:
        async with serving(receive_s=0.5) as server:
            post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999\r\n\r\n"
            slow = [asyncio.ensure_future(trickles(server, start)) for start in (b"GET /", post) for _ in range(20)]
            assert await ask(server, 1) == (200, b"/1 0")
            assert {line[9:12] for line in await asyncio.gather(*slow)} == {b"408"}

    run(body)


def test_a_client_that_never_reads_is_dropped_and_one_that_reads_slowly_is_not(run: Any) -> None:
    async def large(_request: Request) -> Response:
        return Response(200, [], b"x" * 8_000_000)

    async def connect(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=100_000)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET % 1)
        return reader, writer

    async def body() -> None:
        async with serving(large, send_s=1.5) as server:
            deaf = [await connect(server) for _ in range(4)]
            leaving = await connect(server)
            leaving[1].write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            reader, writer = await connect(server)
            received = 0
            for _ in range(8):  # longer than send_s in all
                await asyncio.sleep(0.5)
                writer.transport.resume_reading()  # type: ignore[attr-defined]
                received += len(await reader.readexactly(500_000))
            received += len(await reader.readexactly(4_000_000))
            assert received == 8_000_000
            writer.close()
            assert len(server._connections) <= 1  # those that did not read are gone
            for _, other in [*deaf, leaving]:
                other.transport.abort()

    run(body)


def test_bodies_that_wait_for_their_answers_are_bounded_and_then_503(run: Any) -> None:
    gate = asyncio.Event()

    async def waits(request: Request) -> Response:
        await gate.wait()
        return Response(200, [], request.target.encode())

    async def upload(server: Server, number: int) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" % number + b"z" * 200_000)
        answer = await read_answer(reader)
        if answer[0] == 503:
            gate.set()
        writer.close()
        return answer

    async def body() -> None:
        async with serving(waits, max_held_bytes=1_000_000) as server:
            answers = await asyncio.wait_for(asyncio.gather(*(upload(server, n) for n in range(20))), 10)
            assert {status for status, _ in answers} == {200, 503}
            assert sum(status == 200 for status, _ in answers) >= 5
            assert all(body == b"/%d" % n for n, (status, body) in enumerate(answers) if status == 200)
            assert server._limits.held == 0
            assert (await upload(server, 5))[0] == 200

    run(body)


def test_more_connections_than_may_be_open_are_503_and_resting_ones_make_room(run: Any) -> None:
    async def body() -> None:
        async with serving(max_connections=20) as server:
            resting = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(20)]
            assert (await ask(server, 1))[0] == 503
            await asyncio.sleep(2.5)
            assert await ask(server, 2) == (200, b"/2 0")
            for _, writer in resting:
                writer.close()

    run(body)


FEW_FILES = """
import asyncio, os, resource, socket, sys, time
from bareboat.local.http import Response, start_server
from bareboat.local.loop import run

async def own(request):
    return Response(200, [], request.target.encode())

async def main():
    server = await start_server(own, "127.0.0.1", 0, max_connections=1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
    print(server.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(time.process_time(), flush=True)
    await server.close()

(run if sys.argv[1] == "uvloop" else asyncio.run)(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_without_descriptors_left_a_server_neither_spins_nor_ends(loop: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FEW_FILES, loop], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        address = ("127.0.0.1", int(process.stdout.readline()))
        crowd = [socket.create_connection(address, timeout=5) for _ in range(100)]
        with contextlib.suppress(TimeoutError):
            crowd[-1].settimeout(1.5)
            crowd[-1].recv(1)
        for client in crowd:
            client.close()
        time.sleep(0.2)  # the server hears of it

        with socket.create_connection(address, timeout=10) as client:
            client.sendall(b"GET /after HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(65_536), b""))
        said, errors = process.communicate("\n", timeout=10)

    assert answer.endswith(b"/after")
    assert float(said) < 1.5  # seconds of CPU, the start included
    assert errors.count("out of system resource") <= 5


def test_the_limit_on_open_files_is_raised_as_far_as_it_may_be() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))

        allow_open_files(300)

        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(300, hard), hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
