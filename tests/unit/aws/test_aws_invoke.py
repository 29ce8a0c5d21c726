"""The whole log of an invocation, which Lambda's answer has only the end of."""

from __future__ import annotations

from bareboat.aws.invoke import LiveInvocation, whole_log

ONE = "36133c1b-a0b1-42e9-987f-9d6f27152091"
TWO = "8286a188-ba32-4475-8077-530cd35c09a9"
REPORT = f"REPORT RequestId: {ONE}\tDuration: 2 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 3 MB\t"
INVOCATION = LiveInvocation("shop-dev-go", 200, b"{}", "", ONE, "1", "the end", True, None)


def events(*texts):
    return {"events": [{"timestamp": 1000, "message": f"{text}\n", "logStreamName": "s"} for text in texts]}


def test_the_lines_of_the_invocation_alone_are_waited_for(scripted, refusal):
    start = f"START RequestId: {ONE} Version: 1"
    answers = [
        refusal("ResourceNotFoundException"),
        events(f"START RequestId: {TWO} Version: 1", "another's", start, "first"),
        events(f"START RequestId: {TWO} Version: 1", "another's", start, "first", "second", REPORT),
    ]
    aws = scripted({"logs:filter_log_events": lambda **_: answers.pop(0)})
    slept = []

    log = whole_log(aws, "/aws/lambda/shop-dev-go", INVOCATION, 100.0, sleep=slept.append, clock=lambda: 0.0)

    assert log == "\n".join((start, "first", "second", REPORT))
    assert len(slept) == 2


def test_a_log_that_does_not_come_is_given_up(scripted):
    now = iter((0.0, 10.0, 20.0))
    aws = scripted({"logs:filter_log_events": events("nothing of it")})

    assert whole_log(aws, "/aws/lambda/go", INVOCATION, 100.0, sleep=lambda _: None, clock=lambda: next(now)) == ""
