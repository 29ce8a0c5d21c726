"""What one invocation of a function came to."""

from __future__ import annotations

import msgspec

from bareboat.errors import LocalError


class Invocation(msgspec.Struct, frozen=True):
    """The outcome of one invocation, as Lambda's Invoke API tells it.

    Args:
        payload: the function's answer, or the error document, as the runtime client posted it.
        error: "" when the handler returned, "Unhandled" otherwise (Invoke's FunctionError).
        init_ms: the init phase of a cold start; None when warm.
        log: what the function wrote, with the START, END and REPORT lines.
        at: when it was asked for, in seconds since 1970.
        event: what the handler was given, JSON.
        source: who asked: "httpApi", "http", "url", "invoke", "schedule", "sqs", "authorizer", ...
        generation: of the code that ran: 1, and one more after each reload that changed this function.
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
    at: float = 0.0
    event: bytes = b""
    source: str = "invoke"
    generation: int = 1


class Throttled(LocalError):  # noqa: N818 - Lambda's own word
    """The function's concurrency limit is reached: Lambda's 429 TooManyRequestsException, `Rate Exceeded.`

    Args:
        reason: `ReservedFunctionConcurrentInvocationLimitExceeded` or `ConcurrentInvocationLimitExceeded`.
    """

    code = "TooManyRequestsException"
    words = "Rate Exceeded."

    def __init__(self, function: str, limit: int, *, reserved: bool) -> None:
        self.reason = f"{'ReservedFunction' if reserved else ''}ConcurrentInvocationLimitExceeded"
        super().__init__(
            f"{self.code}: {self.words} {function} already runs {limit} times",
            expected=f"at most {limit} invocations at the same time",
            fix=f"raise functions.{function}.reservedConcurrency" if reserved else "send fewer requests at once",
        )
