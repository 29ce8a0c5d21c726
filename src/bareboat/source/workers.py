"""Many files -> their answers, worked out by several processes.

The workers are started as programs, not by `multiprocessing`: they need nothing of the caller's `__main__`, and a file
on which Python itself dies costs one worker and not the run.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

_WORTH_BYTES = 400_000  # of source, before another process pays for its start (0.1 s)
_MOST = 8
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from bareboat.source.workers import serve; serve()"


def answers(jobs: Sequence[tuple[str, tuple[Any, ...]]], size_bytes: int) -> Iterator[Any]:
    """Call `tasks.NAME(*arguments)` for each job and yield what it returns, in order.

    Args:
        jobs: (name, arguments); both the arguments and the answers are small or bytes.
        size_bytes: about how much source there is.
    """
    n_workers = min(_MOST, _processors(), size_bytes // _WORTH_BYTES + 1, len(jobs))
    if n_workers < 2 or not sys.executable:
        from bareboat.source import tasks

        for name, arguments in jobs:
            yield getattr(tasks, name)(*arguments)
        return
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for _ in range(n_workers):
        idle.put(_Worker())
    try:
        with ThreadPoolExecutor(n_workers) as threads:
            yield from threads.map(lambda job: _asked(idle, job), jobs)
    finally:
        while True:
            try:
                idle.get_nowait().stop()
            except Empty:
                break


def _asked(idle: SimpleQueue[_Worker], job: tuple[str, tuple[Any, ...]]) -> Any:
    worker = idle.get()
    try:
        return worker.ask(job)
    except (EOFError, OSError, pickle.UnpicklingError):
        worker.stop()
        worker = _Worker()
        return None
    finally:
        idle.put(worker)


class _Worker:
    """A process that answers one job at a time."""

    def __init__(self) -> None:
        import bareboat

        root = str(Path(bareboat.__file__).parent.parent)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _PROGRAM, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, job: tuple[str, tuple[Any, ...]]) -> Any:
        """Return the answer.

        Raises:
            EOFError, OSError: the process is gone.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _send(self._process.stdin, job)
        return pickle.load(self._process.stdout)  # noqa: S301 - from our own child

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def _send(file: IO[bytes], value: Any) -> None:
    pickle.dump(value, file)
    file.flush()


def serve() -> None:
    """Answer jobs from stdin on stdout until stdin ends."""
    import gc

    from bareboat.source import tasks

    gc.disable()  # syntax trees are large and hold no circles: looking for circles costs half as much again
    jobs, out = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            name, arguments = pickle.load(jobs)  # noqa: S301 - from our own parent
        except (EOFError, KeyboardInterrupt):
            return
        try:
            _send(out, getattr(tasks, name)(*arguments))
        except (BrokenPipeError, KeyboardInterrupt):
            return


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
