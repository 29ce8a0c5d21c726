"""Faults: which call fails, and how."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from typing import Literal

from aws_cloud.messages import Refused

How = Literal[
    "refuse",  # an error that nobody tries again, such as AccessDenied
    "break",  # a 500, which clients try again
    "throttle",  # which clients try again
    "hang",  # no answer until the client gives up; the call is not carried out
    "drop-before",  # the connection is closed, the call is not carried out
    "drop-after",  # the connection is closed, the call was carried out
    "kill-before",  # the caller is killed, the call is not carried out
    "kill-after",  # the caller is killed, the call was carried out
]


@dataclass(slots=True)
class Fault:
    """A fault of one call.

    Args:
        operation: `cloudformation:ExecuteChangeSet`.
        how: what happens.
        nth: to which call of that operation, counted from 1 from when the fault was set.
        times: to how many calls from there on; 0 for all.
        process: whom to kill.
        code: of the error, for `refuse`.
    """

    operation: str
    how: How
    nth: int = 1
    times: int = 1
    process: int = 0
    code: str = "AccessDenied"
    seen: int = 0
    struck: int = 0

    def meets(self) -> bool:
        """Count a call of the operation; whether it is met."""
        self.seen += 1
        met = self.seen >= self.nth and (not self.times or self.struck < self.times)
        self.struck += met
        return met


_THROTTLES = {"s3": ("SlowDown", 503), "lambda": ("TooManyRequestsException", 429)}


class Dropped(Exception):
    """The connection is closed without an answer."""


class Faults:
    """The faults that are set."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._lock = threading.Lock()
        self.released = threading.Event()

    def add(self, fault: Fault) -> Fault:
        self._set.append(fault)
        return fault

    def clear(self) -> None:
        self._set.clear()
        self.released.set()
        self.released = threading.Event()

    def met(self, operation: str) -> Fault | None:
        """Return the fault of this call."""
        with self._lock:
            met = [fault for fault in self._set if fault.operation == operation and fault.meets()]
            return met[0] if met else None

    def strike(self, fault: Fault) -> None:
        """Do what happens before the call is carried out.

        Raises:
            Refused: the call is refused.
            Dropped: there is no answer.
        """
        if fault.how == "refuse":
            raise Refused(fault.code, f"the test cloud refuses {fault.operation}", 403)
        if fault.how == "break":
            raise Refused("InternalFailure", "the test cloud breaks this call", 500)
        if fault.how == "throttle":
            code, status = _THROTTLES.get(fault.operation.partition(":")[0], ("Throttling", 400))
            raise Refused(code, "Rate exceeded", status)
        if fault.how == "hang":
            self.released.wait(60)
            raise Dropped
        if fault.how == "drop-before":
            raise Dropped
        if fault.how == "kill-before":
            _kill(fault)

    def strike_after(self, fault: Fault) -> None:
        """Do what happens after the call was carried out.

        Raises:
            Dropped: there is no answer.
        """
        if fault.how == "drop-after":
            raise Dropped
        if fault.how == "kill-after":
            _kill(fault)


def _kill(fault: Fault) -> None:
    end = time.monotonic() + 5
    while not fault.process and time.monotonic() < end:  # whoever set the fault learns it when the process has started
        time.sleep(0.001)
    assert fault.process, "whom to kill?"
    os.kill(fault.process, signal.SIGKILL)
    raise Dropped
