"""What stands in the way of a reload -> words and places for a person."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import BareboatError, Problem

log = logging.getLogger(__name__)

_MOST = 5
_SHORT = 120


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


def refusal(error: Exception, folder: Path) -> Refusal:
    """Say what went wrong. What is no BareboatError is a bug, or a project that changes under our hands.

    Args:
        folder: the project's; paths in it are told from there.
    """
    if not isinstance(error, BareboatError):
        log.warning("the project could not be read", exc_info=error)
        return Refusal(f"{type(error).__name__}: {error}")
    first, *rest = error.problems
    lines = [_line(first), *(f"{problem.where}: {_line(problem)}" for problem in rest[: _MOST - 1])]
    if len(rest) >= _MOST:
        lines.append(f"and {len(rest) - _MOST + 1} more; bareboat check shows all")
    here = f"{folder}{os.sep}"
    return Refusal("\n".join(lines).replace(here, ""), first.where.replace(here, ""), first.fix.replace(here, ""))


def _line(problem: Problem) -> str:
    is_short = 0 < len(problem.expected) <= _SHORT  # a list of all model formats belongs into bareboat check
    return problem.found + (f" (expected {problem.expected})" if is_short else "")
