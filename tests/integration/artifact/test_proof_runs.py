"""One handler in a process of its own: whatever it does ends in a clear report, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bareboat.artifact.proof.run import Failure, Limits, Report, Runs, Task
from bareboat.errors import PackagingError
from bareboat.packaging.interpreters import find_python, running_python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups")

LIMITS = Limits(init_s=20, event_s=20, memory_mb=2000)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Runs(tmp_path) as made:
        yield made


Answer = Callable[..., Report]


def task(*events: str, limits: Limits = LIMITS, python: str = "", **env: str) -> Task:
    interpreter = find_python(python) if python else running_python()
    assert interpreter is not None
    command = (str(interpreter.path), "-S", "-B")
    return Task(command, "handler.predict", events or ("{}",), {"PATH": os.defpath, **env}, (), "", 3.0, limits)


@pytest.fixture
def answer(runs: Runs, tmp_path: Path) -> Answer:
    """Write a handler and run it."""

    def run(code: str, *events: str, trace: bool = False, limits: Limits = LIMITS, python: str = "") -> Report:
        folder = tmp_path / "task"
        folder.mkdir(exist_ok=True)
        (folder / "handler.py").write_text(code)
        return runs.run(task(*events, limits=limits, python=python), folder, trace=trace)

    return run


def said(report: Report) -> str:
    (failure,) = report.failures
    return failure.said


def test_answers_come_as_lambda_sends_them(answer: Answer) -> None:
    code = (
        "import decimal\ndef predict(event, context):\n"
        "    left = context.get_remaining_time_in_millis() > 0\n"
        "    return {'event': event, 'id': context.aws_request_id[-1], 'left': left,"
        " 'pair': (1, float('nan')), 'd': decimal.Decimal('1.50')}\n"
    )

    report = answer(code, '{"a": 1}', '"x"')

    rest = '"left": true, "pair": [1, NaN], "d": "decimal 1.50"}'
    assert report.answers == ('{"event": {"a": 1}, "id": "0", ' + rest, '{"event": "x", "id": "1", ' + rest)


def test_paths_and_secrets_of_this_machine_are_not_seen(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    code = (
        "import os, tempfile\nhere = __file__\ndef predict(event, context):\n"
        "    return [here, os.path.expanduser('~'), tempfile.gettempdir(), 'AWS_ACCESS_KEY_ID' in os.environ]\n"
    )

    assert answer(code).answers == ('["/var/task/handler.py", "/home", "/tmp", false]',)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere' (handler.py:1)"),
        ("x = 1\n", "AttributeError: module 'handler' has no attribute 'predict'"),
        ("def predict(event, context):\n", "IndentationError: expected an indented block"),
        ("raise SystemExit(3)\n", "SystemExit: 3 (handler.py:1)"),
        ("import os\nos._exit(3)\n", "it ended with exit status 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "it was ended by SIGSEGV"),
        ("import time\ntime.sleep(60)\n", "it did not end within 1 s"),
        ("x = bytearray(900_000_000)\nimport time\ntime.sleep(60)\n", "it took more than 500 MB of memory"),
        ("while True: print('x' * 100_000)\n", "it printed more than 20 MB"),
    ],
)
def test_a_handler_that_cannot_be_imported_says_why(answer: Answer, code: str, expected: str) -> None:
    hanging = "sleep" in code and "bytearray" not in code
    report = answer(code, limits=Limits(init_s=1 if hanging else 30, memory_mb=500))

    assert report.imported is not None
    assert said(report).startswith(expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return event['body']", "KeyError: 'body' (handler.py:2)"),
        ("return predict(event, context)", "RecursionError: maximum recursion depth exceeded"),
        ("return {1, 2}", "TypeError: Object of type set is not JSON serializable"),
        ("x = []; x.append(x); return x", "ValueError: Circular reference detected"),
        ("import os; os._exit(0)", "it ended without an answer"),
        ("import os; os._exit(1)", "it ended with exit status 1"),
        ("import sys; sys.exit('no')", "SystemExit: no (handler.py:2)"),
        ("import time; time.sleep(60)", "it did not end within 1 s"),
    ],
)
def test_an_event_that_is_not_answered_says_why(answer: Answer, body: str, expected: str) -> None:
    report = answer(f"def predict(event, context):\n    {body}\n", limits=Limits(event_s=1))

    assert report.imported is None
    assert said(report).startswith(expected)


def test_the_events_after_one_that_fails_are_answered(answer: Answer) -> None:
    report = answer("def predict(event, context): return 1 / event\n", "1", "0", "2")

    first, second, third = report.answers
    assert (first, third) == ("1.0", "0.5")
    assert isinstance(second, Failure)
    assert second.said == "ZeroDivisionError: division by zero (handler.py:1)"


def test_what_it_prints_is_kept_for_the_message_and_disturbs_no_answer(answer: Answer) -> None:
    code = "import sys\nprint('hello')\nsys.stdout.close()\ndef predict(event, context): raise ValueError('no')\n"

    (failure,) = answer(code).failures

    assert "hello" in failure.log


def test_threads_and_what_was_started_end_with_it(answer: Answer, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import subprocess, sys, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
        "def predict(event, context): return 1\n"
    )

    report = answer(code)

    assert report.answers == ("1",)
    if sys.platform == "linux":
        assert _ends(int(note.read_text()))


def _ends(pid: int) -> bool:
    latest = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < latest:
        time.sleep(0.02)
    return not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_closing_ends_what_runs(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    started = tmp_path / "started"  # beside the task's folder, which nothing can write to
    (folder / "handler.py").write_text(f"open({str(started)!r}, 'w').close()\nimport time\ntime.sleep(60)\n")
    raised: list[BaseException] = []

    def run(runs: Runs) -> None:
        try:
            runs.run(task(), folder)
        except PackagingError as error:
            raised.append(error)

    with Runs(tmp_path) as runs:
        thread = threading.Thread(target=run, args=(runs,))
        thread.start()
        while not started.exists():
            assert thread.is_alive(), raised
            time.sleep(0.01)
    thread.join(10)

    assert not thread.is_alive()
    assert len(raised) == 1


def test_a_trace_knows_what_was_imported_opened_loaded_and_listed(answer: Answer, tmp_path: Path) -> None:
    home = tmp_path / "task" / "own"
    (home / "data").mkdir(parents=True)
    for name in ("__init__.py", "lazy.py", "never.py", "data/a.txt", "data/b.txt"):
        (home / name).write_text("")
    code = (
        "import os, own\ndef predict(event, context):\n"
        "    import own.lazy\n    open('own/data/a.txt').close()\n    return len(os.listdir('own/data'))\n"
    )

    report = answer(code, trace=True)

    assert {"handler.py", "own/__init__.py", "own/lazy.py", "own/data/a.txt"} <= report.used
    assert not {"own/never.py", "own/data/b.txt"} & report.used
    assert report.listed == {"own/data"}


@pytest.mark.parametrize("python", ["3.8", "3.10", "3.14"])
def test_it_runs_on_every_python(answer: Answer, python: str) -> None:
    if find_python(python) is None:
        pytest.skip(f"Python {python} is not installed here")

    report = answer("def predict(event, context): return event\n", '{"a": [1.5]}', trace=True, python=python)

    assert report.answers == ('{"a": [1.5]}',)
    assert "handler.py" in report.used


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_runs_on_when_the_tool_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "task"
    folder.mkdir()
    part, ready = tmp_path / "part", tmp_path / "pid"  # beside the task's folder, which nothing can write to
    (folder / "handler.py").write_text(
        f"import os, time\nopen({str(part)!r}, 'w').write(str(os.getpid()))\n"
        f"os.rename({str(part)!r}, {str(ready)!r})\ntime.sleep(60)\n"
    )
    code = (
        "import pathlib, signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"  # as the command line has it
        "from bareboat.artifact.proof.run import Limits, Runs, Task\n"
        "home = pathlib.Path(sys.argv[1])\n"
        "with Runs(home) as runs:\n"
        "    task = Task((sys.executable, '-S', '-B'), 'handler.predict', ('1',), {}, (), '', 3.0, Limits())\n"
        "    runs.run(task, home / 'task')\n"
    )
    tool = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.DEVNULL)
    while not ready.exists():
        assert tool.poll() is None, "it ended before the handler ran"
        time.sleep(0.01)
    pid = int(ready.read_text())

    tool.send_signal(number)
    tool.wait(20)

    assert _ends(pid)
