"""Who may speak with a process's Runtime API."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bareboat.local import peer
from bareboat.local.runtime_api import RuntimeApi

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n%s\r\n"


class Listener:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def ready(self) -> None:
        self.said.append("ready")

    def init_failed(self, payload: bytes) -> None:
        self.said.append("init_failed")

    def answered(self, payload: bytes, *, failed: bool, peak_memory_bytes: int) -> None:
        self.said.append("answered")

    def overflowed(self) -> None:
        self.said.append("overflowed")


def asked(host: bytes = b"", headers: bytes = b"") -> tuple[bytes, list[str]]:
    """Ask for an event; return what came within a while, and what the listener heard."""

    async def main() -> tuple[bytes, list[str]]:
        listener = Listener()
        api = RuntimeApi(listener)
        address = await api.start()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(address.split(":")[1]))
            writer.write(NEXT % (host or address.encode(), headers))
            try:
                answer = await asyncio.wait_for(reader.read(1000), 0.3)
            except TimeoutError:
                answer = b"waits"
            except ConnectionError:
                answer = b""
            writer.close()
            return answer, listener.said
        finally:
            await api.close()

    return asyncio.run(main())


def test_the_runtime_waits_for_its_event() -> None:
    assert asked() == (b"waits", ["ready"])


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        (b"evil.example", b""),
        (b"", b"Origin: http://evil.example\r\n"),
        (b"", b"Sec-Fetch-Site: cross-site\r\n"),
        (b"127.0.0.1\r\nHost: evil.example", b""),
    ],
    ids=["rebound", "origin", "fetch", "two hosts"],
)
def test_a_web_page_takes_no_event(host: bytes, headers: bytes) -> None:
    answer, said = asked(host, headers)

    assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))
    assert said == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a connection is")
def test_another_user_takes_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    class System:
        @staticmethod
        def geteuid() -> int:
            return 54321

    monkeypatch.setattr(peer, "os", System)

    assert asked() == (b"", [])


def test_where_the_system_does_not_tell_everybody_is_let_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peer, "_SOCKETS", tmp_path / "none")

    assert asked() == (b"waits", ["ready"])
