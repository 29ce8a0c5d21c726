"""What a process of its own shows: what it imports, and how it meets pipes, encodings and signals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bareboat.cli.client import measure
from bareboat.errors import LocalError

HEAVY = {"rich", "yaml", "msgspec", "asyncio", "httptools", "elftools", "http.client", "json", "subprocess", "logging"}
SERVICE = """\
service: shop
provider: {name: aws, runtime: python3.13}
functions:
  go:
    handler: handler.go
    environment: {GREETING: für ❤}
"""


def modules_after(shell, *words: str) -> set[str]:
    """What a command has imported when it ends."""
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from bareboat.cli import main\n"
        f"main({list(words)!r})\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=shell.folder,
        env=shell.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return set(result.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("check", "--help"), ("demo", "--help")], ids=" ".join)
def test_help_imports_nothing_heavy(shell, words):
    assert not HEAVY & modules_after(shell, *words)


def test_a_command_imports_no_other_command(shell):
    modules = {name for name in modules_after(shell, "check") if name.startswith("bareboat.cli.commands.")}

    assert modules == {"bareboat.cli.commands.check"}


def test_python_m_bareboat_is_bareboat(shell):
    result = subprocess.run(
        [sys.executable, "-m", "bareboat", "pakcage"], cwd=shell.folder, capture_output=True, text=True, check=False
    )

    assert result.returncode == 2
    assert result.stderr == "error: bareboat has no command 'pakcage'\n  fix       bareboat package\n"


def test_ctrl_c_while_the_modules_are_read_is_no_traceback(shell):
    program = (
        "import os, signal, sys\n"
        "class CtrlC:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, CtrlC())\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from bareboat.cli import main\n"
        "main(['check'])\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], cwd=shell.folder, capture_output=True, text=True, check=False, timeout=60
    )

    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")


@pytest.fixture
def service(shell):
    (shell.folder / "serverless.yml").write_text(SERVICE)
    (shell.folder / "handler.py").write_text("def go(event, context):\n    return 1\n")
    return shell


def test_a_reader_that_leaves_is_no_traceback(service):
    command = f'"{sys.executable}" -m bareboat check | head -n 1'

    result = subprocess.run(
        command, shell=True, cwd=service.folder, env=service.environment, capture_output=True, text=True, check=False
    )

    assert result.stdout.startswith("setting ")
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


def test_a_reader_that_has_left_before_is_no_traceback(service):
    reading, writing = os.pipe()
    os.close(reading)

    result = subprocess.run(
        [sys.executable, "-m", "bareboat", "check"],
        cwd=service.folder,
        env=service.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [("check >&-", 0), ("check --json >&-", 0), ("check 2>&-", 0), ("invoke local --path - --raw <&-", 1)],
)
def test_a_stream_that_is_closed_is_no_traceback(service, command, code):
    (service.folder / "handler.py").write_text("def go(event, context):\n    raise ValueError(event)\n")

    result = subprocess.run(
        f'"{sys.executable}" -m bareboat {command}',
        shell=True,
        cwd=service.folder,
        env=service.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == code
    assert "in main" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["check", "check --json", "invoke local"])
def test_a_full_disk_is_told(service, command):
    result = subprocess.run(
        f'"{sys.executable}" -m bareboat {command} >/dev/full </dev/null',
        shell=True,
        cwd=service.folder,
        env=service.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert "error: the result cannot be written to stdout: No space left on device\n" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_is_not_utf8_gets_escapes(service, encoding):
    shown = service.type("check", PYTHONIOENCODING=encoding)
    document = service.type("check", "--json", PYTHONIOENCODING=encoding)

    assert (shown.returncode, document.returncode) == (0, 0)
    assert "\\u2764" in shown.stdout
    assert "für ❤" in [value["value"] for value in json.loads(document.stdout)["values"]]


def test_verbose_logs_to_stderr_and_leaves_stdout_alone(service):
    plain, logged = service.type("check", "--json"), service.type("check", "--json", "-vv")

    assert logged.returncode == 0
    assert logged.stdout == plain.stdout
    assert "INFO    bareboat.cli: read " in logged.stderr
    assert "INFO" not in plain.stderr


def test_nothing_is_coloured_off_a_terminal(service):
    (service.folder / "serverless.yml").write_text(SERVICE.replace("memory", "memroy") + "    memroySize: 1\n")

    assert "\x1b" not in service.type("check").stderr


def test_commands_work_from_another_folder(service, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    folder, service.folder = service.folder, elsewhere

    result = service.type("check", "--config", str(folder / "serverless.yml"), "--json")

    assert Path(json.loads(result.stdout)["path"]) == folder / "serverless.yml"


class Broken(BaseHTTPRequestHandler):
    """A function that fails each time."""

    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.send_response(500)
        self.end_headers()
        self.wfile.write(b"no")

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def broken() -> Iterator[str]:
    """The URL of a server that answers 500."""
    Broken.asked = 0
    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_the_demo_asks_a_function_that_fails_only_once(broken):
    with pytest.raises(LocalError, match="the answer was 500 no"):
        measure(broken, "{}", requests=200)

    assert Broken.asked == 1
