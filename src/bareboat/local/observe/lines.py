"""Invocations -> the lines of their logs, as CloudWatch shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bareboat.local.observe.query import SeenInvocation, pattern

_LAST = ("END RequestId: ", "REPORT RequestId: ")


class LogLine(NamedTuple):
    """One line.

    Args:
        at: seconds since 1970. Lines have no time of their own here: those of Lambda at the end have the end of the
            invocation, all others its begin.
    """

    at: float
    function: str
    request_id: str
    text: str


def log_lines(invocations: Iterable[SeenInvocation], grep: str = "") -> Iterator[LogLine]:
    """Yield the lines of invocations, in their order.

    Args:
        grep: only lines that hold it: a regular expression, or a text where it is none.
    """
    search = pattern(grep).search if grep else None
    for seen in invocations:
        end = seen.at + (seen.duration_ms + (seen.init_ms or 0.0)) / 1000
        for text in (seen.log or "").splitlines():
            if search is None or search(text):
                at = end if text.startswith(_LAST) else seen.at
                yield LogLine(at, seen.function, seen.request_id, text.rstrip())
