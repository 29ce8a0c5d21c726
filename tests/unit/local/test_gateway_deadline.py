"""A time limit for much work at once."""

from __future__ import annotations

import asyncio

import pytest

from bareboat.local.gateway import Api, HttpApiGateway, Route, RouteTable
from bareboat.local.gateway.deadline import Deadline, DeadlinePassedError
from bareboat.local.messages import Request


async def value(number: int, after_s: float = 0.0) -> int:
    await asyncio.sleep(after_s)
    return number


def test_work_that_ends_in_time_gives_its_result():
    async def run() -> list[int]:
        deadline = Deadline(5)
        return await asyncio.gather(*(deadline.hold(value(number)) for number in range(50)))

    assert asyncio.run(run()) == list(range(50))


def test_work_that_takes_longer_is_cancelled_and_the_rest_is_not():
    async def run() -> list[int | BaseException]:
        deadline = Deadline(0.05)
        return await asyncio.gather(
            deadline.hold(asyncio.Event().wait()), deadline.hold(value(1)), deadline.hold(asyncio.Event().wait()),
            return_exceptions=True,
        )  # fmt: skip

    first, second, third = asyncio.run(run())
    assert isinstance(first, DeadlinePassedError)
    assert second == 1
    assert isinstance(third, DeadlinePassedError)


def test_the_timer_rests_when_nothing_is_under_way():
    async def run() -> None:
        deadline = Deadline(0.02)
        for _ in range(2):
            with pytest.raises(DeadlinePassedError):
                await deadline.hold(asyncio.Event().wait())
            while deadline._timer is not None:
                await asyncio.sleep(0)

    asyncio.run(run())


def test_work_that_fails_fails():
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(Deadline(1).hold(fail()))


def test_a_cancelled_task_is_cancelled():
    async def run() -> bool:
        task = asyncio.ensure_future(Deadline(1).hold(asyncio.Event().wait()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(run())


def test_an_event_that_finds_no_process_in_time_is_503():
    taken_back = []

    async def invoke(function: str, event: bytes, trace_id: str):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            taken_back.append(function)
            raise

    async def run():
        gateway = HttpApiGateway(
            RouteTable([Route("$default", "*", "*", "f", timeout_s=-10)]),
            invoke,
            api=Api("abc"),
            integration_timeout_s=0.02,
        )
        return await gateway.handle(Request("GET", "/", [], b"", ("127.0.0.1", 1)))

    response = asyncio.run(run())

    assert (response.status, response.body) == (503, b'{"message":"Service Unavailable"}')
    assert taken_back == ["f"]
