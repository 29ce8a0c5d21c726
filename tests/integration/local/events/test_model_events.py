"""Events of queues, topics and buses, sent to a model function under AWS's own runtime client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bareboat.cli.root import bareboat
from bareboat.local.serving import remove_serving, write_serving

IRIS = Path(__file__).parents[4] / "src" / "bareboat" / "templates" / "lightgbm-iris"
ROW = json.loads((IRIS / "event.json").read_text())["body"]
EVENTS = """    events:
      - sqs: {arn: 'arn:aws:sqs:us-east-1:123456789012:rows', batchSize: 3}
      - sns: rows
      - eventBridge: {pattern: {source: [shop]}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, cloud_of: Any) -> Iterator[Path]:
    """The folder of a model that is served."""
    folder = tmp_path_factory.mktemp("iris") / "iris"
    shutil.copytree(IRIS, folder)
    text = (folder / "serverless.yml").read_text()
    (folder / "serverless.yml").write_text(text.replace("    events:\n", EVENTS))
    with cloud_of(folder) as cloud:
        write_serving(folder, cloud.service.name, "dev", cloud.urls)
        try:
            yield folder
        finally:
            remove_serving(folder)


@pytest.fixture
def event(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[Any, str, Any]]:
    """Run `bareboat event KIND ... --send --json`: its document, its log, its exit code."""

    def event(kind: str, *words: str) -> tuple[Any, str, Any]:
        with pytest.raises(SystemExit) as ended:
            bareboat.main(["event", kind, "-c", str(project), *words, "--send", "--json"])
        out = capsys.readouterr()
        return json.loads(out.out), out.err, ended.value.code

    return event


def lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith('{"timestamp"')]


def test_a_bad_message_goes_back_and_the_others_are_done(event: Any) -> None:
    said, log, code = event("sqs", "--body", ROW, "--body", '{"sepal length": 1}', "--body", "{", "--body", ROW)

    assert [(each["batch"], each["failed"]) for each in said["messages"]] == [
        (1, None),
        (1, "the function reported it"),
        (1, "the function reported it"),
        (2, None),
    ]
    assert code == 1
    told = {line["messageId"]: line for line in lines(log)}
    one, two, three, four = (told[each["message"]] for each in said["messages"])
    assert one["prediction"] == four["prediction"]
    assert one["prediction"]["label"] == "virginica"
    assert len(two["fields"]) == 3
    assert three["fields"][0]["field"] == "body"


def test_the_functions_sample_is_the_message_where_none_is_given(event: Any) -> None:
    said, log, code = event("sqs")

    assert ([each["failed"] for each in said["messages"]], code) == ([None], 0)
    assert lines(log)[0]["prediction"]["label"] == "virginica"


def test_a_notification_and_an_event_of_a_bus_are_answered(event: Any) -> None:
    notified, _, _ = event("sns", "--message", ROW)
    put, _, _ = event("event-bridge", "--detail", ROW)

    assert notified == put
    assert notified["label"] == "virginica"
