"""Events in, one process each at a time: spawned when needed, reused when idle, replaced when gone."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from pathlib import Path
from time import perf_counter

from bareboat.artifact.model import Artifact
from bareboat.errors import InputError, LocalError
from bareboat.local import ids
from bareboat.local.ceiling import Ceiling
from bareboat.local.cores import usable_cores
from bareboat.local.freezer import Freezer
from bareboat.local.invocation import Invocation, Throttled
from bareboat.local.outcome import UNHANDLED, Outcome
from bareboat.local.sandbox import MIB, InitFailure, Job, Sandbox
from bareboat.local.spec import ACCOUNT, Spec, prepare
from bareboat.local.task_root import TaskRoot
from bareboat.local.tasks import keep
from bareboat.service.model import Function

log = logging.getLogger(__name__)

ACCOUNT_CONCURRENCY = 1000  # Lambda's default for an account and region
MAX_EVENT_BYTES = 6 * 1024 * 1024


class Pool:
    """The processes of one function.

    Up to the number of cores, a process is spawned for each event that finds none idle. Beyond that, more are spawned
    only when the oldest event has waited `grow_after_s`, and never so many that more than one a core is in its init:
    sixteen imports at once on four cores would be slower than four, then four.

    Args:
        max_processes: never more than this; further events wait.
        cores: how many processes may be in their init at once.
        init_timeout_s: Lambda's 10 s; after it the init is done again inside the invocation, under its timeout.
        folder: where the artifact is unpacked, when it already is.
        generation: what its invocations say of their code.
        freeze: stop processes between their events.
        limit_memory: end those that hold more than the function's memorySize.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        function: Function,
        artifact: Artifact,
        *,
        region: str = "us-east-1",
        account_id: str = ACCOUNT,
        max_processes: int = 64,
        grow_after_s: float = 0.25,
        init_timeout_s: float = 10.0,
        cores: int | None = None,
        folder: Path | None = None,
        generation: int = 1,
        freeze: bool = True,
        limit_memory: bool = True,
    ) -> None:
        self._function = function
        self._artifact = artifact
        self._folder = folder
        self._region = region
        self._account_id = account_id
        self._max = max_processes
        self._cores = min(cores or usable_cores(), max_processes)
        self._grow_after_s = grow_after_s
        self._init_timeout_s = init_timeout_s
        reserved = function.reserved_concurrency
        self._limit = ACCOUNT_CONCURRENCY if reserved is None else reserved
        self._spec: Spec | None = None
        self._root: TaskRoot | None = None  # where the folder is this pool's own
        self._queue: deque[Job] = deque()
        self._idle: list[Sandbox] = []
        self._all: set[Sandbox] = set()
        self._boots: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self._starting = 0
        self._grown_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ceiling = Ceiling(self._all, function.memory_mb * MIB) if limit_memory else None
        self._freezer = Freezer(self._idle) if freeze else None
        self._generation = generation
        self.init_failure: InitFailure | None = None  # of the last process that was started
        self.init_s = 0.0  # what the last init took that succeeded
        self._closed = False

    @property
    def in_flight(self) -> int:
        """How many invocations wait or run."""
        return self._in_flight

    @property
    def processes(self) -> int:
        """How many processes there are, those in their init included."""
        return len(self._all)

    async def start(self) -> None:
        """Unpack the artifact and install the runtime client; no process is spawned before the first event.

        Raises:
            LocalError: no interpreter of the artifact's version here, or the client cannot be installed.
            ArtifactError: the archive is damaged.
        """
        self._spec = await asyncio.to_thread(
            prepare,
            self._function,
            self._artifact,
            region=self._region,
            account_id=self._account_id,
            folder=self._folder,
        )
        if self._folder is None:
            self._root = TaskRoot(self._spec, self._artifact)

    async def warm(self) -> InitFailure | None:
        """Start a process before any event asks for it; return why it does not get ready.

        Raises:
            LocalError: the interpreter does not start, or the pool is closed.
        """
        if self._spec is None or self._closed:
            raise LocalError(f"{self._function.name} is not being served", fix="start it again")
        self._starting += 1
        sandbox = self._sandbox()
        try:
            if self._root is not None:
                await self._root.ensure()
            began = perf_counter()
            failure = await sandbox.start(self._init_timeout_s)
        except BaseException:
            self._end(sandbox)
            raise
        finally:
            self._starting -= 1
        self.init_failure = failure
        if failure is not None:
            self._end(sandbox)
            return failure
        self.init_s = perf_counter() - began
        if sandbox.phase == "idle":
            self._serve(sandbox)
        return None

    async def invoke(
        self,
        event: bytes,
        *,
        trace_id: str = "",
        client_context: str = "",
        request_id: str = "",
        qualifier: str = "",
        source: str = "invoke",
    ) -> Invocation:
        """Run the function on one event and return what came of it, an error of the function included.

        A caller that is cancelled takes its event out of the queue; one that already runs goes on, as on Lambda.

        Args:
            event: JSON.
            trace_id: `Root=1-...;Parent=...;Sampled=0`; made up when empty.
            client_context: JSON, as the Invoke API's ClientContext decodes to.
            request_id: made up when empty. The tries of one asynchronous invocation share theirs.
            qualifier: what was asked for, which the context's invoked_function_arn then ends with; "" or `$LATEST`.
            source: who asks, for the record.
        Raises:
            Throttled: as many invocations run as the function's reservedConcurrency (else 1,000) allows.
            InputError: the event is over 6 MiB.
            LocalError: the interpreter does not start, or the pool is closed.
        """
        if self._spec is None or self._closed:
            raise LocalError(f"{self._function.name} is not being served", fix="start it again")
        if len(event) > MAX_EVENT_BYTES:
            raise InputError(
                f"the event has {len(event):,} bytes", expected=f"at most {MAX_EVENT_BYTES:,}, as on Lambda"
            )
        if self._in_flight >= self._limit:
            reserved = self._function.reserved_concurrency is not None
            raise Throttled(self._function.name, self._limit, reserved=reserved)
        self._in_flight += 1
        job = Job(
            event,
            request_id or ids.request_id(),
            _one_line(trace_id) or ids.trace_id(),
            _one_line(client_context),
            self._ended,
            qualifier,
            source=source,
            generation=self._generation,
        )
        self._dispatch(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            if job in self._queue:
                self._queue.remove(job)
                self._ended()
            raise

    async def close(self) -> None:
        """Kill every process, and what they started. Events under way fail with LocalError."""
        self._closed = True
        for looks in (self._timer, self._ceiling, self._freezer):
            if looks is not None:
                looks.cancel()
        while self._queue:
            self._queue.popleft().end(self._stopped())
        for boot in tuple(self._boots):
            boot.cancel()
        await asyncio.gather(*self._boots, return_exceptions=True)
        for sandbox in tuple(self._all):
            self._end(sandbox)
        await asyncio.gather(*self._ends)
        self._idle.clear()
        if self._root is not None:
            self._root.release()
            self._root = None

    # Events to processes

    def _dispatch(self, job: Job) -> None:
        if self._ceiling is not None:
            self._ceiling.wake()
        while self._idle:
            if self._idle.pop().run(job):
                return
        job.queued = perf_counter()
        self._queue.append(job)
        self._grow()

    def _ended(self) -> None:
        self._in_flight -= 1

    def _serve(self, sandbox: Sandbox) -> None:
        """Give an idle process the oldest event, or rest."""
        if self._closed:
            return
        if self._queue:
            job = self._queue.popleft()
            if not sandbox.run(job):
                self._queue.appendleft(job)
        else:
            self._idle.append(sandbox)
            if self._freezer is not None:
                self._freezer.wake()

    def _gone(self, sandbox: Sandbox) -> None:
        if sandbox in self._idle:
            self._idle.remove(sandbox)
        if not self._closed:
            self._end(sandbox)
            self._grow()

    # Processes for events

    def _grow(self) -> None:
        """Spawn what the queue calls for, now or after a while."""
        if not self._queue or self._closed:
            return
        if len(self._all) >= self._cores and self._timer is not None:
            return  # on the way of each event of a busy pool
        soon = sum(sandbox.phase == "answered" for sandbox in self._all)  # idle in a moment: no need for another
        while len(self._all) < self._cores and self._starting + soon < len(self._queue):
            self._spawn()
        if self._timer is None and len(self._all) < self._max:
            self._timer = asyncio.get_running_loop().call_later(self._grow_after_s, self._grow_beyond)

    def _grow_beyond(self) -> None:
        self._timer = None
        if not self._queue or self._closed:
            return
        now = perf_counter()
        if now - max(self._queue[0].queued, self._grown_at) >= self._grow_after_s * 0.9:
            room = min(self._cores - self._starting, self._max - len(self._all), len(self._queue) - self._starting)
            for _ in range(room):
                self._spawn()
                self._grown_at = now
        self._grow()

    def _spawn(self) -> None:
        assert self._spec is not None
        self._starting += 1
        sandbox = self._sandbox()
        keep(self._boots, self._boot(sandbox))

    def _sandbox(self) -> Sandbox:
        assert self._spec is not None
        sandbox = Sandbox(self._spec, on_idle=self._serve, on_gone=self._gone)
        self._all.add(sandbox)
        if self._ceiling is not None:
            self._ceiling.wake()
        return sandbox

    def _end(self, sandbox: Sandbox) -> None:
        """End a process in the background; `close` waits for it."""
        self._all.discard(sandbox)
        keep(self._ends, sandbox.close())

    async def _boot(self, sandbox: Sandbox) -> None:
        try:
            if self._root is not None:
                await self._root.ensure()
            began = perf_counter()
            failure = await sandbox.start(self._init_timeout_s)
        except Exception as error:
            self._starting -= 1
            self._end(sandbox)
            while self._queue:
                self._queue.popleft().end(self._no_process(error))
            if isinstance(error, LocalError | OSError):
                return
            raise  # ours to mend; whoever waited knows at least
        self._starting -= 1
        self.init_failure = failure
        if failure is None:
            self.init_s = perf_counter() - began
            if sandbox.phase == "idle":  # else it has ended since, and `_gone` saw to the rest
                self._serve(sandbox)
            return
        job = self._queue.popleft() if self._queue else None
        self._end(sandbox)
        if job is None:
            log.info("%s: init failed (%s) with no event waiting", self._function.name, failure.kind)
        elif failure.kind == "error":
            self._answer_init_error(job, failure, failure.took_ms)
        else:
            await self._boot_inside(job, failure)
        self._grow()

    async def _boot_inside(self, job: Job, first: InitFailure) -> None:
        """Do the init again as part of the invocation, under its timeout, as Lambda does."""
        spec = self._spec
        assert spec is not None
        sandbox = self._sandbox()
        job.started = perf_counter()
        try:
            failure = await sandbox.start(spec.timeout_s)
        except asyncio.CancelledError:
            job.end(self._stopped())
            raise
        except Exception as error:
            self._end(sandbox)
            job.end(self._no_process(error))
            if isinstance(error, LocalError | OSError):
                return
            raise
        if failure is None:
            if sandbox.phase != "idle" or not sandbox.run(job):
                job.end(LocalError(f"the process of {spec.name} ended before its event"))
            return
        self._end(sandbox)
        self._answer_init_error(job, failure, (perf_counter() - job.started) * 1000, before=first.log)

    def _answer_init_error(self, job: Job, failure: InitFailure, duration_ms: float, *, before: str = "") -> None:
        spec = self._spec
        assert spec is not None
        outcome = Outcome(failure.payload, UNHANDLED, duration_ms, memory_mb=failure.memory_mb)
        if failure.kind == "error":
            outcome.before, outcome.status = before + failure.log, "error"
        else:
            outcome.before, outcome.written = before, failure.log
            if failure.kind == "timeout":
                outcome.time_out(job.request_id, spec.timeout_s)
            else:
                outcome.exit(job.request_id, failure.status)
        job.end(outcome.invocation(spec, job))

    def _no_process(self, error: Exception) -> LocalError:
        if isinstance(error, LocalError):
            return error
        return LocalError(
            f"no process can be started for {self._function.name}: {error}",
            expected="room for one more process and its files",
            fix="raise the limits of this shell (ulimit -n, ulimit -u)",
        )

    def _stopped(self) -> LocalError:
        return LocalError(f"{self._function.name} was stopped before it answered")


def _one_line(text: str) -> str:
    """A header's value: line breaks, which JSON has only between its tokens, become spaces."""
    return text.replace("\r", " ").replace("\n", " ").replace("\0", "")
