"""What stands in the way of a reload -> words and places for a person."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bareboat.errors import BareboatError, Problem

log = logging.getLogger(__name__)

_MOST = 5


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the last good version goes on serving.

    Args:
        error: what was found; further problems a line each, with their places.
        where: file:line of the first.
        fix: of the first.
    """

    error: str
    where: str = ""
    fix: str = ""


def refusal(error: Exception) -> Refusal:
    """Say what went wrong. What is no BareboatError is a bug, or a project that changes under our hands."""
    if not isinstance(error, BareboatError):
        log.warning("the project could not be read", exc_info=error)
        return Refusal(f"{type(error).__name__}: {error}")
    first, *rest = error.problems
    lines = [_line(first), *(f"{problem.where}: {_line(problem)}" for problem in rest[: _MOST - 1])]
    if len(rest) >= _MOST:
        lines.append(f"and {len(rest) - _MOST + 1} more; bareboat check shows all")
    return Refusal("\n".join(lines), first.where, first.fix)


def _line(problem: Problem) -> str:
    return problem.found + (f" (expected {problem.expected})" if problem.expected else "")
