"""How an event ended -> the Invocation, with its log."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.local import faults
from bareboat.local.invocation import Invocation
from bareboat.local.logs import end_line, report_line, start_line
from bareboat.local.spec import Spec

if TYPE_CHECKING:
    from bareboat.local.sandbox import Job

UNHANDLED = "Unhandled"


@dataclass(slots=True)
class Outcome:
    """What is known when an invocation ends.

    Args:
        init_ms: of a cold start whose init this invocation is the first to report.
        status: what REPORT says behind `Status: `.
        before: what was written during init; stands before START.
        written: what was written after START.
    """

    payload: bytes
    error: str
    duration_ms: float
    init_ms: float | None = None
    memory_mb: int = 0
    status: str = ""
    before: str = ""
    written: str = ""

    def time_out(self, request_id: str, timeout_s: float) -> None:
        """Make it a timeout: the payload, and the line that Lambda logs."""
        now = time.time()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"
        self.payload, self.error = faults.timed_out(request_id, timeout_s), UNHANDLED
        self.written += f"{moment} {request_id} {faults.timeout_reason(timeout_s)}\n"
        self.status = "timeout"

    def exit(self, request_id: str, status: int) -> None:
        """Make it the end of the process, with an exit status as subprocess has it."""
        self.payload, self.error = faults.exited(request_id, status), UNHANDLED
        self.written += f"RequestId: {request_id} Error: {faults.exit_reason(status)}\nRuntime.ExitError\n"
        self.status = "error\tError Type: Runtime.ExitError"

    def invocation(self, spec: Spec, job: Job) -> Invocation:
        """Put it together. Billed are the milliseconds of init and duration, rounded up (init since August 2025)."""
        request_id = job.request_id
        billed_ms = math.ceil(self.duration_ms + (self.init_ms or 0.0))
        report = report_line(
            request_id,
            duration_ms=self.duration_ms,
            billed_ms=billed_ms,
            memory_mb=spec.memory_mb,
            max_memory_mb=self.memory_mb,
            init_ms=self.init_ms,
            status=self.status,
        )
        return Invocation(
            request_id=request_id,
            function=spec.name,
            payload=self.payload,
            error=self.error,
            duration_ms=self.duration_ms,
            billed_ms=billed_ms,
            memory_mb=spec.memory_mb,
            max_memory_mb=self.memory_mb,
            init_ms=self.init_ms,
            log=self.before + start_line(request_id) + self.written + end_line(request_id) + report,
            at=job.at,
            event=job.event,
            source=job.source,
            generation=job.generation,
        )
