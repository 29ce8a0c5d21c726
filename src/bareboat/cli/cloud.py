"""The local cloud in the foreground: built, started, and kept until somebody ends it."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bareboat.cli.layers import layers_of
from bareboat.cli.printable import printable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping

    from bareboat.artifact.model import Artifact, LayerArtifact
    from bareboat.cli.terminal import Terminal
    from bareboat.local.access_record import AccessRecord
    from bareboat.local.invocation import Invocation
    from bareboat.local.reload_record import Reload
    from bareboat.service.model import Note, Service

SAY_S = 0.01  # no reader sees the delay


def build_for_here(
    terminal: Terminal, service: Service, name: str | None = None, *, places: bool = True
) -> Mapping[str, Artifact]:
    """Build the artifacts for this machine, telling where that differs from Lambda.

    Args:
        name: of the only function that is wanted; None is all of them.
        places: whether to tell where in the file a note belongs.
    """
    from bareboat.artifact import build_here, targets_here

    targets, notes = targets_here(service, name)
    terminal.notes([note if places else replace(note, where="") for note in notes], infos=True)
    with terminal.progress("Packaging") as step:
        artifacts = build_here(service, targets, on_step=step)
    tell_built(terminal, distinct(artifacts))
    return artifacts


class Rebuilds:
    """The builds of a running cloud: what they have to tell is told once, and only when their result is served."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._told: set[Note] = set()
        self._waiting: list[Note] = []

    def build(self, service: Service, on_step: Callable[[str], None]) -> Mapping[str, Artifact]:
        """Build again for this machine what has changed, without proving that slimming left out nothing that is needed.

        The proof takes longer than anybody waits for a change; level max cannot do without it.
        """
        from bareboat.artifact import build_here, targets_here

        if service.slim != "max":
            service = replace(service, proof=False)
        targets, _ = targets_here(service)
        self._waiting = list(service.notes)
        artifacts = build_here(service, targets, on_step=on_step)
        self._waiting += [note for one in distinct(artifacts) if not one.reused for note in one.notes]
        return artifacts

    def know(self, notes: Iterable[Note]) -> None:
        """Take notes as told."""
        self._told.update(notes)

    def told(self, reload: Reload) -> None:
        """Say what became of a change."""
        waiting, self._waiting = self._waiting, []
        for line in reload_lines(reload):
            self._terminal.say(line)
        if not reload.error:
            self._terminal.notes([note for note in waiting if note not in self._told])
            self._told.update(waiting)


def reload_lines(reload: Reload) -> list[str]:
    """Say in lines what became of a change: what is served now, or why the last good version goes on."""
    files = ", ".join(reload.changed[:3]) + (f" and {len(reload.changed) - 3} more" if len(reload.changed) > 3 else "")
    if reload.error:
        first, *rest = reload.error.split("\n")
        place = f"{reload.where}: " if reload.where else ""
        lines = [f"not reloaded: {place}{first}", *(f"  {line}" for line in rest)]
        if reload.fix:
            lines.append(f"  fix       {reload.fix}")
        return [*lines, "  the last good version goes on serving"]
    what = ", ".join(reload.functions) if reload.functions else "no function is new"
    return [f"reloaded in {reload.took_ms:.0f} ms: {files or 'the project'} ({what})"]


def tell_built(terminal: Terminal, artifacts: Iterable[Artifact]) -> None:
    """Tell what a person should know of each artifact."""
    built = list(artifacts)
    told: list[Artifact | LayerArtifact] = [*layers_of(built), *built]
    for artifact in told:
        terminal.notes(artifact.notes)
        terminal.log(f"{'unchanged' if artifact.reused else 'built'}: {artifact.path}")


def distinct(artifacts: Mapping[str, Artifact]) -> list[Artifact]:
    """Return each artifact once, in the order of the functions."""
    return list({artifact.path: artifact for artifact in artifacts.values()}.values())


def request_line(record: AccessRecord) -> str:
    """Say in a line what a request was and what became of it: `POST /predict 200 1.3 ms predict`."""
    words = [record.method or "-", record.path or "-", str(record.status), f"{record.latency_ms:.1f} ms"]
    if record.function:
        words.append(record.function)
    if record.cold:
        words.append("(cold start)")
    line = " ".join(words)
    return f"{line}: {record.error}" if record.error else line


class Lines:
    """The lines of a running cloud, said together every `SAY_S`: many a request shares one write to stderr."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._waiting: list[str] = []

    def log(self, invocation: Invocation) -> None:
        """Say what a function wrote, and Lambda about it."""
        self._say(invocation.log.rstrip("\n"))

    def request(self, record: AccessRecord) -> None:
        """Say what a request was."""
        self._say(request_line(record))

    def flush(self) -> None:
        """Say what waits."""
        if self._waiting:
            lines, self._waiting = self._waiting, []
            self._terminal.say(printable("\n".join(lines)))

    def _say(self, line: str) -> None:
        if not self._waiting:
            import asyncio

            asyncio.get_running_loop().call_later(SAY_S, self.flush)
        self._waiting.append(line)


def _tell_unless_unfinished(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of the tasks that a second Ctrl-C leaves unfinished; the rest as asyncio tells it."""
    if context.get("message") != "Task was destroyed but it is pending!":
        loop.default_exception_handler(context)


def end_asked() -> asyncio.Event:
    """Return what SIGTERM and SIGHUP set from now on, to end in good order; Ctrl-C cancels what asyncio.run runs."""
    import asyncio

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_tell_unless_unfinished)
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None:
            with contextlib.suppress(NotImplementedError):  # on Windows the signal ends the process
                loop.add_signal_handler(number, ended.set)
    return ended
