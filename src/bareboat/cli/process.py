"""The process round the command line: signals, encodings, closed pipes."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from bareboat.cli.failures import INTERRUPTED
from bareboat.cli.root import bareboat


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line as the whole of this process.

    A signal to end becomes SystemExit, so that every `finally` still runs: no child process and no port is left behind.
    """
    gc.set_threshold(50_000)  # what is imported stays: looking it through is a tenth of a short command
    _open_what_is_closed()
    _speak_any_encoding()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)
    code: int | str | None = 1
    try:
        bareboat.main(sys.argv[1:] if arguments is None else list(arguments), prog_name="bareboat")
    except SystemExit as leaving:
        code = leaving.code
    if code == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient Ctrl-C meets only the interpreter's own end
    flushed = _flush()
    gc.freeze()  # what the system takes back in a moment is not looked through once more: 50 ms with botocore
    sys.exit(code if flushed else 1)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # one is enough: what is being put away is not interrupted again
    raise SystemExit(128 + number)


def _open_what_is_closed() -> None:
    """Stand in for a stream that the process was started without (`bareboat check >&-`): nothing comes, all goes."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end


def _speak_any_encoding() -> None:
    """Let a terminal that cannot show a character show its escape, in place of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _flush() -> bool:
    """Write what is left; False when it is not taken: the reader has gone (`bareboat check | head -1`)."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at its end
        return False
    return True
