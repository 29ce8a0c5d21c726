"""What one invocation of a function came to."""

from __future__ import annotations

from dataclasses import dataclass

from bareboat.errors import LocalError


@dataclass(frozen=True, slots=True)
class Invocation:
    """The outcome of one invocation, as Lambda's Invoke API tells it.

    Args:
        payload: the function's answer, or the error document, as the runtime client posted it.
        error: "" when the handler returned, "Unhandled" otherwise (Invoke's FunctionError).
        init_ms: the init phase of a cold start; None when warm.
        log: what the function wrote, with the START, END and REPORT lines.
    """

    request_id: str
    function: str
    payload: bytes
    error: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None
    log: str


class Throttled(LocalError):  # noqa: N818 - the word of AWS
    """The function's concurrency limit is reached: Lambda's 429 TooManyRequestsException."""
