"""The local cloud in the foreground: built, started, and kept until somebody ends it."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from bareboat.artifact.model import Artifact
    from bareboat.cli.terminal import Terminal
    from bareboat.local.gateway import AccessRecord
    from bareboat.packaging.target import Target
    from bareboat.service.model import Service


def build_for_here(terminal: Terminal, service: Service) -> Mapping[str, Artifact]:
    """Build every function's artifact for this machine, telling where that differs from Lambda."""
    from bareboat.artifact import build, local_target

    targets: dict[str, Target] = {}
    told: set[str] = set()
    for name, function in service.functions.items():
        targets[name], notes = local_target(function)
        terminal.notes((note for note in notes if note.text not in told), infos=True)
        told.update(note.text for note in notes)
    with terminal.progress("Packaging") as step:
        if len(set(targets.values())) == 1:
            return build(service, target=next(iter(targets.values())), on_step=step)
        artifacts: dict[str, Artifact] = {}
        for name, target in targets.items():
            artifacts[name] = build(service, function=name, target=target, on_step=step)[name]
        return artifacts


def request_line(record: AccessRecord) -> str:
    """Say in a line what a request was and what became of it: `POST /predict 200 1.3 ms predict`."""
    words = [record.method or "-", record.path or "-", str(record.status), f"{record.latency_ms:.1f} ms"]
    if record.function:
        words.append(record.function)
    if record.cold:
        words.append("(cold start)")
    line = " ".join(words)
    return f"{line}: {record.error}" if record.error else line


def end_asked() -> asyncio.Event:
    """Return what SIGTERM and SIGHUP set from now on, to end in good order; Ctrl-C cancels what asyncio.run runs."""
    import asyncio

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None:
            with contextlib.suppress(NotImplementedError):  # on Windows the signal ends the process
                loop.add_signal_handler(number, ended.set)
    return ended
