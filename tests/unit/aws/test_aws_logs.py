"""Lines of log groups: the newest, those of failed invocations, and those that come."""

from __future__ import annotations

from contextlib import suppress

import pytest

from bareboat.aws.deployed import LiveFunction
from bareboat.aws.logs import Wanted, follow_logs, read_logs
from bareboat.errors import ConfigurationError

ONE = "36133c1b-a0b1-42e9-987f-9d6f27152091"
TWO = "8286a188-ba32-4475-8077-530cd35c09a9"
GO = LiveFunction("go", "shop-dev-go", "GoLambdaFunction", "/aws/lambda/shop-dev-go")
OTHER = LiveFunction("other", "shop-dev-other", "OtherLambdaFunction", "/aws/lambda/shop-dev-other")


def events(*said, stream="s"):
    return {
        "events": [
            {"timestamp": at, "message": text, "logStreamName": stream, "eventId": f"{at} {text}"} for at, text in said
        ]
    }


def both(one, other):
    return {"events": one["events"] + other["events"]}


def invocation(at, request_id, *lines, status=""):
    figures = f"\tDuration: 2.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t{status}"
    return [
        (at, f"START RequestId: {request_id} Version: 1\n"),
        *((at + 1, f"{line}\n") for line in lines),
        (at + 2, f"END RequestId: {request_id}\n"),
        (at + 2, f"REPORT RequestId: {request_id}{figures}\n"),
    ]


def test_lines_of_all_functions_are_in_the_order_of_time(scripted):
    said = {GO.log_group: [(1000, "a\n"), (3000, "c\n")], OTHER.log_group: [(2000, "b\n")]}
    aws = scripted({"logs:filter_log_events": lambda **asked: events(*said[asked["logGroupName"]])})

    found = read_logs(aws, [GO, OTHER], Wanted(0.0), limit=10)

    assert [(line.at, line.function, line.text) for line in found.lines] == [
        (1.0, "go", "a"), (2.0, "other", "b"), (3.0, "go", "c"),
    ]  # fmt: skip
    assert not found.is_cut


def test_the_newest_lines_are_kept_and_that_there_are_more_is_told(scripted):
    aws = scripted({"logs:filter_log_events": events(*((n, f"{n}\n") for n in range(10)))})

    found = read_logs(aws, [GO], Wanted(0.0), limit=3)

    assert [line.text for line in found.lines] == ["7", "8", "9"]
    assert found.is_cut


def test_span_and_pattern_are_cloudwatchs(scripted):
    aws = scripted({"logs:filter_log_events": events()})

    read_logs(aws, [GO], Wanted(10.5, 20.25, '"two words"'), limit=3)

    assert aws.asked("logs:filter_log_events") == [
        {"logGroupName": GO.log_group, "startTime": 10500, "endTime": 20250, "filterPattern": '"two words"',
         "interleaved": True}
    ]  # fmt: skip


def test_only_invocations_that_failed(scripted):
    lines = [*invocation(0, ONE, "fine"), *invocation(10, TWO, "[ERROR] ValueError: boom", "more")]
    aws = scripted({"logs:filter_log_events": events(*lines)})

    found = read_logs(aws, [GO], Wanted(0.0, errors=True), limit=100)

    assert {line.request_id for line in found.lines} == {TWO}
    assert len(found.lines) == 5


def test_a_log_group_that_is_not_there_is_told(scripted, refusal):
    aws = scripted({"logs:filter_log_events": refusal("ResourceNotFoundException")})

    found = read_logs(aws, [GO], Wanted(0.0), limit=3)

    assert (found.lines, found.missing) == ((), (GO,))


def test_a_pattern_that_cloudwatch_does_not_take_is_a_mistake_of_the_person(scripted, refusal):
    error = refusal("InvalidParameterException", message="Invalid filter pattern")
    aws = scripted({"logs:filter_log_events": error})

    with pytest.raises(ConfigurationError, match="does not take the pattern") as caught:
        read_logs(aws, [GO], Wanted(0.0, pattern="{ $.x"), limit=3)

    assert "--grep" in str(caught.value)


class Enough(Exception):  # noqa: N818
    """Ends what follows for ever."""


def looks(answers):
    """Return an answer for each look, and a sleep that ends after the last."""
    waiting = list(answers)

    def answer(**_):
        return waiting.pop(0) if waiting else events()

    def sleep(_):
        if not waiting:
            raise Enough

    return answer, sleep


def followed(aws, sleep, wanted, known=()):
    batches = []
    with suppress(Enough):
        for batch in follow_logs(aws, [GO], wanted, known=known, sleep=sleep):
            batches.append([line.text for line in batch])  # noqa: PERF401 - it ends by raising
    return batches


def test_what_follows_is_told_once_though_each_look_reaches_back(scripted):
    answer, sleep = looks([events((1000, "a")), events((1000, "a"), (1500, "b")), events((900, "late"), (1500, "b"))])
    aws = scripted({"logs:filter_log_events": answer})

    assert followed(aws, sleep, Wanted(0.0)) == [["a"], ["b"], ["late"]]
    assert [call["startTime"] for call in aws.asked("logs:filter_log_events")] == [0, 0, 0]


def test_what_was_shown_before_is_not_told_again(scripted):
    answer, sleep = looks([events((1000, "a"), (2000, "b"))])
    aws = scripted({"logs:filter_log_events": answer})
    known = read_logs(scripted({"logs:filter_log_events": events((1000, "a"))}), [GO], Wanted(0.0), limit=9).lines

    assert followed(aws, sleep, Wanted(0.0), known) == [["b"]]


def test_a_group_that_is_not_there_yet_is_waited_for(scripted, refusal):
    answer, sleep = looks([refusal("ResourceNotFoundException"), events((1000, "a"))])
    aws = scripted({"logs:filter_log_events": answer})

    assert followed(aws, sleep, Wanted(0.0)) == [["a"]]


def test_lines_are_held_back_until_it_is_known_that_their_invocation_failed(scripted):
    failing, fine = invocation(1000, TWO, "[ERROR] ValueError: boom"), invocation(2000, ONE, "fine")
    answer, sleep = looks(
        [
            both(events(failing[0], stream="a"), events(fine[0], stream="b")),
            both(events(*fine[1:], stream="b"), events(failing[1], stream="a")),
            events(*failing[2:], stream="a"),
        ]
    )
    aws = scripted({"logs:filter_log_events": answer})

    batches = followed(aws, sleep, Wanted(0.0, errors=True))

    assert [text for batch in batches for text in batch] == [text.rstrip("\n") for _, text in failing]
