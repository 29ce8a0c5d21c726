"""One operating system process that runs a function, with what it writes and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from bareboat.artifact.orphans import orphans
from bareboat.artifact.watchdog import kill_group
from bareboat.errors import LocalError

READ = 65_536
READS = 16  # in one go, so that a function that writes without end does not stop the rest
OPEN_FILES = 1024  # Lambda's limit
POLL_S = 0.02
ROOM_BYTES = 4 * 1024**3  # of stacks and arenas that are reserved and never touched
TELEMETRY = "_LAMBDA_TELEMETRY_LOG_FD"

if sys.platform == "win32":

    def _read_now(pipe: int) -> bytes:
        import _winapi
        import msvcrt

        waiting = _winapi.PeekNamedPipe(msvcrt.get_osfhandle(pipe))[0]
        if not waiting:
            raise BlockingIOError
        return os.read(pipe, min(waiting, READ))

else:

    def _read_now(pipe: int) -> bytes:
        return os.read(pipe, READ)


class Process:
    """A process in a session of its own, started by the constructor.

    stdin is empty; stdout, stderr and the client's log records come through one pipe, in the order they were written.

    Args:
        mark: text of the environment that no other process has; what leaves the process group is found by it.
        cores: those that it may use; none given is all of them.
        memory_bytes: what it may hold; 0 is no limit. Far above it, in address space, the kernel refuses it more.
        on_output: told of bytes as they come.
        on_exit: told once of the exit status, as subprocess has it.
    Raises:
        LocalError: the interpreter does not start.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        mark: str,
        on_output: Callable[[bytes], None],
        on_exit: Callable[[int], None],
        cores: Collection[int] = (),
        memory_bytes: int = 0,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_output = on_output
        self._on_exit = on_exit
        self._out, child = os.pipe()
        if os.name == "posix":
            os.set_blocking(self._out, False)
        posix = os.name == "posix"
        try:
            self._popen = subprocess.Popen(
                list(command),
                env={**env, TELEMETRY: str(child)} if posix else dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=child,
                stderr=child,
                pass_fds=(child,) if posix else (),
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._out)
            if not cwd.is_dir():
                raise LocalError(
                    "the function's unpacked files are gone", fix="start it again", where=str(cwd)
                ) from error
            raise LocalError(
                f"{command[0]} does not start: {error.strerror}", expected="a Python interpreter that runs"
            ) from error
        finally:
            os.close(child)
        self.pid = self._popen.pid
        self.ended = self._loop.create_future()
        orphans.add(self.pid, mark.encode())
        self._limit(cores, memory_bytes)
        self._watch()

    def _limit(self, cores: Collection[int], memory_bytes: int) -> None:
        if sys.platform == "linux":
            import resource

            with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
                resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
                resource.prlimit(self.pid, resource.RLIMIT_CORE, (0, 0))  # no core files in the task root
                if memory_bytes:
                    most = 2 * memory_bytes + ROOM_BYTES
                    resource.prlimit(self.pid, resource.RLIMIT_DATA, (most, most))
            with contextlib.suppress(OSError), open(f"/proc/{self.pid}/oom_score_adj", "wb") as file:  # noqa: PTH123
                file.write(b"1000")  # should the machine run out of memory, this goes before what the user works with
            if cores:
                with contextlib.suppress(OSError):  # it has ended, or those cores were taken from us meanwhile
                    os.sched_setaffinity(self.pid, cores)

    def _watch(self) -> None:
        self._pidfd = -1
        if sys.platform == "win32":
            self._poll_output()
        else:
            self._loop.add_reader(self._out, self.drain)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # a kernel before 5.3, or no descriptor left
                self._pidfd = os.pidfd_open(self.pid)
        if self._pidfd >= 0:
            self._loop.add_reader(self._pidfd, self._exited)
        else:
            threading.Thread(target=self._wait, daemon=True).start()

    def _poll_output(self) -> None:
        """Look for output now and then, where a pipe cannot be waited for."""
        self.drain()
        if self._out >= 0:
            self._loop.call_later(POLL_S, self._poll_output)

    def _wait(self) -> None:
        self._popen.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._exited)

    def _exited(self) -> None:
        if self.ended.done():
            return
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        if os.name == "posix":
            kill_group(self.pid)  # what it forked; before the wait, while the number is still its own
        status = self._popen.wait()
        self.drain()
        self.ended.set_result(status)
        self._on_exit(status)

    def is_running(self) -> bool:
        """Return whether the process has not ended, also when its end was not noticed yet."""
        if self.ended.done():
            return False
        if self._pidfd < 0:
            return self._popen.poll() is None
        return (
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None
        )  # the status stays to be read

    def drain(self) -> None:
        """Hand on what was written so far."""
        if self._out < 0:
            return
        for _ in range(READS):
            try:
                data = _read_now(self._out)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._close_pipe()
                return
            self._on_output(data)
            if len(data) < READ:  # the pipe is empty: no call to hear so
                return

    def _close_pipe(self) -> None:
        if self._out >= 0:
            if os.name == "posix":
                self._loop.remove_reader(self._out)
            os.close(self._out)
            self._out = -1

    def kill(self) -> None:
        """Kill the process and all that it started. `ended` follows."""
        if not self.ended.done():
            if os.name == "posix":
                kill_group(self.pid)
            else:
                self._popen.kill()

    def stop(self) -> None:
        """Stop it, and what it started in its group, until `go_on`."""
        if os.name == "posix" and not self.ended.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        if os.name == "posix" and not self.ended.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGCONT)

    def peak_memory_mb(self) -> int:
        """Return the most memory that it had resident so far, in whole MiB as Lambda counts; 0 where not known."""
        try:
            with open(f"/proc/{self.pid}/status", "rb") as file:  # noqa: PTH123 - once an invocation
                status = file.read()
        except OSError:
            return 0
        _, found, rest = status.partition(b"VmHWM:")
        return -(-int(rest.split(maxsplit=1)[0]) // 1024) if found else 0

    async def close(self) -> None:
        """Kill it, wait for its end, and for that of what it started."""
        self.kill()
        await self.ended
        self._close_pipe()
        await self._loop.run_in_executor(None, orphans.end, self.pid)
