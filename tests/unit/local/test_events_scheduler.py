"""Schedules by the clock."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from bareboat.errors import LocalError
from bareboat.local.events.scheduler import Scheduler, jobs_of
from bareboat.service import load_service

HEAD = "service: jobs\nprovider: {name: aws, runtime: python3.13, region: eu-west-1}\nfunctions:\n"
START = 1_795_345_230.0  # 2026-11-22 11:00:30 UTC


@pytest.fixture
def service(tmp_path):
    """Load a service whose function `tick` has events in flow style."""
    (tmp_path / "handler.py").write_text("def tick(event, context): ...\n")

    def service(events: str, name: str = "tick"):
        (tmp_path / "serverless.yml").write_text(f"{HEAD}  {name}: {{handler: handler.tick, events: {events}}}\n")
        return load_service(tmp_path, env={})

    return service


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fired():
    return []


def scheduler(service, clock, fired) -> Scheduler:
    return Scheduler(service, lambda function, event: fired.append((function, json.loads(event))), clock=clock)


def test_what_is_due_fires_once(service, clock, fired):
    one = scheduler(service("[{schedule: {rate: cron(0/5 * * * ? *), input: {a: 1}}}]"), clock, fired)

    assert one.fire_due() == 30.0  # no longer than that at a time
    clock.now = START + 269.5
    assert one.fire_due() == pytest.approx(0.5)
    clock.now = START + 270
    one.fire_due()
    one.fire_due()

    assert fired == [("tick", {"a": 1})]


def test_a_sleep_over_several_times_fires_once(service, clock, fired):
    one = scheduler(service("[{schedule: rate(1 minute)}]"), clock, fired)
    clock.now = START + 1000

    one.fire_due()
    clock.now = START + 1019
    one.fire_due()
    clock.now = START + 1020  # the beat is kept
    one.fire_due()

    assert len(fired) == 2


def test_events_say_their_rule_time_and_region(service, clock, fired):
    one = scheduler(service("[{schedule: {rate: rate(1 minute), name: beat}}]"), clock, fired)
    clock.now = START + 60

    one.fire_due()

    ((_, event),) = fired
    assert event["resources"] == ["arn:aws:events:eu-west-1:123456789012:rule/beat"]
    assert (event["time"], event["region"]) == ("2026-11-22T11:01:30Z", "eu-west-1")


def test_disabled_schedules_do_not_fire_and_those_of_a_bus_do(service, clock, fired):
    one = scheduler(
        service(
            "[{schedule: {rate: rate(1 minute), enabled: false}}, "
            "{eventBridge: {schedule: rate(2 minutes), input: {bus: true}}}]"
        ),
        clock,
        fired,
    )
    clock.now = START + 120

    one.fire_due()

    assert fired == [("tick", {"bus": True})]
    assert [job.enabled for job in jobs_of(service("[{schedule: {rate: rate(1 day), enabled: false}}]"))] == [False]


def test_a_reload_keeps_the_beat_of_what_stays(service, clock, fired):
    one = scheduler(service("[{schedule: rate(10 minutes)}]"), clock, fired)
    clock.now = START + 540

    one.reload(service("[{schedule: rate(10 minutes)}, {schedule: rate(1 hour)}]"))
    clock.now = START + 600
    one.fire_due()

    assert [event["resources"][0].rpartition("/")[2] for _, event in fired] == ["jobs-dev-tick-rule-1"]
    assert [job.schedule.text for job in one.jobs] == ["rate(10 minutes)", "rate(1 hour)"]


def test_a_function_that_cannot_be_called_is_told(service, clock, caplog):
    def refuse(_function: str, _event: bytes) -> None:
        raise LocalError("too many events wait")

    one = Scheduler(service("[{schedule: rate(1 minute)}]"), refuse, clock=clock)
    clock.now = START + 60

    with caplog.at_level(logging.WARNING):
        one.fire_due()

    assert "tick: rate(1 minute) is not fired: too many events wait" in caplog.text


def test_it_fires_while_it_runs_and_ends(service, clock, fired):
    minute = service("[{schedule: rate(1 minute)}]")

    async def run() -> None:
        one = scheduler(minute, clock, fired)
        one.start()
        await asyncio.sleep(0)
        clock.now = START + 60
        one.reload(minute)  # wakes it; what is due stays due
        for _ in range(100):
            if fired:
                break
            await asyncio.sleep(0.01)
        await asyncio.wait_for(one.close(), 5)

    asyncio.run(run())

    assert [function for function, _ in fired] == ["tick"]
