"""A front with a bug: its clients get the front's own 500, and the request is told."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bareboat.local.doors import Door, Gate
from bareboat.local.messages import Request, Response


class Broken:
    """A front that fails, at once or later."""

    def __init__(self, *, later: bool) -> None:
        self.later = later
        self.refused: list[int] = []

    def handle(self, request: Request) -> Any:
        if self.later:
            return self.fail()
        raise ZeroDivisionError(request.target)

    async def fail(self) -> Response:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    def refuse(self, status: int) -> Response:
        self.refused.append(status)
        return Response(status, [], b"the front's own")

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("later", [False, True])
def test_a_front_that_fails_answers_as_it_refuses(caplog: pytest.LogCaptureFixture, later: bool) -> None:
    front = Broken(later=later)
    left: list[bool] = []
    generation = SimpleNamespace(busy=0, left=lambda: left.append(True))

    async def main() -> bytes:
        door = Door("httpApi", "127.0.0.1", Gate())
        await door.open(cast("Any", SimpleNamespace(limits=(10_000, 10_000))), 0, must=True)
        try:
            door.lead_to(front, cast("Any", generation))
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            return answer
        finally:
            await door.close(0)

    with caplog.at_level(logging.ERROR):
        answer = asyncio.run(main())

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(b"the front's own")
    assert front.refused == [500]
    assert left == [True] * later
    assert "ZeroDivisionError" in caplog.text
