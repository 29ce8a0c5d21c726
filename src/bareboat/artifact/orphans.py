"""Leaves no process behind: each process group that is started is on the watchdog's list until it is ended."""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

from bareboat.artifact.watchdog import kill_group, kill_marked

WATCHDOG = Path(__file__).with_name("watchdog.py")


class Orphans:
    """The list of running process groups, and the process that watches over them. One for the whole tool."""

    def __init__(self) -> None:
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._alive: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def add(self, group: int, mark: bytes) -> None:
        """Put a process group on the list.

        Args:
            mark: text of its environment that no other process has, such as `AWS_LAMBDA_LOG_STREAM_NAME=...`.
        """
        with self._lock:
            self._alive[group] = mark
            self._tell(b"+ %d %s\n" % (group, mark))

    def end(self, group: int) -> None:
        """Kill a group, and what left it, and take it off the list. Its leader must have been waited for."""
        kill_group(group)
        with self._lock:
            mark = self._alive.pop(group, b"")
            self._tell(b"- %d\n" % group)
        if mark:
            kill_marked({mark})

    def close(self) -> None:
        """End what is still on the list, then the watchdog: the tool is about to end."""
        for group in tuple(self._alive):
            self.end(group)
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None and os.getpid() == self._owner:
            assert watchdog.stdin is not None
            watchdog.kill()
            watchdog.wait()
            watchdog.stdin.close()

    def _tell(self, line: bytes) -> None:
        if os.name != "posix" or os.getpid() != self._owner:
            return
        if self._watchdog is None or self._watchdog.poll() is not None:
            self._start()
            line = b"".join(b"+ %d %s\n" % item for item in self._alive.items())
        assert self._watchdog is not None
        assert self._watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._watchdog.stdin.write(line)

    def _start(self) -> None:
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", str(WATCHDOG)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            cwd="/",
        )
        atexit.register(self.close)


orphans = Orphans()
