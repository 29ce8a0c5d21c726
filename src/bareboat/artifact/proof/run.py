"""A laid-out folder, a handler and events -> what it answered, from a process of its own that is bounded and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from bareboat.artifact.orphans import orphans
from bareboat.artifact.watchdog import kill_group
from bareboat.errors import PackagingError
from bareboat.packaging.cache import cannot_write
from bareboat.packaging.lambda_image import TASK_ROOT

CHILD = Path(__file__).with_name("child.py")
MARK = "BAREBOAT_PROOF"
_POLL_S = 0.01
_MEMORY_POLL_S = 0.05
_OUTPUT_BYTES = 20_000_000
_OPEN_FILES = 1024  # Lambda's limit


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may take: more than Lambda gives, since this machine may be slow or busy.

    Args:
        init_s: until the handler is imported.
        event_s: for each event.
    """

    init_s: float = 60.0
    event_s: float = 60.0
    memory_mb: int = 3000


@dataclass(frozen=True, slots=True)
class Task:
    """What to run.

    Args:
        command: the interpreter and its arguments.
        handler: `package/module.function`.
        events: each as JSON.
        env: all variables but the scratch folders and the mark.
        path: folders behind the task root on sys.path.
        opt: the folder of the layers; "" without.
        timeout_s: what the handler is told that it has.
    """

    command: tuple[str, ...]
    handler: str
    events: tuple[str, ...]
    env: Mapping[str, str]
    path: tuple[str, ...]
    opt: str
    timeout_s: float
    limits: Limits


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step gave no answer.

    Args:
        said: a line: `KeyError: 'body' (handler.py:3)`, `it ended with exit status 1`.
        log: the end of what was printed, and the traceback.
        expired: it took longer than it may.
    """

    said: str
    log: str = ""
    expired: bool = False


Answer = str | Failure


@dataclass(frozen=True, slots=True)
class Report:
    """What a run gave.

    Args:
        imported: None, or why the handler could not be imported.
        answers: JSON, or a failure; one for each event, when the handler was imported.
        used, listed: paths in the task root that were opened, imported or loaded, and folders whose names were read.
    """

    imported: Failure | None
    answers: tuple[Answer, ...] = ()
    used: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return everything that went wrong."""
        found = () if self.imported is None else (self.imported,)
        return (*found, *(answer for answer in self.answers if isinstance(answer, Failure)))


class Runs:
    """Runs tasks, any number at once, and ends all that is still running when it is closed.

    Args:
        scratch: a folder for what the runs write.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self.count = 0

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def threads(self, workers: int) -> Iterator[ThreadPoolExecutor]:
        """Yield threads to run tasks in, which an interruption does not wait for: it ends the runs."""
        with ThreadPoolExecutor(workers) as pool:
            try:
                yield pool
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """End what is running; nothing runs any more from now on."""
        with self._lock:
            self._closed = True
            running = list(self._running.values())
        for process in running:
            _kill(process)

    def run(self, task: Task, folder: Path, *, trace: bool = False) -> Report:
        """Import the handler in `folder`, hand it the events one after the other, and end the process.

        Raises:
            PackagingError: the interpreter does not start, the disk is full, or the runs were closed.
        """
        home = self._scratch / f"run-{uuid.uuid4().hex[:8]}"
        try:
            for name in ("home", "tmp"):
                (home / name).mkdir(parents=True)
            process = self._start(task, folder, home, trace=trace)
        except OSError as error:
            raise cannot_write(home, error) from error
        watch = _Watch(process, home, task.limits)
        try:
            ending = watch.wait()
        finally:
            self._end(process)
        if self._closed:
            raise PackagingError("the proof was interrupted")
        return _report(watch.lines(), ending, watch.log(), len(task.events))

    def _start(self, task: Task, folder: Path, home: Path, *, trace: bool) -> subprocess.Popen[bytes]:
        mark = uuid.uuid4().hex
        env = {
            **task.env,
            MARK: mark,
            "HOME": str(home / "home"),
            "TMPDIR": str(home / "tmp"),
            "LAMBDA_TASK_ROOT": str(folder),
            "PWD": str(folder),
            "LD_LIBRARY_PATH": task.env.get("LD_LIBRARY_PATH", "").replace(TASK_ROOT, str(folder)),
        }
        if sys.platform == "win32":
            env |= {name: str(home / "tmp") for name in ("TEMP", "TMP")} | {"USERPROFILE": str(home / "home")}
        document = {
            "handler": task.handler,
            "events": task.events,
            "path": task.path,
            "read_only": [task.opt, *task.path],
            "seconds": task.timeout_s,
            "trace": trace,
            "names": [[str(home / "home"), "/home"], [str(home / "tmp"), "/tmp"], [mark, "mark"]]  # noqa: S108
            + ([[task.opt, "/opt"]] if task.opt else []),
        }
        with (home / "log").open("wb") as log, self._lock:
            if self._closed:
                raise PackagingError("the proof was interrupted")
            self.count += 1
            process = subprocess.Popen(
                [*task.command, str(CHILD), str(home / "report")],
                env=env,
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._running[process.pid] = process
        if os.name == "posix":
            orphans.add(process.pid, f"{MARK}={mark}".encode())
        _limit(process.pid)
        _feed(process, json.dumps(document).encode())
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.pop(process.pid, None)
        _kill(process)
        process.wait()
        if os.name == "posix":
            orphans.end(process.pid)


class _Watch:
    """Waits for a process within its limits."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path, limits: Limits) -> None:
        self._process = process
        self._home = home
        self._limits = limits
        self._read = 0
        self._steps = 0
        self._deadline = perf_counter() + limits.init_s
        self._looked = perf_counter()

    def wait(self) -> Failure | None:
        """Return None at the end of the process, or why it was or must be killed."""
        while True:
            try:
                status = self._process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                failure = self._look()
                if failure is not None:
                    return failure
            else:
                return self._failure(_ending(status)) if status else None

    def _look(self) -> Failure | None:
        now = perf_counter()
        if now - self._looked < _MEMORY_POLL_S:
            return None
        self._looked = now
        steps = self._count_steps()
        if steps > self._steps:
            self._steps = steps
            self._deadline = now + self._limits.event_s
        if now > self._deadline:
            allowed = self._limits.event_s if self._steps else self._limits.init_s
            return self._failure(f"it did not end within {allowed:g} s", expired=True)
        memory_mb = _memory_mb(self._process.pid)
        if memory_mb > self._limits.memory_mb:
            return self._failure(f"it took more than {self._limits.memory_mb:,} MB of memory")
        if _size(self._home / "log") > _OUTPUT_BYTES:
            return self._failure(f"it printed more than {_OUTPUT_BYTES / 1e6:g} MB")
        return None

    def _failure(self, said: str, *, expired: bool = False) -> Failure:
        """Return a failure with the last line that was printed, which mostly tells more than an exit status."""
        log = self.log()
        last = log.rpartition("\n")[2].strip()
        return Failure(f"{said}, having printed: {last[:200]}" if last else said, log, expired=expired)

    def _count_steps(self) -> int:
        """Count the lines that have come, each a step that is done."""
        try:
            with (self._home / "report").open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except OSError:
            return self._steps
        self._read += len(data)
        return self._steps + data.count(b"\n")

    def lines(self) -> list[dict[str, Any]]:
        """Return the steps that were done; a line that was cut off is none."""
        try:
            data = (self._home / "report").read_bytes()
        except OSError:
            return []
        found = []
        for line in data.split(b"\n")[:-1]:
            try:
                found.append(json.loads(line))
            except ValueError:
                break
        return found

    def log(self) -> str:
        """Return the end of what was printed."""
        try:
            with (self._home / "log").open("rb") as file:
                file.seek(max(0, _size(self._home / "log") - 2000))
                return file.read().decode("utf-8", "replace").strip()
        except OSError:
            return ""


def _report(lines: Sequence[Mapping[str, Any]], ending: Failure | None, log: str, events: int) -> Report:
    """Put together steps and ending; what comes after an abnormal ending failed as it did."""
    steps: list[Answer] = [_step(line, log) for line in lines if "used" not in line]
    traced = next((line for line in lines if "used" in line), {})
    missing = ending or Failure("it ended without an answer", log)
    first = steps[0] if steps else missing
    if isinstance(first, Failure):
        return Report(first)
    answers = steps[1 : events + 1]
    answers += [missing] * (events - len(answers))
    return Report(None, tuple(answers), frozenset(traced.get("used", ())), frozenset(traced.get("listed", ())))


def _step(line: Mapping[str, Any], log: str) -> Answer:
    if "error" in line:
        kind, text, place, trace = line["error"]
        said = f"{kind}: {text.splitlines()[0][:300]}" if text else kind
        return Failure(said + (f" ({place.removeprefix(TASK_ROOT + '/')})" if place else ""), f"{trace}{log}")
    return str(line.get("answer", ""))


def _ending(status: int) -> str:
    if status >= 0:
        return f"it ended with exit status {status}"
    try:
        return f"it was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was ended by signal {-status}"


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Hand over the task; a process that has ended already tells by its status."""
    assert process.stdin is not None
    try:
        process.stdin.write(data)
        process.stdin.close()
    except OSError:
        pass


def _limit(pid: int) -> None:
    if sys.platform == "linux":
        import resource

        try:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
            resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        except (ProcessLookupError, PermissionError, ValueError):
            pass


def _kill(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        if process.returncode is None:
            kill_group(process.pid)
    elif process.poll() is None:
        process.kill()


def _memory_mb(pid: int) -> int:
    """Return what a process has resident; 0 where that is not known."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123 - often
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000
    except (OSError, IndexError, ValueError):
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
