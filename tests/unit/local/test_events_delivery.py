"""What becomes of messages, and what of an event a rule hands over."""

from __future__ import annotations

import json

import pytest

from bareboat.errors import ConfigurationError
from bareboat.local.events.delivery import Answer, batches, check_messages, outcome
from bareboat.local.events.inputs import event_for

BATCH = {"Records": [{"messageId": "a", "body": "1"}, {"messageId": "b", "body": "2"}]}


def told(payload: object = None, *, error: str = "", reports: bool = True) -> list[str]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return [each.why for each in outcome(BATCH, Answer("r", body, error, ""), 1, reports=reports)]


def test_batches_hold_what_a_queue_gives_at_once():
    event = {"Records": list(range(5))}

    assert [batch["Records"] for batch in batches(event, 2)] == [[0, 1], [2, 3], [4]]


# AWS Lambda developer guide, "Implementing partial batch responses", success and failure conditions
@pytest.mark.parametrize(
    "payload",
    [{"batchItemFailures": []}, {"batchItemFailures": None}, {}, None],
    ids=["empty", "null", "object", "none"],
)
def test_a_batch_without_failures_is_done(payload):
    assert told(payload) == ["", ""]


def test_messages_that_are_named_go_back():
    assert told({"batchItemFailures": [{"itemIdentifier": "b"}]}) == ["", "the function reported it"]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"no json", "the answer is no JSON"),
        ("text", "no object with batchItemFailures"),
        ({"batchItemFailure": []}, "has no batchItemFailures"),
        ({"batchItemFailures": "b"}, "is no list"),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, "which is not in the batch"),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, "which is not in the batch"),
        ({"batchItemFailures": [{"itemIdentifer": "b"}]}, "which is not in the batch"),
        ({"batchItemFailures": [{"itemIdentifier": "c"}]}, "which is not in the batch"),
    ],
)
def test_an_answer_that_is_none_sends_the_whole_batch_back(payload, why):
    first, second = told(payload)

    assert first == second
    assert why in first


def test_a_function_that_fails_sends_the_whole_batch_back():
    assert told({"errorMessage": "x"}, error="Unhandled") == ["the function failed (Unhandled)"] * 2


def test_without_reports_an_answer_says_nothing():
    assert told({"batchItemFailures": [{"itemIdentifier": "b"}]}, reports=False) == ["", ""]


EVENT = {"source": "shop", "detail": {"id": 7, "name": 'a "b"', "tags": ["x", "y"]}}


# EventBridge user guide, "Input transformation"
@pytest.mark.parametrize(
    ("said", "options", "expected"),
    [
        (None, {}, EVENT),
        ({"a": 1}, {}, {"a": 1}),
        ('{"a": 1}', {}, {"a": 1}),
        ("plain", {}, "plain"),
        ({"body": '{"a": 1}'}, {}, {"body": {"a": 1}}),
        (None, {"inputPath": "$.detail"}, EVENT["detail"]),
        (None, {"inputPath": "$.detail.tags[1]"}, "y"),
        (None, {"inputPath": "$.nothing"}, None),
        (
            None,
            {
                "inputTransformer": {
                    "inputPathsMap": {"id": "$.detail.id", "name": "$.detail.name"},
                    "inputTemplate": '{"order": <id>, "text": "of <name>", "whole": <name>}',
                }
            },
            {"order": 7, "text": 'of a "b"', "whole": 'a "b"'},
        ),
        (
            None,
            {"inputTransformer": {"inputPathsMap": {"tags": "$.detail.tags"}, "inputTemplate": "<tags>"}},
            ["x", "y"],
        ),
    ],
)
def test_a_rule_hands_over_what_it_says(said, options, expected):
    assert json.loads(event_for(EVENT, said, options)) == expected


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ([], "the event has no Records"),
        ({"Records": []}, "an empty Records"),
        ({"Records": {}}, "Records that are no list"),
        ({"Records": [1]}, r"Records\[0\] is 1"),
        ({"Records": [BATCH["Records"][0], None]}, r"Records\[1\] is null"),
        ({"Records": [{}]}, r"Records\[0\] has no messageId"),
        ({"Records": [{"messageId": 1}]}, r"Records\[0\]\.messageId is 1"),
        ({"Records": [{"messageId": "1", "body": 5}]}, r"Records\[0\]\.body is 5"),
    ],
    ids=["list", "empty", "object", "number", "null", "nothing", "id", "body"],
)
def test_what_is_no_event_of_a_queue_is_refused(event, said):
    with pytest.raises(ConfigurationError, match=said):
        check_messages(event)


def test_messages_of_a_queue_are_taken():
    check_messages(BATCH)
