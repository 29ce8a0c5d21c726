"""Regular expressions of serverless.yml on texts of clients, each with an end: `^(a+)+$` else never comes to it."""

from __future__ import annotations

import re
from contextvars import ContextVar
from functools import lru_cache
from time import monotonic
from typing import Any

LIMIT_S = 0.2  # for all the patterns of one request

_until: ContextVar[float] = ContextVar("until", default=0.0)


class PatternTooSlowError(Exception):
    """A pattern has not come to its end in time."""


def check(pattern: str) -> None:
    """Refuse what is no pattern.

    Raises:
        re.error: it is none.
    """
    re.compile(pattern)
    _compiled(pattern)


def begin() -> None:
    """Give the patterns of the next request their time."""
    _until.set(monotonic() + LIMIT_S)


def search(pattern: str, text: str) -> bool:
    """Return whether a pattern is found anywhere in a text; raises as `fullmatch` does."""
    return _matches(pattern, text, "search")


def fullmatch(pattern: str, text: str) -> bool:
    """Return whether a pattern fits a whole text.

    Raises:
        PatternTooSlowError: it took what was left of the time since `begin`.
    """
    return _matches(pattern, text, "fullmatch")


def _matches(pattern: str, text: str, how: str) -> bool:
    left_s = _until.get() - monotonic()
    if left_s <= 0:
        raise PatternTooSlowError(f"the pattern {pattern!r} took longer than {LIMIT_S} s")
    try:
        return getattr(_compiled(pattern), how)(text, timeout=left_s) is not None
    except TimeoutError:
        raise PatternTooSlowError(f"the pattern {pattern!r} took longer than {LIMIT_S} s") from None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import regex  # late: only what has patterns waits for it; the standard library's matching cannot be stopped

    try:
        return regex.compile(pattern)
    except regex.error as error:  # `re` takes it, or it would have been refused at the start
        raise re.error(str(error), pattern) from error
