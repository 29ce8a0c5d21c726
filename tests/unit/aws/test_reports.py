"""Lines of Lambda's logs, as recorded on AWS, read."""

from __future__ import annotations

import json
import re

import pytest

from bareboat.aws.reports import Assigner, Report, is_failure, parse_report

ONE = "36133c1b-a0b1-42e9-987f-9d6f27152091"
TWO = "8286a188-ba32-4475-8077-530cd35c09a9"


def test_a_cold_start_is_read():
    line = (
        f"REPORT RequestId: {ONE}\tDuration: 2.84 ms\tBilled Duration: 109 ms\tMemory Size: 1024 MB\t"
        "Max Memory Used: 35 MB\tInit Duration: 105.19 ms\t\n"
    )

    assert parse_report(line) == Report(ONE, 2.84, 109, 1024, 35, 105.19)


def test_a_restore_a_timeout_and_what_stands_behind_are_read():
    restored = parse_report(
        f"REPORT RequestId: {ONE}\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 35 MB\tRestore Duration: 301.40 ms\tBilled Restore Duration: 2 ms\t\n"
        "XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\t\n"
    )
    timed_out = parse_report(
        f"REPORT RequestId: {ONE}\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 28 MB\tStatus: timeout"
    )

    assert restored is not None
    assert timed_out is not None
    assert (restored.restore_ms, restored.init_ms, restored.status) == (301.4, None, "success")
    assert timed_out.status == "timeout"


def test_the_json_format_is_read():
    said = {
        "time": "2026-11-22T11:00:00.000Z",
        "type": "platform.report",
        "record": {
            "requestId": ONE,
            "metrics": {
                "durationMs": 2.5,
                "billedDurationMs": 3,
                "memorySizeMB": 128,
                "maxMemoryUsedMB": 40,
                "initDurationMs": 120.5,
            },
            "status": "error",
        },
    }

    assert parse_report(json.dumps(said)) == Report(ONE, 2.5, 3, 128, 40, 120.5, None, "error")
    assert is_failure(json.dumps(said))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "REPORT RequestId: nobody",
        f"REPORT RequestId: {ONE}\tDuration: x ms",
        '{"type": "platform.report"}',
        '{"type": "platform.report", "record": {"requestId": 1, "metrics": {}}}',
        '{"type": "platform.report", "record": []}',
        "{",
    ],
)
def test_what_is_no_report_is_none(line):
    assert parse_report(line) is None
    assert not is_failure(line)


@pytest.mark.parametrize(
    "line",
    [
        f"2026-11-22T11:00:00.000Z {ONE} Task timed out after 1.00 seconds",
        f"RequestId: {ONE} Error: Runtime exited with error: exit status 127",
        "[ERROR] ValueError: boom\rTraceback (most recent call last):",
        "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code.",
        f"REPORT RequestId: {ONE}\tDuration: 1 ms\tStatus: error\tError Type: Runtime.ExitError",
    ],
)
def test_failures_are_seen(line):
    assert is_failure(line)


def test_an_error_that_a_handler_logs_is_no_failure():
    assert not is_failure(f"[ERROR]\t2026-11-22T11:00:00.000Z\t{ONE}\tretrying")


def test_each_line_belongs_to_the_invocation_that_runs_in_its_stream():
    def line(stream, text):
        return {"logStreamName": stream, "timestamp": 1000, "message": text + "\n", "eventId": text}

    events = Assigner().events(
        "go",
        [
            line("a", "INIT_START Runtime Version: python:3.13.v1"),
            line("a", f"START RequestId: {ONE} Version: 1"),
            line("b", f"START RequestId: {TWO} Version: 1"),
            line("a", "from one"),
            line("b", "from two"),
            line("a", f"END RequestId: {ONE}"),
            line("a", f"REPORT RequestId: {ONE}\tDuration: 1.00 ms"),
            line("a", "between"),
            line("b", json.dumps({"requestId": TWO, "level": "INFO"})),
        ],
    )

    assert [(event.text[:6], event.request_id) for event in events] == [
        ("INIT_S", ""),
        ("START ", ONE),
        ("START ", TWO),
        ("from o", ONE),
        ("from t", TWO),
        ("END Re", ONE),
        ("REPORT", ONE),
        ("betwee", ""),
        ('{"requ', TWO),
    ]


def test_every_report_that_was_recorded_on_aws_is_read(oracle):
    text = (oracle / "localstack" / "lambda___test_lambda.snapshot.json").read_text()
    masked = re.findall(r"REPORT RequestId: [^\"\n]*?(?=\\n|\")", text)

    assert masked, "the recordings hold REPORT lines"
    for each in masked:
        line = re.sub(r"<request-id[^>]*>", ONE, each.replace("\\t", "\t"))
        line = re.sub(r"<[^>]*>", "1", line)
        assert parse_report(line) is not None, line
