"""Changed functions -> each with one process that is ready, before anybody calls them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from bareboat.errors import LocalError
from bareboat.local.functions import Functions, ServedFunction
from bareboat.local.sandbox import InitFailure


async def warm(changed: Sequence[ServedFunction], before: Functions) -> None:
    """Start one process of each function and wait until it is through its init.

    A function that could not start before either is let through: its newest error is what its callers get.

    Raises:
        LocalError: a function that worked does not start any more, or a new one does not.
        BareboatError: what `ServedFunction.ready` raises.
    """
    failures = await asyncio.gather(*(one.warm() for one in changed), return_exceptions=True)
    for one, failure in zip(changed, failures, strict=True):
        if isinstance(failure, BaseException):
            raise failure
        old = before.get(one.name)
        if failure is not None and not (old is not None and old.is_broken):
            raise init_error(one, failure)


def init_error(served: ServedFunction, failure: InitFailure) -> LocalError:
    """Say why a function does not get ready."""
    return LocalError(f"{served.name} does not start: {_reason(failure)}")


def _reason(failure: InitFailure) -> str:
    if failure.kind == "timeout":
        return f"its init was not done after {failure.took_ms / 1000:.0f} s"
    if failure.kind == "exit":
        return f"its process ended in its init with status {failure.status}"
    try:
        document = msgspec.json.decode(failure.payload, type=dict)
    except msgspec.MsgspecError:
        return "its init failed"
    return f"{document.get('errorType', 'Error')}: {document.get('errorMessage', '')}"
