from __future__ import annotations

import json
from typing import Any

import pytest

from bareboat.local.events.delivery import source_of


@pytest.mark.parametrize(
    ("event", "source"),
    [
        ({"Records": [{"eventSource": "aws:sqs"}]}, "sqs"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "s3"),
        ({"Records": [{"EventSource": "aws:sns"}]}, "sns"),
        ({"detail-type": "Scheduled Event", "source": "aws.events"}, "schedule"),
        ({"detail-type": "order", "source": "shop"}, "eventBridge"),
        ({"Records": [{"eventSource": "aws:kinesis"}]}, "invoke"),
        ({"Records": []}, "invoke"),
        ([1], "invoke"),
    ],
    ids=["sqs", "s3", "sns", "schedule", "bus", "other", "none", "list"],
)
def test_an_event_tells_what_it_comes_from(event: Any, source: str) -> None:
    assert source_of(json.dumps(event).encode()) == source


def test_what_is_no_json_is_an_invocation() -> None:
    assert source_of(b"\xff") == "invoke"
