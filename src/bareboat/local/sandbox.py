"""One execution environment: a process and its Runtime API, from init to the end, one event at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from bareboat.artifact.environment import log_stream
from bareboat.errors import LocalError
from bareboat.local import faults, ids
from bareboat.local.invocation import Invocation
from bareboat.local.logs import LogBuffer
from bareboat.local.outcome import UNHANDLED, Outcome
from bareboat.local.process import Process
from bareboat.local.runtime_api import RuntimeApi
from bareboat.local.spec import Spec

MIB = 1_048_576
TOO_LARGE = "error\tError Type: Function.ResponseSizeTooLarge"


class Job:
    """One invocation on its way.

    Args:
        on_end: called once when it is over, even if nobody waits for it any more.
        qualifier: what the invocation asked for, such as `$LATEST`; "" for nothing.
    Attributes:
        at: when it was asked for, in seconds since 1970.
        started: when a sandbox, or its init inside the invocation, began with it.
    """

    __slots__ = (
        "_on_end", "at", "client_context", "event", "future", "generation", "qualifier", "queued", "request_id",
        "source", "started", "trace_id",
    )  # fmt: skip

    def __init__(
        self,
        event: bytes,
        request_id: str,
        trace_id: str,
        client_context: str,
        on_end: Callable[[], None],
        qualifier: str = "",
        *,
        source: str = "invoke",
        generation: int = 1,
    ) -> None:
        self.event = event
        self.request_id = request_id
        self.trace_id = trace_id
        self.client_context = client_context
        self.qualifier = qualifier
        self.source = source
        self.generation = generation
        self.at = time.time()
        self.future: asyncio.Future[Invocation] = asyncio.get_running_loop().create_future()
        self.queued = 0.0
        self.started: float | None = None
        self._on_end = on_end

    def end(self, result: Invocation | Exception) -> None:
        """Hand the result to who waits for it."""
        self._on_end()
        if self.future.done():  # the caller went away
            return
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


@dataclass(frozen=True, slots=True)
class InitFailure:
    """An init phase that did not end in readiness.

    Args:
        kind: "error" (the client said why), "exit" or "timeout".
        payload: of the error that the client posted.
        status: of the exit.
    """

    kind: str
    payload: bytes = b""
    status: int = 0
    log: str = ""
    took_ms: float = 0.0
    memory_mb: int = 0


class Sandbox:
    """The state of one process: init, idle, busy, answered (until it asks for the next event), dead.

    Args:
        on_idle: told when it can take an event again; not after init, whose end `start` returns.
        on_gone: told when its process has ended after init.
    """

    def __init__(self, spec: Spec, *, on_idle: Callable[[Sandbox], None], on_gone: Callable[[Sandbox], None]) -> None:
        self._spec = spec
        self._on_idle = on_idle
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._api = RuntimeApi(self)
        self._logs = LogBuffer()
        self._process: Process | None = None
        self._job: Job | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._init: asyncio.Future[InitFailure | None] = self._loop.create_future()
        self._init_ms: float | None = None  # until the first invocation has reported it
        self._init_log = ""
        self._deadline = 0.0
        self._memory_mb = 0
        self._memory_at = 0.0
        self._asks = False  # for an event, at this moment
        self._has_worked = True
        self._outgrown = False
        self.phase = "init"
        self.rest = ""  # for the freezer

    async def start(self, timeout_s: float) -> InitFailure | None:
        """Start the process and wait until it asks for an event; return why it does not.

        Raises:
            LocalError: the interpreter does not start.
        """
        address = await self._api.start()
        if self.phase == "dead":  # closed meanwhile
            await self._api.close()
            raise LocalError(f"{self._spec.name} was stopped before it started")
        stream = log_stream()
        began = perf_counter()
        self._process = Process(
            self._spec.command,
            env={
                **self._spec.env,
                "AWS_LAMBDA_RUNTIME_API": address,
                "AWS_LAMBDA_LOG_STREAM_NAME": stream,
                "_X_AMZN_TRACE_ID": ids.trace_id(),
            },
            cwd=self._spec.folder,
            mark=f"AWS_LAMBDA_LOG_STREAM_NAME={stream}",
            on_output=self._logs.feed,
            on_exit=self._exited,
            cores=self._spec.cores.deal() if self._spec.cores else (),
            memory_bytes=self._spec.memory_mb * MIB,
        )
        await asyncio.wait({self._init}, timeout=timeout_s)
        took_ms = (perf_counter() - began) * 1000
        failure = self._init.result() if self._init.done() else InitFailure("timeout")
        self._process.drain()
        if failure is None:
            self._init_ms = took_ms
            self._measure()
            self._init_log = self._logs.take()
            return None
        memory_mb = self._measure()
        self.phase = "dead"
        self._process.kill()
        return InitFailure(failure.kind, failure.payload, failure.status, self._logs.take(), took_ms, memory_mb)

    def run(self, job: Job) -> bool:
        """Hand over an event, and return True; or False when the process turns out to have ended while idle."""
        assert self.phase == "idle"
        assert self._process is not None
        if not self._asks and not self._process.is_running():  # what has just asked lives: no call to hear so
            return False
        if self.rest:
            if self.rest == "frozen":
                self._process.go_on()
            self.rest = ""
        self._has_worked = True
        inside = job.started is not None  # the init was part of this invocation
        now = perf_counter()
        if job.started is None:
            job.started = now
        else:
            self._init_ms = None
        left_s = max(self._spec.timeout_s - (now - job.started), 0.0)
        self._job = job
        self.phase = "busy"
        self._deadline = now + left_s
        if self._timer is None:
            self._timer = self._loop.call_later(left_s, self._look_at_the_clock)
        headers = [
            ("Lambda-Runtime-Deadline-Ms", str(int((time.time() + left_s) * 1000))),
            (
                "Lambda-Runtime-Invoked-Function-Arn",
                f"{self._spec.arn}:{job.qualifier}" if job.qualifier else self._spec.arn,
            ),
            ("Lambda-Runtime-Trace-Id", job.trace_id),
        ]
        if job.client_context:
            headers.append(("Lambda-Runtime-Client-Context", job.client_context))
        if inside:
            self._init_log = ""
        self._api.send(job.request_id, tuple(headers), job.event)
        return True

    # Between events, and how much memory it has

    def freeze(self) -> None:
        """Stop the processes until the next event."""
        if self._process is not None and self.phase == "idle":
            self._process.stop()
            self.rest = "frozen"

    def worker(self) -> int:
        """Return the process's number when it has worked since this was last asked; else 0."""
        if self._process is None or self.phase == "dead" or not self._has_worked:
            return 0
        self._has_worked = self.phase != "idle"
        return self._process.pid

    def outgrow(self) -> None:
        """End what holds more memory than the function has: the exit by a signal follows, as on Lambda."""
        assert self._process is not None
        self._outgrown = True
        self._memory_mb = self._spec.memory_mb
        self._process.kill()

    # What the runtime says

    def ready(self) -> None:
        """Hear that the runtime asks for an event."""
        if self.phase == "init":
            self.phase = "idle"
            self._init.set_result(None)
        elif self.phase == "answered":
            self.phase = "idle"
            self._asks = True
            self._on_idle(self)
            self._asks = False

    def init_failed(self, payload: bytes) -> None:
        """Hear that the handler could not be imported."""
        if not self._init.done():
            self._init.set_result(InitFailure("error", payload))

    def answered(self, payload: bytes, *, failed: bool, peak_memory_bytes: int) -> None:
        """Hear the response or the error document."""
        if peak_memory_bytes:
            self._memory_mb = max(self._memory_mb, -(-peak_memory_bytes // MIB))
        self._finish(payload, UNHANDLED if failed else "")

    def overflowed(self) -> None:
        """Hear that the response was too large. The client ends when it is told so; then comes `_exited`."""
        self._finish(faults.too_large(), UNHANDLED, status=TOO_LARGE)

    # What befalls the process

    def _look_at_the_clock(self) -> None:
        """Time out, or look again later: one timer serves many short invocations."""
        self._timer = None
        if self.phase not in {"busy", "answered"}:
            return
        left_s = self._deadline - perf_counter()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look_at_the_clock)
        else:
            self._timed_out()

    def _timed_out(self) -> None:
        assert self._process is not None
        self._measure(fresh=True)
        self._process.kill()
        if self.phase == "busy":  # else it answered and does not ask for the next event
            self._finish(timed_out=True)
        self.phase = "dead"
        self._on_gone(self)

    def _exited(self, status: int) -> None:
        phase = self.phase
        if phase == "dead":
            return
        if phase == "init":
            if not self._init.done():
                self._init.set_result(InitFailure("exit", status=status))
            return
        if self._timer is not None:
            self._timer.cancel()
        if phase == "busy":
            self._finish(exit_status=status)
        self.phase = "dead"
        self._on_gone(self)

    def _measure(self, *, fresh: bool = False) -> int:
        assert self._process is not None
        now = perf_counter()
        if self._outgrown:
            return self._memory_mb
        if fresh or now - self._memory_at > 0.5:  # a peak only rises: no need to look after each quick answer
            self._memory_at = now
            self._memory_mb = max(self._memory_mb, self._process.peak_memory_mb())
        return self._memory_mb

    def _finish(
        self,
        payload: bytes = b"",
        error: str = "",
        *,
        status: str = "",
        timed_out: bool = False,
        exit_status: int | None = None,
    ) -> None:
        job, process = self._job, self._process
        assert job is not None
        assert job.started is not None
        assert process is not None
        duration_ms = (perf_counter() - job.started) * 1000
        self._job = None
        self.phase = "answered"
        process.drain()
        outcome = Outcome(payload, error, duration_ms, init_ms=self._init_ms, memory_mb=self._measure(), status=status)
        outcome.before, outcome.written = self._init_log, self._logs.take()
        self._init_ms, self._init_log = None, ""
        if timed_out:
            outcome.time_out(job.request_id, self._spec.timeout_s)
        elif exit_status is not None:
            outcome.exit(job.request_id, exit_status)
        job.end(outcome.invocation(self._spec, job))

    async def close(self) -> None:
        """End the process and the API. An event under way fails with LocalError."""
        self.phase = "dead"
        if self._job is not None:
            job, self._job = self._job, None
            job.end(LocalError(f"{self._spec.name} was stopped before it answered"))
        if self._timer is not None:
            self._timer.cancel()
        if self._process is not None:
            await self._process.close()
        await self._api.close()
