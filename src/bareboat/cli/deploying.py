"""A deployment under way, shown; and what an interruption leaves behind, said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from bareboat.aws.causes import plain_reason
from bareboat.aws.progress import AT_WORK, Phase, Progress
from bareboat.cli.printable import printable
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.status import Status

    from bareboat.aws.changes import Change
    from bareboat.aws.stack import StackEvent

_ENDS = ("_COMPLETE", "_FAILED", "_SKIPPED")


class Shown(Progress):
    """Shows a line for each resource that is done, and on a terminal below them what is under way."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal
        self._status: Status | None = None
        self._text = ""
        self._resources = 0
        self._done: set[str] = set()
        self._since: datetime | None = None
        self._under_way: dict[str, str] = {}

    def begin(self, phase: Phase, text: str, *, resources: int = 0) -> None:
        """Show what begins."""
        super().begin(phase, text, resources=resources)
        self._text, self._resources = text, resources
        self._done, self._under_way, self._since = set(), {}, None
        if phase == "done":
            self.close()
        elif self._terminal.is_live:
            self._draw()
        elif phase not in ("look", "finish"):
            self._terminal.say(text)

    def event(self, event: StackEvent) -> None:
        """Show what happened to a resource; what has only begun is shown on a terminal alone."""
        self._since = self._since or event.at
        if event.of_stack:
            if "ROLLBACK_IN_PROGRESS" in event.status:
                self._say(f"{self._terminal.alarming('going back')}: {plain_reason(event.reason) or event.status}")
            return
        if event.status.endswith("_IN_PROGRESS"):
            self._under_way[event.logical_id] = event.status
        elif event.status.endswith(_ENDS):
            self._under_way.pop(event.logical_id, None)
            self._done.add(event.logical_id)
            took_s = (event.at - self._since).total_seconds()
            line = f"{took_s:6.1f} s  {event.status:<24} {event.logical_id}  {event.type}"
            if event.status.endswith("_FAILED"):
                line = self._terminal.alarming(f"{line}  {plain_reason(event.reason)}")
            self._say(line)
        self._draw()

    def uploaded(self, sent_bytes: int, total_bytes: int) -> None:
        """Show how much has been sent."""
        self._text = f"Uploading {sent_bytes / 1e6:.1f} of {total_bytes / 1e6:.1f} MB"
        self._draw()

    def note(self, text: str) -> None:
        """Tell it."""
        self._say(f"note: {text}")

    def close(self) -> None:
        """Take away what is drawn."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _say(self, line: str) -> None:
        self._terminal.say(printable(line))

    def _draw(self) -> None:
        if not self._terminal.is_live:
            return
        text = self._text
        if self._resources:
            text += f": {min(len(self._done), self._resources)} of {self._resources}"
        if self._under_way:
            names = list(self._under_way)
            text += f"; {', '.join(names[:3])}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        if self._status is None:
            self._status = self._terminal.live_console().status(text, spinner="line")
            self._status.start()
        else:
            self._status.update(text)


@contextmanager
def shown(terminal: Terminal, command: str) -> Iterator[Shown]:
    """Show a deployment; an interruption (Ctrl-C) says what goes on at AWS and what to type next.

    Args:
        command: to go on with, such as `bareboat deploy -s prod`.
    Raises:
        click.Abort: it was interrupted (exit 130).
    """
    progress = Shown(terminal)
    try:
        yield progress
    except KeyboardInterrupt:
        progress.close()
        for line in interrupted(progress):
            terminal.say(line)
        terminal.next(command)
        raise click.Abort from None
    finally:
        progress.close()


def interrupted(progress: Progress) -> list[str]:
    """Say what an interruption leaves behind."""
    name = progress.stack or "the stack"
    if progress.phase == "watch":
        return [
            f"interrupted: {name} still sends a share of the calls to the new version",
            "bareboat deploy sends it all of them; bareboat rollback takes it back",
        ]
    if progress.phase in ("empty", "delete", "prove") or (progress.phase == "clear" and progress.removes):
        on = ": CloudFormation goes on deleting the stack by itself" if progress.phase in ("empty", "delete") else ""
        return [f"interrupted: part of {name} is removed{on}; the next remove goes on from there"]
    if progress.phase == "ask":
        return [
            f"interrupted: CloudFormation may be deleting {name} by now, or may not; its buckets are as they were",
            "the next remove goes on from there, or begins anew",
        ]
    if progress.phase in AT_WORK and progress.phase != "swap":
        return [
            f"interrupted: CloudFormation goes on with {name} by itself, to its end or back to where it was",
            "the next deploy waits for it and goes on from there; nothing is half done",
        ]
    if progress.phase == "swap":
        return ["interrupted: the function may run its new code or the old one; the next deploy puts it right"]
    if progress.phase == "upload":
        return [f"interrupted: {name} is as it was; what was uploaded is kept, and the next deploy goes on there"]
    if progress.phase == "finish":
        return [f"interrupted: {name} is deployed; its record is finished by the next deploy"]
    return [f"interrupted: {name} is as it was" if progress.stack else "interrupted: nothing was changed"]


def agree_to_losses(terminal: Terminal, losses: Sequence[Change], allowed: Sequence[str]) -> None:
    """Ask for each loss of data by name, `--yes` or not; those that a flag allows are not asked for.

    Raises:
        click.UsageError: nobody is there to ask (exit 2).
        click.exceptions.Exit: the answer is no.
    """
    from bareboat.cli.aws import confirm

    left = [change for change in losses if change.logical_id not in allowed and "all" not in allowed]
    if not left:
        return
    for change in left:
        word = {"remove": "is removed", "replace": "is replaced"}.get(change.kind, "may be replaced")
        lost = "would then be lost" if change.kind == "maybe-replace" else "will be lost"
        others = " ".join(f"--allow-loss {one.logical_id}" for one in left)
        question = f"the {change.type} {change.logical_id} {word}, and {change.loss} {lost}. Go on?"
        confirm(terminal, question[:1].upper() + question[1:], yes=False, flag=others)
