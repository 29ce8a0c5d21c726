"""Asynchronous invocations on a function that is a coroutine of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bareboat.errors import LocalError
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.lambda_api.queue import CONCURRENCY, EventQueue
from bareboat.service.model import Function, Place


def function(name: str = "f", **settings: Any) -> Function:
    return Function(
        name, name, Place("serverless.yml", 1, 1), "python3.13", "3.13", "x86_64", handler="m.f", **settings
    )


class Calls:
    """Answers each call with the next of `outcomes` (the last one stands for all further ones)."""

    def __init__(self, *outcomes: str | Exception, wait: Callable[[], Awaitable[Any]] | None = None) -> None:
        self.outcomes = list(outcomes)
        self.made: list[tuple[str, bytes, str]] = []
        self.at_once = self.most = 0
        self._wait = wait

    async def __call__(
        self, function: str, event: bytes, trace_id: str = "", source: str = "", **settings: str
    ) -> Invocation:
        self.made.append((function, event, settings["request_id"]))
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await (self._wait() if self._wait else asyncio.sleep(0))
        finally:
            self.at_once -= 1
        if isinstance(outcome, Exception):
            raise outcome
        return Invocation(settings["request_id"], function, b"{}", outcome, 1.0, 1, 128, 30, None, "")


async def empty(queue: EventQueue) -> None:
    async with asyncio.timeout(10):
        while len(queue):
            await asyncio.sleep(0.001)


def run(body: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await body()

    return asyncio.run(main())


THROTTLED = Throttled("f", 1, reserved=True)


@pytest.mark.parametrize(
    ("outcomes", "calls"),
    [
        ([""], 1),
        (["Unhandled"], 3),
        (["Unhandled", ""], 2),
        ([LocalError("no interpreter")], 3),
        ([THROTTLED, THROTTLED, THROTTLED, THROTTLED, ""], 5),
        (["Unhandled", THROTTLED, "Unhandled", THROTTLED, "Unhandled"], 5),
    ],
    ids=["answers", "fails", "fails-once", "cannot-start", "throttled", "throttled-between"],
)
def test_how_often_an_event_is_tried(outcomes: list[str | Exception], calls: int) -> None:
    made = Calls(*outcomes)

    async def body() -> str:
        queue = EventQueue(made, retry_after_s=(0.001, 0.002))
        request_id = queue.put(function(), b"{}")
        await empty(queue)
        await asyncio.sleep(0.02)
        assert await queue.close() == 0
        return request_id

    request_id = run(body)

    assert made.made == [("f", b"{}", request_id)] * calls


def test_an_event_that_becomes_too_old_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    made = Calls(THROTTLED)

    async def body() -> None:
        queue = EventQueue(made)
        queue.put(function(options={"maximumEventAge": 1}), b"{}")
        await empty(queue)
        await queue.close()

    run(body)

    assert len(made.made) >= 4
    assert "it is too old: throttled" in caplog.text


def test_no_event_runs_on_a_function_without_concurrency(caplog: pytest.LogCaptureFixture) -> None:
    made = Calls("")

    async def body() -> int:
        queue = EventQueue(made)
        queue.put(function(reserved_concurrency=0), b"{}")
        await asyncio.sleep(0.01)
        return await queue.close()

    assert run(body) == 0
    assert made.made == []
    assert "its reservedConcurrency is 0" in caplog.text


def test_events_start_in_order_and_not_all_at_once() -> None:
    gate = asyncio.Event()
    made = Calls("", wait=gate.wait)

    async def body() -> None:
        queue = EventQueue(made)
        for number in range(40):
            queue.put(function(), b"%d" % number)
        await asyncio.sleep(0.01)
        assert len(made.made) == CONCURRENCY
        gate.set()
        await empty(queue)
        await queue.close()

    run(body)

    assert [event for _, event, _ in made.made] == [b"%d" % number for number in range(40)]
    assert made.most == CONCURRENCY


def test_one_function_does_not_hold_up_another() -> None:
    gate = asyncio.Event()
    made = Calls("", wait=gate.wait)

    async def body() -> None:
        queue = EventQueue(made)
        for _ in range(20):
            queue.put(function("slow", reserved_concurrency=1), b"{}")
        queue.put(function("other"), b"{}")
        await asyncio.sleep(0.01)
        assert [name for name, _, _ in made.made] == ["slow", "other"]
        await queue.close(grace_s=0)

    run(body)


def test_a_full_queue_takes_nothing_more() -> None:
    async def body() -> int:
        queue = EventQueue(Calls("", wait=asyncio.Event().wait), max_events=5, max_bytes=100)
        queue.put(function(), b"x" * 90)
        with pytest.raises(Throttled):
            queue.put(function(), b"x" * 11)
        for _ in range(4):
            queue.put(function(), b"")
        with pytest.raises(Throttled):
            queue.put(function(), b"")
        lost = await queue.close(grace_s=0)
        with pytest.raises(Throttled):
            queue.put(function(), b"")
        return lost

    assert run(body) == 5
