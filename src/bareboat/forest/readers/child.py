"""A pickle, joblib or skops file -> Ensemble or what else is asked, opened in a process of its own.

Opening a pickle runs code that stands in the file. bareboat never does so itself: it starts the user's interpreter
(`BAREBOAT_PYTHON`, or the one that runs bareboat), which must have the model's framework, and takes from it nothing but
arrays and text, which are checked. The child runs with the rights of the user all the same: give it files that you
trust. `reader.py` says how an opener of another class is added.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

from bareboat.errors import ModelError, Problem
from bareboat.forest.ir import Ensemble
from bareboat.forest.readers.child_answer import unpacked
from bareboat.forest.readers.child_fault import fault_error, last_words
from bareboat.forest.readers.child_formats import is_pickle, pickle_kind
from bareboat.forest.readers.child_openers import read_saved
from bareboat.forest.readers.reader import Reader, SavedModel

T = TypeVar("T")

TIMEOUT_S = 300.0
_LAST_WORDS_BYTES = 1 << 16
_MAIN = Path(__file__).with_name("child_main.py")
_TREES = "bareboat.forest.readers.child_answer:answer"
_TRUST = "opening it runs code that stands in the file"


def read_in_child(
    path: Path, kind: str, *, python: str | None = None, timeout_s: float = TIMEOUT_S, cwd: Path | None = None
) -> Ensemble:
    """Open the file of a model of trees in a child process.

    Args:
        path, kind, python, timeout_s, cwd: as `run_child` has them.
    Raises:
        ModelError: as `run_child`, or it is no model of trees.
    """
    found = run_child(path, kind, _TREES, unpacked, python=python, timeout_s=timeout_s, cwd=cwd)
    return read_saved(path, found) if isinstance(found, SavedModel) else found


def run_child(
    path: Path,
    kind: str,
    entry: str,
    unpack: Callable[[dict[str, Any], Path], T],
    arguments: Sequence[str] = (),
    *,
    python: str | None = None,
    timeout_s: float = TIMEOUT_S,
    cwd: Path | None = None,
) -> T:
    """Let a function look at a file in a child process.

    Args:
        path: of the file.
        kind: as `child_formats.pickle_kind` says.
        entry: `module:function`; `function(path, kind, folder, arguments)` runs in the child and returns the answer, an
            object of JSON; larger things it leaves as files in `folder`. What it raises is told to the user.
        unpack: makes something of the answer and the folder, which is removed afterwards. Whatever it raises says
            that the answer is damaged.
        arguments: for the function.
        python: the interpreter; BAREBOAT_PYTHON or the one that runs this when None.
        timeout_s: how long it may take; then the child and what it started are killed.
        cwd: the folder from which the user's own modules can be imported, after all others; the current one when None.
    Raises:
        ModelError: the file cannot be opened there, is of no known class, or takes too long; names the first cause.
    """
    python = python or os.environ.get("BAREBOAT_PYTHON") or sys.executable
    with tempfile.TemporaryDirectory(prefix="bareboat-") as folder:
        command = [python, str(_MAIN), str(path.resolve()), kind, folder, entry, *arguments]
        code, words = _run(command, path, timeout_s, cwd)
        try:
            answer = json.loads((Path(folder) / "answer.json").read_bytes())
            if not isinstance(answer, dict):
                raise TypeError("an answer that is no object")
        except (OSError, ValueError, TypeError) as error:
            raise _without_answer(path, python, code, words) from error
        _raise_told(path, python, answer, words)
        try:
            return unpack(answer, Path(folder))
        except ModelError as error:
            raise ModelError(
                str(error.problems[0].found), expected=error.problems[0].expected, where=str(path)
            ) from error
        except Exception as error:
            raise ModelError(
                f"the child's answer is damaged: {type(error).__name__}: {error}",
                expected="what bareboat's own code writes",
                fix="open a file that you trust",
                where=str(path),
            ) from error


def _run(command: list[str], path: Path, timeout_s: float, cwd: Path | None) -> tuple[int, str]:
    """Run a command; return its exit code and the last of what it printed."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
        )
    except OSError as error:
        raise ModelError(
            f"cannot start {command[0]}: {error.strerror or error}",
            expected="a Python interpreter that has the model's framework",
            fix="set BAREBOAT_PYTHON to its path",
            where=str(path),
        ) from error
    with _ended(process):
        words = bytearray()
        assert process.stdout is not None
        reader = threading.Thread(target=_keep_last, args=(process.stdout, words), daemon=True)
        reader.start()
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ModelError(
                f"the file is not open after {timeout_s:g} s",
                expected="a model that loads in that time",
                fix="save it in the framework's own format",
                where=str(path),
            ) from error
        reader.join(1.0)
    return code, words.decode(errors="replace")


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the process and all that it started, unless it has ended by itself (its id may be another's by then)."""
    try:
        yield
    finally:
        if process.returncode is None:
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()


def _keep_last(pipe: IO[bytes], words: bytearray) -> None:
    with pipe:
        while chunk := os.read(pipe.fileno(), 1 << 16):
            words += chunk
            del words[:-_LAST_WORDS_BYTES]


def _raise_told(path: Path, python: str, answer: dict[str, Any], words: str) -> None:
    """Raise what the child itself could say."""
    if "old" in answer:
        raise ModelError(
            f"{python} is Python {answer['old']}",
            expected="Python 3.11 or later",
            fix="set BAREBOAT_PYTHON to one that has the model's framework",
            where=str(path),
        )
    if "problems" in answer:
        problems = [
            Problem(
                str(each["found"]),
                expected=str(each["expected"]),
                fix=str(each["fix"]),
                where=str(path),
            )
            for each in answer["problems"]
        ]
        raise ModelError(problems[0].found, problems=tuple(problems))
    if "fault" in answer:
        raise fault_error(path, python, answer["fault"], words)


def _without_answer(path: Path, python: str, code: int, words: str) -> ModelError:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    return ModelError(
        f"{python} {how} while it opened the file{last_words(words)}",
        expected="a file that its framework can load",
        fix="load it there by hand; " + _TRUST,
        where=str(path),
    )


def _read(path: Path, head: bytes) -> Ensemble:
    return read_in_child(path, pickle_kind(path, head))


PICKLE = Reader(
    name="pickle, joblib, skops or CatBoost cbm (the framework opens it in a child process: trust it first)",
    matches=is_pickle,
    read=_read,
    whole=False,
)
