"""Recordings of the real Lambda replayed on both runtime clients.

The recordings hold answers, not the functions' code: each test has a function that does what the recorded one did.
Masked are ids, paths, addresses, times and the line numbers of frozen frames, which differ between patch releases.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.pool import Pool
from bareboat.packaging.interpreters import find_python

pytestmark = pytest.mark.usefixtures("client")
BEHAVIOUR = "lambda___test_lambda"
COMMON = "lambda___test_lambda_common"
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


@cache
def snapshot(path: Path) -> Any:
    return json.loads(path.read_bytes())


@pytest.fixture
def recorded(oracle: Path) -> Any:
    """Return what a recording holds, by the end of its test's name."""

    def find(file: str, name: str) -> Any:
        for key, entry in snapshot(oracle / "localstack" / f"{file}.snapshot.json").items():
            if key.partition("lambda_/")[2].partition("::")[2] == name:
                return entry["recorded-content"]
        raise KeyError(name)

    return find


def payload(invocation: Invocation) -> Any:
    """The payload as the recordings have it: parsed, the request id masked."""
    return json.loads(invocation.payload.decode().replace(invocation.request_id, "<uuid>"))


def needs(python: str) -> str:
    if find_python(python) is None:
        pytest.skip(f"no Python {python} here")
    return python


def test_a_handler_that_raises(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaErrors::test_lambda_handler_error")["invocation_error"]
    files = {"lambda_handler_error.py": 'def handler(event, context):\n    raise Exception("Handler fails")\n'}
    pool = functions.pool(files, handler="lambda_handler_error.handler", python=needs("3.13"))

    (invocation,) = functions.invoke(pool, b"{}")

    assert invocation.error == expected["FunctionError"]
    text = json.dumps(payload(invocation)).replace(str(functions.folder / "task1"), "/var/task")
    assert json.loads(text) == expected["Payload"]


def test_a_module_that_raises_at_import(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaErrors::test_lambda_runtime_error")["invocation_error"]
    files = {"lambda_runtime_error.py": 'raise Exception("Runtime startup fails")\n'}
    pool = functions.pool(files, handler="lambda_runtime_error.handler", python=needs("3.13"))

    (invocation,) = functions.invoke(pool, b"{}")

    def masked(document: Any) -> str:
        text = json.dumps(document).replace(str(functions.folder / "task1"), "/var/task")
        text = re.sub(r"/[^ ]*/lib/python3\.13/", "/var/lang/lib/python3.13/", text)
        return re.sub(r'((?:<frozen [\w.]+>|/importlib/__init__\.py)\\", line) \d+', r"\1 N", text)

    assert invocation.error == expected["FunctionError"]
    assert masked(payload(invocation)) == masked(expected["Payload"])


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("test_lambda_runtime_exit", "import sys\nsys.exit(0)\n"),
        ("test_lambda_handler_exit", "import sys\ndef handler(event, context):\n    sys.exit(0)\n"),
        # AWS's shell ends with 127 when the wrapper script is missing; here the handler ends with it
        ("test_lambda_runtime_wrapper_not_found", "import os\ndef handler(event, context):\n    os._exit(127)\n"),
    ],
)
def test_a_process_that_ends(functions: Any, recorded: Any, name: str, source: str) -> None:
    expected = recorded(BEHAVIOUR, f"TestLambdaErrors::{name}")["invocation_error"]

    (invocation,) = functions.invoke(functions.pool(source), b"{}")

    assert invocation.error == expected["FunctionError"]
    assert payload(invocation) == expected["Payload"]


def test_a_timeout(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaBehavior::test_lambda_invoke_with_timeout")["invoke-result"]
    pool = functions.pool("import time\ndef handler(event, context):\n    time.sleep(60)\n", timeout_s=1)

    (invocation,) = functions.invoke(pool, b"{}")

    assert invocation.error == expected["FunctionError"]
    text = json.dumps(payload(invocation)).replace("<uuid>", "<timeout_error_msg>")
    assert json.loads(text) == expected["Payload"]


def test_a_handler_that_is_in_time(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaBehavior::test_lambda_invoke_no_timeout")["invoke-result"]
    pool = functions.pool("import time\ndef handler(event, context):\n    time.sleep(0.2)\n", timeout_s=2)

    (invocation,) = functions.invoke(pool, b"{}")

    assert invocation.error == expected.get("FunctionError", "")
    assert invocation.payload.decode() == expected["Payload"]


def test_what_survives_a_timeout(functions: Any, recorded: Any, tmp_path: Path) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaBehavior::test_lambda_invoke_timed_out_environment_reuse")
    pool = functions.pool(
        f"""
        import pathlib, time
        number = 0
        file = pathlib.Path({str(tmp_path / "kept")!r})
        def handler(event, context):
            global number
            if "write" in event:
                file.write_text(event["write"])
            elif "read" in event:
                return {{"content": file.read_text()}}
            elif "set" in event:
                number = event["set"]
            elif "get" in event:
                return {{"number": number}}
            else:
                time.sleep(60)
        """,
        timeout_s=1,
    )
    events = {
        "invoke-result-file-write": b'{"write": "some-content"}',
        "invoke-result-file-read": b'{"read": 1}',
        "invoke-result-set-number": b'{"set": 42}',
        "invoke-result-read-number": b'{"get": 1}',
        "invoke-result-timed-out": b'{"sleep": 1}',
        "invoke-result-file-read-after-timeout": b'{"read": 1}',
        "invoke-result-read-number-after-timeout": b'{"get": 1}',
    }

    invocations = dict(zip(events, functions.invoke(pool, *events.values()), strict=True))

    for name, invocation in invocations.items():
        assert invocation.error == expected[name].get("FunctionError", "")
        said = expected[name]["Payload"]
        if name == "invoke-result-timed-out":  # a recording of 2024: the words are those that are logged today
            logged = re.sub(r"\S+Z " + invocation.request_id, "date <timeout_error_msg>", invocation.log)
            assert said["errorMessage"] in logged.splitlines()
        else:
            assert json.loads(invocation.payload) == (json.loads(said) if isinstance(said, str) else said)


def test_a_response_that_is_too_large_twice(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaBaseFeatures::test_lambda_too_large_response")
    pool = functions.pool("def handler(event, context):\n    return 'x' * 7_000_000\n")

    invocations = functions.invoke(pool, b"{}", b"{}")

    for invocation, name in zip(invocations, ("invoke_result", "invoke_result_2"), strict=True):
        assert invocation.error == expected[name]["FunctionError"]
        assert payload(invocation) == expected[name]["Payload"]


def test_globals_are_kept_between_invocations(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaBehavior::test_lambda_cache_local[python]")
    pool = functions.pool(
        """
        counter = -1
        def handler(event, context):
            global counter
            counter += 1
            return {"counter": counter}
        """
    )

    first, second = functions.invoke(pool, b"{}", b"{}")

    assert payload(first) == expected["first_invoke_result"]["Payload"]
    assert payload(second) == expected["second_invoke_result"]["Payload"]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("test_invocation_type_request_response[python3.10]", "def handler(event, context):\n    return {}\n"),
        ("test_invocation_type_no_return_payload[python-RequestResponse]", "def handler(event, context):\n    pass\n"),
    ],
)
def test_what_is_returned(functions: Any, recorded: Any, name: str, source: str) -> None:
    expected = recorded(BEHAVIOUR, f"TestLambdaFeatures::{name}")["invoke-result"]["Payload"]

    (invocation,) = functions.invoke(functions.pool(source, python=needs("3.10")), b"{}")

    assert payload(invocation) == (json.loads(expected) if isinstance(expected, str) else expected)


def shape(log: str, request_id: str) -> list[str]:
    """A log as the recordings have it: a list of lines, numbers masked."""
    text = log.replace(request_id, "<request-id>")
    text = re.sub(r"(Duration): [\d.]+ ms", r"\1: <duration> ms", text)
    text = re.sub(r"Max Memory Used: \d+ MB", "Max Memory Used: <memory> MB", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "date", text).splitlines(keepends=True)


def test_the_log_of_a_cold_start(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaFeatures::test_invocation_with_logs[python3.10]")["logs"]["logs"]
    source = "def handler(event, context):\n    print(event)\n    return event\n"

    (invocation,) = functions.invoke(functions.pool(source, python=needs("3.10"), memory_mb=128), b"{}")

    assert shape(invocation.log, invocation.request_id) == expected


def test_a_log_record_names_the_request(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestRequestIdHandling::test_request_id_invoke")
    pool = functions.pool(
        """
        import logging
        logging.getLogger().setLevel(logging.INFO)
        def handler(event, context):
            logging.info("RequestId log message")
            return context.aws_request_id
        """,
        memory_mb=128,
    )

    (invocation,) = functions.invoke(pool, b"{}")

    assert (
        invocation.payload.decode().replace(invocation.request_id, "<request-id>")
        == (expected["invoke_result"]["Payload"])
    )
    lines = [line.strip() for line in shape(invocation.log, invocation.request_id)]
    assert lines == expected["log_entries"]["logs"]


def test_the_log_of_a_handler_that_raises_cold_and_warm(functions: Any, recorded: Any) -> None:
    events = recorded(BEHAVIOUR, "TestLambdaFeatures::test_invocation_type_event_error")["log_events"]
    source = """\
class CustomException(Exception):
    pass


def handler(event, context):
    raise CustomException("some error occurred")
"""
    pool = functions.pool(source, python=needs("3.10"), memory_mb=128)

    invocations = functions.invoke(pool, b"{}", b"{}")

    task_root = str(functions.folder / "task1")
    expected = "".join(
        event["message"] if event["message"].endswith("\n") else event["message"] + "\n"
        for event in events
        if not event["message"].startswith("INIT_START")  # in the stream, not in an invocation's log
    )
    found = "".join(
        invocation.log.replace(invocation.request_id, "<request-id>").replace(task_root, "/var/task")
        for invocation in invocations
    )
    assert re.sub(r"[\d.]+ (ms|MB)\t", r"N \1\t", found) == re.sub(r"[\d.]+ (ms|MB)\t", r"N \1\t", expected)


@pytest.mark.parametrize("python", PYTHONS)
def test_an_uncaught_exception_on_each_version(functions: Any, recorded: Any, python: str) -> None:
    expected = recorded(COMMON, f"TestLambdaRuntimesCommon::test_uncaught_exception_invoke[python{python}]")
    source = 'def handler(event, context):\n    raise Exception("Failed: " + event["error_msg"])\n'
    pool = functions.pool(source, python=needs(python), memory_mb=1024)

    (invocation,) = functions.invoke(pool, b'{"error_msg": "some_error_msg"}')

    found = payload(invocation)
    assert isinstance(found.pop("stackTrace"), list)
    said = {name: value for name, value in expected["error_result"]["Payload"].items() if name != "stackTrace"}
    if "requestId" in said:
        said["requestId"] = "<uuid>"
    else:
        del found["requestId"]  # Lambda's client for 3.8 is older than the oldest that is published
    assert found == said
    assert invocation.error == expected["error_result"]["FunctionError"]


INTROSPECTION = """
    import os
    def handler(event, c):
        return {
            "ctx": {
                "aws_request_id": c.aws_request_id, "function_name": c.function_name,
                "function_version": c.function_version, "invoked_function_arn": c.invoked_function_arn,
                "log_group_name": c.log_group_name, "log_stream_name": c.log_stream_name,
                "memory_limit_in_mb": c.memory_limit_in_mb,
                "remaining_time_in_millis": c.get_remaining_time_in_millis(),
            },
            "environment": dict(os.environ),
        }
"""
HERE = {  # differs by where the function runs; the names are what is compared
    "AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT", "LD_LIBRARY_PATH", "PATH", "PWD", "PYTHONPATH", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID",
}  # fmt: skip


@pytest.mark.parametrize("python", PYTHONS)
def test_the_environment_and_the_context_on_each_version(
    functions: Any, recorded: Any, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = recorded(COMMON, f"TestLambdaRuntimesCommon::test_introspection_invoke[python{python}]")
    expected = expected["invocation_result_payload"]
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "TOKEN")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    pool = functions.pool(
        INTROSPECTION, python=needs(python), environment={"TEST_KEY": "TEST_VAL"}, full_name="<function-name:1>"
    )

    (invocation,) = functions.invoke(pool, b"{}")

    found = json.loads(invocation.payload)
    # CPython's own, from 3.7 on, where the locale of LANG is not installed; Lambda's recordings have it from 3.12 on
    ours = {name: value for name, value in found["environment"].items() if name != "LC_CTYPE"}
    theirs = {name: value for name, value in expected["environment"].items() if name != "LC_CTYPE"}
    assert set(ours) == set(theirs)
    assert {name: ours[name] for name in ours if name not in HERE} == {
        name: theirs[name] for name in theirs if name not in HERE
    }
    assert (ours["AWS_ACCESS_KEY_ID"], ours["AWS_SESSION_TOKEN"]) == ("AKID", "TOKEN")
    masked = {"aws_request_id", "log_stream_name", "remaining_time_in_millis", "invoked_function_arn"}
    assert set(found["ctx"]) == set(expected["ctx"])
    assert {name: value for name, value in found["ctx"].items() if name not in masked} == {
        name: value for name, value in expected["ctx"].items() if name not in masked
    }
    arn = found["ctx"]["invoked_function_arn"]
    assert (
        re.sub(r"arn:aws:lambda:us-east-1:\d{12}:", "arn:<partition>:lambda:<region>:111111111111:", arn)
        == (expected["ctx"]["invoked_function_arn"])
    )


def test_the_environment_during_init(functions: Any, recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaBehavior::test_lambda_init_environment")["lambda-init-inspection"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    source = "import os\nseen = dict(os.environ)\ndef handler(event, context):\n    return {'environment': seen}\n"

    (invocation,) = functions.invoke(functions.pool(source), b"{}")

    found = set(json.loads(invocation.payload)["environment"])
    assert found | {"LC_CTYPE"} == set(expected["Payload"]["environment"])


def test_the_limits_of_the_process(functions: Any, recorded: Any) -> None:
    expected = recorded(BEHAVIOUR, "TestLambdaBehavior::test_runtime_ulimits")["invoke_runtime_ulimits"]["Payload"]
    source = "import resource as r\ndef handler(event, context):\n    return r.getrlimit(r.RLIMIT_NOFILE)\n"

    (invocation,) = functions.invoke(functions.pool(source), b"{}")

    assert payload(invocation) == expected["RLIMIT_NOFILE"]


def test_where_a_function_finds_itself(functions: Any, recorded: Any) -> None:
    kind = {"x86_64": "x86", "aarch64": "arm"}.get(os.uname().machine) if sys.platform == "linux" else None
    if kind is None:
        pytest.skip("Lambda runs on Linux, x86_64 or arm64")
    name = f"TestLambdaBehavior::test_runtime_introspection_{kind}"
    expected = recorded(BEHAVIOUR, name)[f"invoke_runtime_{kind}_introspection"]["Payload"]
    source = """
        import os, platform
        def handler(event, context):
            return [event, platform.system(), platform.machine(), os.getcwd()]
    """

    (invocation,) = functions.invoke(functions.pool(source), b"{}")

    assert payload(invocation) == [
        expected["event"],
        expected["platform_system"],
        expected["platform_machine"],
        expected["pwd"].replace("/var/task", str(functions.folder / "task1")),
    ]


@pytest.mark.parametrize(
    ("test", "name", "reserved"),
    [
        ("TestLambdaConcurrency::test_reserved_concurrency", "exc_no_cap_requestresponse", 0),
        ("TestLambdaConcurrency::test_reserved_concurrency_async_queue", "too_many_requests_exc", 1),
        ("TestLambdaConcurrency::test_lambda_concurrency_block", "invoke_latest_first_exc", 1),
    ],
)
def test_throttling(functions: Any, recorded: Any, test: str, name: str, reserved: int) -> None:
    expected = recorded(BEHAVIOUR, test)[name]

    async def body(pool: Pool) -> Throttled:
        running = [asyncio.ensure_future(pool.invoke(b"{}")) for _ in range(reserved)]
        await asyncio.sleep(0)
        with pytest.raises(Throttled) as caught:
            await pool.invoke(b"{}")
        await asyncio.gather(*running)
        return caught.value

    source = "def handler(event, context):\n    return event\n"
    throttled = functions.run(functions.pool(source, reserved_concurrency=reserved), body)

    assert throttled.code == expected["Error"]["Code"]
    assert throttled.words == expected["Error"]["Message"] == expected["message"]
    assert throttled.reason == expected["Reason"]
