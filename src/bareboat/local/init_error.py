"""An init that failed -> an error that names the line of the project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from bareboat.errors import LocalError
from bareboat.local.sandbox import InitFailure

_FRAME = re.compile(r'File "(?P<file>[^"]+)",? [Ll]ine (?P<line>\d+)')
_SYNTAX = re.compile(r"\((?P<file>[\w./-]+\.py), line (?P<line>\d+)\)")
_MODULE = re.compile(r"No module named '(?P<module>[\w.]+)'")


def init_error(function: str, failure: InitFailure, folder: Path) -> LocalError:
    """Say why a function does not get ready, and where.

    Args:
        folder: the project's.
    """
    if failure.kind == "timeout":
        return LocalError(f"{function} does not start: its init was not done after {failure.took_ms / 1000:.0f} s")
    if failure.kind == "exit":
        return LocalError(f"{function} does not start: its process ended in its init, with status {failure.status}")
    try:
        document: dict[str, Any] = msgspec.json.decode(failure.payload, type=dict[str, Any])
    except msgspec.MsgspecError:
        document = {}
    kind, message = str(document.get("errorType") or "Error"), str(document.get("errorMessage") or "its init failed")
    trace = document.get("stackTrace") or ()
    where = _place(message, [str(frame) for frame in trace] if isinstance(trace, list) else (), folder)
    return LocalError(f"{function} does not start: {kind.removeprefix('Runtime.')}: {message}", where=where)


def _place(message: str, trace: Iterable[str], folder: Path) -> str:
    """Return the deepest line of the project that an error came through, `handler.py:3`; "" when there is none."""
    frames = [(found["file"], found["line"]) for frame in trace for found in _FRAME.finditer(frame)]
    for file, line in reversed(frames):
        own = _own(file, folder)
        if own:
            return f"{own}:{line}"
    if (found := _SYNTAX.search(message)) and (own := _own(found["file"], folder)):
        return f"{own}:{found['line']}"
    if found := _MODULE.search(message):
        return next(_imports(found["module"], folder), "")
    return ""


def _own(file: str, folder: Path) -> str:
    """Return the project's own file behind one of an unpacked artifact: the longest end of its path that is there."""
    parts = Path(file).parts
    for start in range(len(parts)):
        path = Path(*parts[start:])
        if not path.is_absolute() and path.parts[0] != ".bareboat" and (folder / path).is_file():
            return path.as_posix()
    return ""


def _imports(module: str, folder: Path) -> Iterator[str]:
    """Yield where modules at the top of the project import one that is not there."""
    last = re.escape(module.rpartition(".")[2])
    pattern = re.compile(rf"^\s*(?:import|from)\s+(?:[\w.]*\.)?{last}\b|^\s*from\s+\S+\s+import\s.*\b{last}\b")
    for path in sorted(folder.glob("*.py")):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for number, line in enumerate(lines, 1):
            if pattern.search(line):
                yield f"{path.name}:{number}"
