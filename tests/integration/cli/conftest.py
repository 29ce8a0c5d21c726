"""The command line as people meet it: a process of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

URL = re.compile(r"http://127\.0\.0\.1:\d+")


def entry_point() -> list[str]:
    """Return the installed `bareboat`, or `python -m bareboat` where the package is on the path and not installed."""
    script = Path(sys.executable).with_name("bareboat")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "bareboat"]


def processes() -> dict[int, tuple[int, str]]:
    """Return every process of this machine: pid -> its parent and its command line. Zombies are no processes."""
    found = {}
    if Path("/proc/self/stat").exists():
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue  # it has ended in the meantime
            if state != "Z":
                found[int(folder.name)] = (int(parent), command)
        return found
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        pid, parent, command = line.split(None, 2)
        found[int(pid)] = (int(parent), command)
    return found


class Shell:
    """A folder in which commands are typed.

    Args:
        folder: where they are typed.
        cache: the cache that all of a session's tests share.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        own = {key: value for key, value in os.environ.items() if not key.startswith("BAREBOAT_")}
        self.environment = {**own, "BAREBOAT_CACHE_DIR": str(cache), "COLUMNS": "200"}

    def type(
        self, *words: str, stdin: str | None = None, timeout_s: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Type `bareboat ...` and wait for its end."""
        return subprocess.run(
            [*entry_point(), *words],
            cwd=self.folder,
            env={**self.environment, **environment},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding=environment.get("PYTHONIOENCODING", "utf-8"),
            timeout=timeout_s,
            check=False,
        )

    @contextmanager
    def started(self, *words: str, **environment: str) -> Iterator[Running]:
        """Type `bareboat ...` and let it run; whatever still runs at the end is killed."""
        process = subprocess.Popen(
            [*entry_point(), *words],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        running = Running(process)
        try:
            yield running
        finally:
            running.kill()


class Running:
    """A command that stays up, what it has said so far, and the processes below it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.stdout = ""
        self.stderr = ""

    def wait_for(self, pattern: str, *, timeout_s: float = 90) -> str:
        """Read until stdout or stderr holds a pattern, and return what matched."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for text in (self.stdout, self.stderr):
                if found := re.search(pattern, text):
                    return found[0]
            if not self._read(until - time.monotonic()):
                break
        raise AssertionError(f"no {pattern!r} in:\n{self.stdout}\n--- stderr\n{self.stderr}")

    def end(self, number: signal.Signals, *, timeout_s: float = 30) -> int:
        """Send a signal, read to the end and return the exit code."""
        self.process.send_signal(number)
        until = time.monotonic() + timeout_s
        while self._read(until - time.monotonic()):
            pass
        return self.process.wait(timeout=max(0.1, until - time.monotonic()))

    def descendants(self) -> set[int]:
        """Return the processes below this one."""
        found: set[int] = set()
        queue = [self.process.pid]
        while queue:
            parent = queue.pop()
            below = {pid for pid, (its_parent, _) in processes().items() if its_parent == parent}
            found |= below
            queue += below
        return found

    def kill(self) -> None:
        """End it and everything below it, if that has not happened."""
        below = self.descendants()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for pid in below:
            if pid in processes():
                os.kill(pid, signal.SIGKILL)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _read(self, timeout_s: float) -> bool:
        """Read what there is; False at the end of both streams or of the time."""
        streams = {
            stream.fileno(): name
            for name in ("stdout", "stderr")
            if (stream := getattr(self.process, name)) is not None and not stream.closed
        }
        if not streams:
            return False
        ready, _, _ = select.select(list(streams), [], [], max(0.0, timeout_s))
        for fileno in ready:
            data = os.read(fileno, 65_536)
            name = streams[fileno]
            if data:
                setattr(self, name, getattr(self, name) + data.decode("utf-8", "replace"))
            else:
                getattr(self.process, name).close()
        return bool(ready)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests of the session, apart from the user's own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shell(tmp_path: Path, cache: Path) -> Shell:
    """An empty folder to type commands in."""
    return Shell(tmp_path, cache)


@pytest.fixture
def running_now() -> Callable[[], dict[int, tuple[int, str]]]:
    """Return what lists the processes of this machine."""
    return processes
