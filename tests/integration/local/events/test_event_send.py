"""`bareboat event --send`: a running local cloud, found by its file, and the rules of a queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bareboat.cli.root import bareboat
from bareboat.local.serving import remove_serving, write_serving

SERVICE = """
service: jobs
provider: {name: aws, runtime: python3.13}
functions:
  work:
    handler: handler.work
    events:
      - sqs: {arn: !GetAtt Jobs.Arn, batchSize: 2, functionResponseType: ReportBatchItemFailures}
  tick:
    handler: handler.tick
    events: [{schedule: {rate: rate(1 day), input: {hello: world}}}, {httpApi: 'GET /items/{id}'}]
  fails:
    handler: handler.fails
    events: [{sns: news}]
"""
HANDLER = """
def work(event, context):
    failed = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

def tick(event, context):
    return event

def fails(event, context):
    raise ValueError(event["Records"][0]["Sns"]["Message"])
"""


class Told(NamedTuple):
    """What a command wrote, and how it ended."""

    stdout: str
    exit_code: Any


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, cloud_of: Any) -> Iterator[Path]:
    """The folder of a service that is served."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "serverless.yml").write_text(SERVICE)
    (folder / "handler.py").write_text(HANDLER)
    with cloud_of(folder) as cloud:
        write_serving(folder, cloud.service.name, "dev", cloud.urls)
        try:
            yield folder
        finally:
            remove_serving(folder)


@pytest.fixture
def event(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run `bareboat event`."""

    def event(*words: Any) -> Told:
        with pytest.raises(SystemExit) as ended:
            bareboat.main(["event", *map(str, words)])
        return Told(capsys.readouterr().out, ended.value.code)

    return event


def test_messages_go_in_batches_and_the_bad_ones_back(project, event):
    told = event("sqs", "-c", project, "--body", "a", "--body", "bad", "--body", "c", "--send", "--json")

    messages = json.loads(told.stdout)["messages"]
    assert [(each["batch"], each["failed"]) for each in messages] == [
        (1, None),
        (1, "the function reported it"),
        (2, None),
    ]
    assert told.exit_code == 1


def test_a_schedule_fires_on_request(project, event):
    told = event("schedule", "-c", project, "--send")

    assert (json.loads(told.stdout), told.exit_code) == ({"hello": "world"}, 0)


def test_a_request_goes_to_the_function_of_its_route(project, event):
    told = event("http-api", "-c", project, "--path", "/items/7?x=1", "--send")

    answer = json.loads(told.stdout)
    assert (answer["routeKey"], answer["pathParameters"]) == ("GET /items/{id}", {"id": "7"})


def test_a_function_that_fails_is_told(project, event):
    told = event("sns", "-c", project, "--message", "no good", "--send")

    assert json.loads(told.stdout)["errorMessage"] == "no good"
    assert told.exit_code == 1


def test_an_event_of_one_s_own_is_sent(project, event, tmp_path):
    (tmp_path / "own.json").write_text('{"a": 1}')

    told = event("event-bridge", "-c", project, "-f", "tick", "--from-file", tmp_path / "own.json", "--send")

    assert json.loads(told.stdout) == {"a": 1}
