"""The lines of a running cloud."""

from __future__ import annotations

import asyncio

from bareboat.cli.cloud import SAY_S, Lines
from bareboat.cli.terminal import Terminal
from bareboat.local.access_record import AccessRecord


def record(path: str) -> AccessRecord:
    return AccessRecord("GET", path, 200, 1.25, "hello", "abc=", cold=False)


class Counting(Terminal):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def say(self, text: str = "") -> None:
        self.said.append(text)


def test_requests_close_together_are_said_in_one_write_and_in_order():
    terminal = Counting()

    async def run() -> None:
        lines = Lines(terminal)
        for turn in range(3):
            lines.request(record(f"/{turn}"))
        assert terminal.said == []
        await asyncio.sleep(SAY_S * 3)
        lines.request(record("/later"))
        await asyncio.sleep(SAY_S * 3)

    asyncio.run(run())

    assert terminal.said == [
        "GET /0 200 1.2 ms hello\nGET /1 200 1.2 ms hello\nGET /2 200 1.2 ms hello",
        "GET /later 200 1.2 ms hello",
    ]


def test_what_waits_at_the_end_is_said_once():
    terminal = Counting()

    async def run() -> Lines:
        lines = Lines(terminal)
        lines.request(record("/last"))
        return lines

    lines = asyncio.run(run())
    lines.flush()
    lines.flush()

    assert terminal.said == ["GET /last 200 1.2 ms hello"]
