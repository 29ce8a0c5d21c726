"""What a supervisor answers when the runtime itself cannot: timeout, exit, oversized response.

Source: recordings of Lambda's Invoke API of November 2025 (LocalStack's snapshots test_lambda_invoke_with_timeout,
test_lambda_handler_exit, test_lambda_runtime_wrapper_not_found, test_lambda_too_large_response). The names of signals
are Go's, whose supervisor writes them.
"""

from __future__ import annotations

import json
import signal

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024 + 100  # of an event and of a response

_SIGNALS = {
    "SIGHUP": "hangup",
    "SIGINT": "interrupt",
    "SIGQUIT": "quit",
    "SIGILL": "illegal instruction",
    "SIGTRAP": "trace/breakpoint trap",
    "SIGABRT": "aborted",
    "SIGBUS": "bus error",
    "SIGFPE": "floating point exception",
    "SIGKILL": "killed",
    "SIGUSR1": "user defined signal 1",
    "SIGSEGV": "segmentation fault",
    "SIGUSR2": "user defined signal 2",
    "SIGPIPE": "broken pipe",
    "SIGALRM": "alarm clock",
    "SIGTERM": "terminated",
}


def timed_out(request_id: str, timeout_s: float) -> bytes:
    """Return the payload of an invocation that outlived its timeout."""
    return _document("Sandbox.Timedout", f"RequestId: {request_id} Error: {timeout_reason(timeout_s)}")


def timeout_reason(timeout_s: float) -> str:
    """Return the words of a timeout: `Task timed out after 1.00 seconds`."""
    return f"Task timed out after {timeout_s:.2f} seconds"


def exited(request_id: str, status: int) -> bytes:
    """Return the payload of an invocation whose process ended.

    Args:
        status: as subprocess has it: 0 or above is the exit status, below is the negated signal.
    """
    return _document("Runtime.ExitError", f"RequestId: {request_id} Error: {exit_reason(status)}")


def exit_reason(status: int) -> str:
    """Return the words of an exit: `Runtime exited with error: exit status 127`."""
    if status == 0:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    try:
        name = _SIGNALS.get(signal.Signals(-status).name, f"signal {-status}")
    except ValueError:
        name = f"signal {-status}"
    return f"Runtime exited with error: signal: {name}"


def too_large() -> bytes:
    """Return the payload of an invocation whose response is over 6,291,556 bytes."""
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes)."
    return json.dumps(
        {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}, separators=(",", ":")
    ).encode()


def _document(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()
