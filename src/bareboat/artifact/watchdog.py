"""Ends what a dead tool left behind: `python -I -S watchdog.py`, a process of its own; stdin tells it what there is.

Lines are `+ <process group> <mark>` and `- <process group>`. When stdin ends, the tool is gone, be it by kill -9: every
group still on the list is killed, and with it every process whose environment holds its mark. Stdlib only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

__all__ = ["kill_group", "kill_marked"]


def kill_group(group: int) -> None:
    """Kill every process of a process group; none left is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_marked(marks: set[bytes]) -> None:
    """Kill the processes that carry one of the marks in their environment: those that left the group (Linux only)."""
    if not marks:
        return
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - pathlib is slow to import
    except OSError:
        return
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:  # noqa: PTH123 - pathlib is slow to import
                environment = file.read()
        except OSError:
            continue
        if any(mark in environment for mark in marks):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(name), signal.SIGKILL)


def main() -> None:
    """Read the list until the tool is gone, then end what is on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    alive: dict[int, bytes] = {}
    for line in sys.stdin.buffer:
        verb, group, *mark = line.split()
        if verb == b"+":
            alive[int(group)] = mark[0]
        else:
            alive.pop(int(group), None)
    for group in alive:
        kill_group(group)
    kill_marked(set(alive.values()))


if __name__ == "__main__":
    main()
