"""Functions that misbehave in every way we know: the answer is Lambda's, the next is answered, nothing is left."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bareboat.errors import InputError, LocalError
from bareboat.local.faults import MAX_PAYLOAD_BYTES
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.pool import Pool
from bareboat.packaging.interpreters import find_python

pytestmark = pytest.mark.usefixtures("client")


def document(invocation: Invocation) -> Any:
    return json.loads(invocation.payload)


ECHO = """
    def handler(event, context):
        return event
"""
BAD_OR_GOOD = """
    import os, signal, sys
    def handler(event, context):
        exec(event["do"])
        return "fine"
"""
GOOD = b'{"do": "pass"}'


def do(code: str) -> bytes:
    return json.dumps({"do": code}).encode()


def test_one_process_answers_events_one_after_the_other_and_keeps_its_globals(functions: Any) -> None:
    pool = functions.pool(
        """
        import os
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            return {"pid": os.getpid(), "calls": calls, "cwd": os.getcwd(), "event": event}
        """
    )

    first, second = functions.invoke(pool, b'{"a": "\xc3\xa9"}', b"[1]")

    assert document(first)["event"] == {"a": "é"}
    assert (document(first)["calls"], document(second)["calls"]) == (1, 2)
    assert document(first)["pid"] == document(second)["pid"]
    assert first.init_ms is not None
    assert second.init_ms is None
    assert first.error == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sys.exit()", "Runtime exited without providing a reason"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(7)", "Runtime exited with error: exit status 7"),
        ("exit(9)", "Runtime exited with error: exit status 9"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_process_that_ends_in_the_handler_is_an_exit_error_and_is_replaced(
    functions: Any, code: str, words: str
) -> None:
    bad, good = functions.invoke(functions.pool(BAD_OR_GOOD), do(code), GOOD)

    assert bad.error == "Unhandled"
    assert document(bad) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {bad.request_id} Error: {words}",
    }
    assert document(good) == "fine"
    assert good.init_ms is not None


def test_a_handler_that_hangs_is_killed_at_its_timeout_with_what_it_started(functions: Any) -> None:
    pool = functions.pool(
        """
        import subprocess, time
        def handler(event, context):
            if not event:
                return context.get_remaining_time_in_millis()
            print("before", flush=True)
            subprocess.Popen(["sleep", "60"])
            subprocess.Popen(["sleep", "60"], start_new_session=True)
            while True:
                time.sleep(1)
        """,
        timeout_s=1,
    )

    started = time.perf_counter()
    hung, after = functions.invoke(pool, b"1", b"0")

    assert document(hung) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {hung.request_id} Error: Task timed out after 1.00 seconds",
    }
    assert "before\n" in hung.log
    assert re.search(rf"{hung.request_id} Task timed out after 1.00 seconds\n", hung.log)
    assert 1000 <= hung.duration_ms < 1500
    assert 0 < document(after) <= 1000
    assert time.perf_counter() - started < 5


def test_a_handler_that_ignores_sigterm_and_catches_everything_is_killed_all_the_same(functions: Any) -> None:
    pool = functions.pool(
        """
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        def handler(event, context):
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    pass
        """,
        timeout_s=1,
    )

    (hung,) = functions.invoke(pool, b"{}")

    assert document(hung)["errorType"] == "Sandbox.Timedout"


def test_tmp_survives_a_timeout_and_globals_do_not(functions: Any, tmp_path: Path) -> None:
    pool = functions.pool(
        f"""
        import time
        from pathlib import Path
        number = 0
        file = Path({str(tmp_path / "kept")!r})
        def handler(event, context):
            global number
            if event == "write":
                number = 42
                file.write_text("some-content")
            elif event == "hang":
                time.sleep(60)
            return [number, file.read_text()]
        """,
        timeout_s=1,
    )

    _, before, _, after = functions.invoke(pool, b'"write"', b'"read"', b'"hang"', b'"read"')

    assert document(before) == [42, "some-content"]
    assert document(after) == [0, "some-content"]


@pytest.mark.parametrize(
    ("files", "handler", "kind", "message"),
    [
        ({"handler.py": "x = 1"}, "handler.nope", "Runtime.HandlerNotFound", "Handler 'nope' missing on module"),
        ({"handler.py": ""}, "other.f", "Runtime.ImportModuleError", "Unable to import module 'other': No module"),
        ({"handler.py": "import no_such_module"}, "handler.f", "Runtime.ImportModuleError", "no_such_module"),
        ({"handler.py": "def f(:\n"}, "handler.f", "Runtime.UserCodeSyntaxError", "Syntax error in module 'handler'"),
        ({"handler.py": ""}, "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ({"handler.py": ""}, "sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys"),
        ({"handler.py": "raise ValueError('at import')"}, "handler.f", "ValueError", "at import"),
        ({"handler.py": "import numpy"}, "handler.f", "Runtime.ImportModuleError", "numpy"),
    ],
)  # fmt: skip
def test_a_handler_that_cannot_be_imported_answers_every_event_with_the_init_error(
    functions: Any, files: dict[str, str], handler: str, kind: str, message: str
) -> None:
    pool = functions.pool(files, handler=handler)

    started = time.perf_counter()
    invocations = functions.invoke(pool, b"{}", b"{}")

    for invocation in invocations:
        assert invocation.error == "Unhandled"
        assert document(invocation)["errorType"] == kind
        assert message in document(invocation)["errorMessage"]
        assert document(invocation)["requestId"] == ""
        assert f"[ERROR] {kind}" in invocation.log
    assert time.perf_counter() - started < 5


def test_a_handler_in_a_package_is_found_with_slashes_and_with_dots(functions: Any) -> None:
    files = {"a/__init__.py": "", "a/b/__init__.py": "", "a/b/c.py": "def f(event, context): return 1"}

    for handler in ("a/b/c.f", "a.b.c.f"):
        (invocation,) = functions.invoke(functions.pool(files, handler=handler), b"{}")
        assert document(invocation) == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import sys; sys.exit(0)", "Runtime exited without providing a reason"),
        ("import os; os._exit(4)", "Runtime exited with error: exit status 4"),
        ("import os; os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_process_that_ends_at_import_is_tried_again_and_then_an_exit_error(
    functions: Any, tmp_path: Path, source: str, words: str
) -> None:
    count = f"open({str(tmp_path / 'count')!r}, 'a').write('x')\n"

    (invocation,) = functions.invoke(functions.pool({"handler.py": count + source}), b"{}")

    assert document(invocation)["errorType"] == "Runtime.ExitError"
    assert document(invocation)["errorMessage"] == f"RequestId: {invocation.request_id} Error: {words}"
    assert (tmp_path / "count").read_text() == "xx"


def test_an_import_that_hangs_is_tried_again_inside_the_invocation_and_times_out(functions: Any) -> None:
    pool = functions.pool("import time\nprint('importing', flush=True)\ntime.sleep(60)", timeout_s=1,
                          settings={"init_timeout_s": 0.5})  # fmt: skip

    (invocation,) = functions.invoke(pool, b"{}")

    assert document(invocation)["errorType"] == "Sandbox.Timedout"
    assert document(invocation)["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert invocation.log.count("importing\n") == 2


def test_an_import_that_is_slow_once_answers_after_the_second_try(functions: Any, tmp_path: Path) -> None:
    pool = functions.pool(
        f"""
        import pathlib, time
        seen = pathlib.Path({str(tmp_path / "seen")!r})
        if not seen.exists():
            seen.write_text("")
            time.sleep(60)
        def handler(event, context):
            return context.get_remaining_time_in_millis()
        """,
        timeout_s=5,
        settings={"init_timeout_s": 0.5},
    )

    first, second = functions.invoke(pool, b"{}", b"{}")

    assert 0 < document(first) < 5000
    assert first.init_ms is None
    assert document(second) > document(first)


@pytest.mark.parametrize("code", ["return set()", "return (n for n in [1])", "return object()", "return {(1, 2): 3}"])
def test_an_answer_that_is_no_json_is_a_marshal_error_of_a_process_that_lives_on(functions: Any, code: str) -> None:
    pool = functions.pool(f"def handler(event, context):\n    if event: {code}\n    return 'fine'\n")

    bad, good = functions.invoke(pool, b"1", b"0")

    assert document(bad)["errorType"] == "Runtime.MarshalError"
    assert document(bad)["errorMessage"].startswith("Unable to marshal response: ")
    assert document(bad)["stackTrace"] == []
    assert document(good) == "fine"
    assert good.init_ms is None


def test_an_async_handler_is_a_marshal_error_as_on_lambda(functions: Any) -> None:
    (invocation,) = functions.invoke(functions.pool("async def handler(event, context):\n    return 1\n"), b"{}")

    assert document(invocation)["errorType"] == "Runtime.MarshalError"


def test_nan_decimal_none_bytes_and_text_are_sent_as_lambda_sends_them(functions: Any) -> None:
    if find_python("3.13") is None:
        pytest.skip("no Python 3.13 here")
    pool = functions.pool(
        """
        from collections import namedtuple
        from decimal import Decimal
        Point = namedtuple("Point", "x y")
        answers = [float("nan"), {"a": float("inf")}, Decimal("1.10"), None, b"\\xffraw", "\\u00e9",
                   Point(1, [Decimal("2.0")])]
        def handler(event, context):
            return answers[event]
        """,
        python="3.13",
    )

    payloads = [invocation.payload for invocation in functions.invoke(pool, *(b"%d" % n for n in range(7)))]

    assert payloads == [
        b"NaN", b'{"a": Infinity}', b"1.10", b"null", b"\xffraw", '"é"'.encode(), b'{"x": 1, "y": [2.0]}',
    ]  # fmt: skip


def test_a_response_of_7_mb_is_refused_and_the_next_event_is_answered(functions: Any) -> None:
    pool = functions.pool("def handler(event, context):\n    return 'x' * event\n")
    fits = MAX_PAYLOAD_BYTES - 2

    large, whole, after = functions.invoke(pool, b"7000000", b"%d" % fits, b"3")

    assert document(large) == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    assert len(whole.payload) == MAX_PAYLOAD_BYTES
    assert document(after) == "xxx"


def test_an_event_over_6_mib_is_refused_before_the_function(functions: Any) -> None:
    with pytest.raises(InputError, match="6,291,457"):
        functions.invoke(functions.pool(ECHO), b"1" * (6 * 1024 * 1024 + 1))


@pytest.mark.parametrize("event", [b"not json", b"", b"\xff\xfe", b'{"a": "\xe9"}'])
def test_an_event_that_is_no_json_is_an_unmarshal_error(functions: Any, event: bytes) -> None:
    bad, good = functions.invoke(functions.pool(ECHO), event, b"1")

    assert document(bad)["errorType"] == "Runtime.UnmarshalError"
    assert document(good) == 1


def test_a_runtime_killed_while_idle_is_replaced(functions: Any) -> None:
    async def body(pool: Pool) -> tuple[Invocation, Invocation]:
        first = await pool.invoke(b"{}")
        os.kill(document(first), signal.SIGKILL)
        while pool.processes:
            await asyncio.sleep(0.01)
        return first, await pool.invoke(b"{}")

    pool = functions.pool("import os\ndef handler(event, context):\n    return os.getpid()\n")
    first, second = functions.run(pool, body)

    assert second.error == ""
    assert document(first) != document(second)


def test_a_runtime_killed_at_work_from_outside_is_an_exit_error(functions: Any, tmp_path: Path) -> None:
    async def body(pool: Pool) -> Invocation:
        task = asyncio.ensure_future(pool.invoke(b"{}"))
        file = tmp_path / "pid"
        while not (file.exists() and file.read_text().endswith("\n")):
            await asyncio.sleep(0.01)
        os.kill(int(file.read_text()), signal.SIGKILL)
        return await task

    pool = functions.pool(
        f"""
        import os, time
        def handler(event, context):
            open({str(tmp_path / "pid")!r}, "w").write(f"{{os.getpid()}}\\n")
            time.sleep(60)
        """
    )

    assert document(functions.run(pool, body))["errorMessage"].endswith("Runtime exited with error: signal: killed")


@pytest.mark.parametrize("leave_the_group", [False, True])
def test_a_child_that_is_forked_does_not_outlive_the_pool(functions: Any, leave_the_group: bool) -> None:
    pool = functions.pool(
        f"""
        import os, time
        def handler(event, context):
            child = os.fork()
            if child == 0:
                if {leave_the_group}:
                    os.setsid()
                    if os.fork():
                        os._exit(0)
                print("child")
                time.sleep(600)
                os._exit(0)
            return child
        """
    )

    first, second = functions.invoke(pool, b"{}", b"{}")

    assert (first.error, second.error) == ("", "")


def test_ten_megabytes_of_output_neither_block_the_function_nor_fill_the_memory(functions: Any) -> None:
    pool = functions.pool(
        """
        import sys
        def handler(event, context):
            line = "x" * 999
            for _ in range(10_000):
                print(line)
            sys.stderr.write("the end" * event)
            return "fine"
        """,
        timeout_s=30,
    )

    first, second = functions.invoke(pool, b"1", b"0")

    assert document(first) == document(second) == "fine"
    assert len(first.log) < 1_100_000
    assert re.search(r"\.\.\. \d+ more bytes were written and not kept\n", first.log)
    assert first.log.startswith("START RequestId: ")
    assert "REPORT RequestId: " in first.log.splitlines()[-1]


@pytest.mark.parametrize("code", ["import os; os.close(1); os.close(2)", "sys.stdout.close(); sys.stderr.close()"])
def test_a_function_that_closes_stdout_is_answered_and_goes_on(functions: Any, code: str) -> None:
    first, second = functions.invoke(functions.pool(BAD_OR_GOOD), do(code), GOOD)

    assert document(first) == document(second) == "fine"


def test_stdin_is_empty(functions: Any) -> None:
    pool = functions.pool("import sys\ndef handler(event, context):\n    return sys.stdin.read()\n")

    (invocation,) = functions.invoke(pool, b"{}")

    assert document(invocation) == ""


def test_print_stderr_and_log_records_stay_in_order(functions: Any) -> None:
    pool = functions.pool(
        """
        import logging, sys
        print("at import")
        def handler(event, context):
            print("one")
            logging.warning("two")
            print("three", file=sys.stderr)
            logging.getLogger("x").error("four\\nlines")
            logging.info("never")
            print("five", end="")
            logging.error("six")
        """
    )

    cold, warm = functions.invoke(pool, b"{}", b"{}")

    stamp = r"\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t" + warm.request_id + r"\t"
    report = rf"REPORT RequestId: {warm.request_id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
    assert re.fullmatch(
        rf"START RequestId: {warm.request_id} Version: \$LATEST\none\n\[WARNING\]{stamp}two\nthree\n"
        rf"\[ERROR\]{stamp}four\nlines\nfive\n\[ERROR\]{stamp}six\nEND RequestId: {warm.request_id}\n"
        rf"{report}Memory Size: 1024 MB\tMax Memory Used: \d+ MB\t\n",
        warm.log,
    )
    assert cold.log.startswith("at import\nSTART RequestId: ")
    assert re.search(r"\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t\n$", cold.log)


def test_json_logs_are_one_object_a_line(functions: Any) -> None:
    pool = functions.pool(
        """
        import logging
        def handler(event, context):
            logging.info({"rows": 3}, extra={"model": "m"})
            try:
                1 / 0
            except ZeroDivisionError:
                logging.exception("failed")
        """,
        environment={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"},
    )

    (invocation,) = functions.invoke(pool, b"{}")

    info, error = (json.loads(line) for line in invocation.log.splitlines() if line.startswith("{"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", info.pop("timestamp"))
    assert info == {
        "level": "INFO", "message": {"rows": 3}, "logger": "root", "requestId": invocation.request_id, "model": "m",
    }  # fmt: skip
    assert (error["errorType"], error["errorMessage"]) == ("ZeroDivisionError", "division by zero")
    assert error["location"].endswith("handler.py:handler:8")
    assert "1 / 0" in error["stackTrace"][0]


def test_billed_duration_is_init_and_duration_rounded_up(functions: Any) -> None:
    cold, warm = functions.invoke(functions.pool(ECHO), b"{}", b"{}")

    assert cold.init_ms is not None
    assert cold.billed_ms - 1 < cold.init_ms + cold.duration_ms <= cold.billed_ms
    assert warm.billed_ms - 1 < warm.duration_ms <= warm.billed_ms
    assert 5 < cold.max_memory_mb < 200


def test_context_holds_what_lambda_gives(functions: Any) -> None:
    async def body(pool: Pool) -> Invocation:
        said = '{"custom": {"a": 1},\n "client": {"app_title": "t"}, "env": {"e": "é"}}'
        return await pool.invoke(b"{}", trace_id="Root=1-0-0", client_context=said)

    pool = functions.pool(
        """
        import os
        def handler(event, c):
            return [c.aws_request_id, c.function_name, c.function_version, c.invoked_function_arn,
                    c.memory_limit_in_mb, c.log_group_name, c.log_stream_name, c.tenant_id,
                    c.identity.cognito_identity_id, c.client_context.custom, c.client_context.client.app_title,
                    c.client_context.env, os.environ["_X_AMZN_TRACE_ID"]]
        """,
        memory_mb=128,
        settings={"region": "eu-central-1"},
    )

    invocation = functions.run(pool, body)
    request_id, *rest = document(invocation)
    stream = rest.pop(5)

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", request_id)
    assert request_id == invocation.request_id
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    assert rest == [
        "tests-dev-f", "$LATEST", "arn:aws:lambda:eu-central-1:123456789012:function:tests-dev-f", "128",
        "/aws/lambda/tests-dev-f", None, None, {"a": 1}, "t", {"e": "é"}, "Root=1-0-0",
    ]  # fmt: skip


def test_a_client_context_that_is_no_json_is_the_functions_error(functions: Any) -> None:
    async def body(pool: Pool) -> Invocation:
        return await pool.invoke(b"{}", client_context="{")

    assert document(functions.run(functions.pool(ECHO), body))["errorType"] == "Runtime.LambdaContextUnmarshalError"


def test_nothing_of_the_interpreters_own_packages_can_be_imported(functions: Any) -> None:
    pool = functions.pool("import sys\ndef handler(event, context):\n    return sys.path\n")

    (invocation,) = functions.invoke(pool, b"{}")

    assert Path(document(invocation)[0]).name.startswith("task")
    assert not [path for path in document(invocation) if "site-packages" in path]


def test_no_more_processes_than_cores_are_in_their_init_at_once(functions: Any, tmp_path: Path) -> None:
    async def body(pool: Pool) -> list[Invocation]:
        return await asyncio.gather(*(pool.invoke(b"{}") for _ in range(16)))

    pool = functions.pool(
        f"""
        import os, pathlib, time
        folder = pathlib.Path({str(tmp_path)!r})
        mine = folder / f"{{os.getpid()}}.init"
        mine.write_text("")
        at_once = len(list(folder.glob("*.init")))
        time.sleep(0.4)
        mine.unlink()
        def handler(event, context):
            return [os.getpid(), at_once]
        """,
        settings={"cores": 2},
    )

    answers = [document(invocation) for invocation in functions.run(pool, body)]

    assert max(at_once for _, at_once in answers) <= 2
    assert len({pid for pid, _ in answers}) <= 4


def test_slow_handlers_get_more_processes_than_cores_up_to_the_limit(functions: Any) -> None:
    async def body(pool: Pool) -> tuple[int, set[int]]:
        answers = await asyncio.gather(*(pool.invoke(b"{}") for _ in range(12)))
        return pool.processes, {document(answer) for answer in answers}

    pool = functions.pool(
        "import os, time\ndef handler(event, context):\n    time.sleep(0.6)\n    return os.getpid()\n",
        settings={"cores": 2, "max_processes": 5, "grow_after_s": 0.05},
    )

    processes, pids = functions.run(pool, body)

    assert 2 < len(pids) <= 5
    assert processes <= 5


def test_each_process_has_one_event_at_a_time_and_events_are_taken_in_order(functions: Any) -> None:
    async def body(pool: Pool) -> list[int]:
        order: list[int] = []

        async def one(number: int) -> None:
            assert document(await pool.invoke(b"%d" % number)) == 1
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(20)))
        return order

    pool = functions.pool(
        """
        import threading
        running = 0
        def handler(event, context):
            global running
            running += 1
            try:
                threading.Event().wait(0.005)
                return running
            finally:
                running -= 1
        """,
        settings={"max_processes": 1},
    )

    assert functions.run(pool, body) == list(range(20))


@pytest.mark.parametrize("reserved", [0, 2])
def test_more_than_the_reserved_concurrency_is_throttled_in_lambdas_words(functions: Any, reserved: int) -> None:
    async def body(pool: Pool) -> None:
        running = [asyncio.ensure_future(pool.invoke(b"{}")) for _ in range(reserved)]
        await asyncio.sleep(0)
        with pytest.raises(Throttled) as caught:
            await pool.invoke(b"{}")
        assert caught.value.code == "TooManyRequestsException"
        assert caught.value.words == "Rate Exceeded."
        assert caught.value.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
        await asyncio.gather(*running)
        if reserved:
            await pool.invoke(b"{}")

    functions.run(functions.pool(ECHO, reserved_concurrency=reserved), body)


def test_a_caller_that_goes_away_leaves_the_queue_and_a_running_event_goes_on(functions: Any, tmp_path: Path) -> None:
    async def body(pool: Pool) -> Invocation:
        running = asyncio.ensure_future(pool.invoke(b'"running"'))
        waiting = asyncio.ensure_future(pool.invoke(b'"waiting"'))
        while not (tmp_path / "running").exists():
            await asyncio.sleep(0.01)
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        return await pool.invoke(b'"last"')

    pool = functions.pool(
        f"""
        import pathlib, time
        done = []
        def handler(event, context):
            (pathlib.Path({str(tmp_path)!r}) / event).write_text("")
            time.sleep(0.2)
            done.append(event)
            return done
        """,
        settings={"max_processes": 1},
    )

    assert document(functions.run(pool, body)) == ["running", "last"]


def test_closing_ends_what_runs_and_what_waits(functions: Any) -> None:
    async def body(pool: Pool) -> list[Any]:
        tasks = [asyncio.ensure_future(pool.invoke(b"{}")) for _ in range(4)]
        while pool.processes < 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        await pool.close()
        return await asyncio.gather(*tasks, return_exceptions=True)

    pool = functions.pool("import time\ndef handler(event, context):\n    time.sleep(60)\n",
                          timeout_s=60, settings={"max_processes": 2})  # fmt: skip

    results = functions.run(pool, body)

    assert all(isinstance(result, LocalError) for result in results)


def test_an_interpreter_that_does_not_start_fails_every_event_that_waits(functions: Any) -> None:
    async def body(pool: Pool) -> list[Any]:
        assert pool._spec is not None
        pool._spec = dataclasses.replace(pool._spec, command=("/no/such/python", "x"))
        return await asyncio.gather(*(pool.invoke(b"{}") for _ in range(8)), return_exceptions=True)

    results = functions.run(functions.pool(ECHO), body)

    assert [type(result) for result in results] == [LocalError] * 8
    assert "/no/such/python does not start" in results[0].problems[0].found


@pytest.mark.parametrize("left", [0, 1, 2])
def test_without_file_descriptors_left_events_fail_and_the_pool_recovers(functions: Any, left: int) -> None:
    async def body(pool: Pool) -> tuple[Any, Invocation]:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + left, hard))
        taken = []
        try:
            while True:
                try:
                    taken.append(os.dup(0))
                except OSError:
                    break
            for _ in range(left):
                os.close(taken.pop())
            failed = (await asyncio.gather(pool.invoke(b"{}"), return_exceptions=True))[0]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for descriptor in taken:
                os.close(descriptor)
        return failed, await pool.invoke(b"5")

    failed, good = functions.run(functions.pool(ECHO), body)

    assert isinstance(failed, LocalError)
    assert document(good) == 5


def test_nothing_is_left_when_the_tool_is_killed_with_kill_9(functions: Any, tmp_path: Path) -> None:
    functions.pool(
        f"""
        import os, pathlib, subprocess, time
        def handler(event, context):
            subprocess.Popen(["sleep", "600"], start_new_session=True)
            pathlib.Path({str(tmp_path / "ready")!r}).write_text("")
            time.sleep(600)
        """
    )
    script = tmp_path / "tool.py"
    script.write_text(
        f"""
import asyncio, importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("c", {str(Path(__file__).with_name("conftest.py"))!r})
c = importlib.util.module_from_spec(spec); spec.loader.exec_module(c)
f = c.Functions(pathlib.Path({str(tmp_path)!r}))
source = (f.folder / "task1/handler.py").read_text()
f.invoke(f.pool(source, timeout_s=600), b"1")
"""
    )
    tool = subprocess.Popen([sys.executable, str(script)])
    try:
        until = time.monotonic() + 20
        while not (tmp_path / "ready").exists() and time.monotonic() < until and tool.poll() is None:
            time.sleep(0.02)
        assert functions.living()
    finally:
        tool.kill()
        tool.wait()

    until = time.monotonic() + 10
    while functions.living() and time.monotonic() < until:
        time.sleep(0.02)
    assert functions.living() == []


def test_a_function_sees_the_cores_that_its_memory_buys(functions: Any) -> None:
    pool = functions.pool("import os\ndef handler(event, context):\n    return len(os.sched_getaffinity(0))\n")

    (invocation,) = functions.invoke(pool, b"{}")

    assert invocation.payload == b"1"  # of 1,024 MB
