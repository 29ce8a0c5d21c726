"""A deployment under way, shown; and what an interruption leaves behind, said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from bareboat.aws.causes import plain_reason
from bareboat.aws.progress import AT_WORK, Phase, Progress
from bareboat.cli.fitted import cropped, shortened, terminal_width
from bareboat.cli.printable import printable
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.status import Status

    from bareboat.aws.changes import Change
    from bareboat.aws.plan import Plan
    from bareboat.aws.stack import StackEvent

_ENDS = ("_COMPLETE", "_FAILED", "_SKIPPED")


class Shown(Progress):
    """Shows a line for each resource that is done, and on a terminal below them what is under way.

    `command` is what to type next after an interruption.
    """

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.command = ""
        self._terminal = terminal
        self._status: Status | None = None
        self._text = ""
        self._resources = 0
        self._done: set[str] = set()
        self._since: datetime | None = None
        self._under_way: dict[str, str] = {}
        self._uploads = False

    def begin(self, phase: Phase, text: str, *, resources: int = 0) -> None:
        """Show what begins."""
        super().begin(phase, text, resources=resources)
        self._text, self._resources = text, resources
        self._done, self._under_way, self._since = set(), {}, None
        if phase == "done":
            self.close()
        elif self._terminal.is_live:
            self._draw()
        elif phase not in ("look", "finish", "upload"):
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
            for line in event_lines(event, self._since, terminal_width() if self._terminal.is_live else None):
                self._say(self._terminal.alarming(line) if event.status.endswith("_FAILED") else line)
        self._draw()

    def uploaded(self, sent_bytes: int, total_bytes: int) -> None:
        """Show how much has been sent; off a terminal, that something is, once."""
        if not self._terminal.is_live and not self._uploads:
            self._terminal.say(f"Uploading {total_bytes / 1e6:.1f} MB")
        self._uploads = True
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
        done = f": {min(len(self._done), self._resources)} of {self._resources}" if self._resources else ""
        text = live_line(self._text + done, list(self._under_way), terminal_width() - 2)  # the spinner is 2 wide
        if self._status is None:
            self._status = self._terminal.live_console().status(text, spinner="line")
            self._status.start()
        else:
            self._status.update(text)


def event_lines(event: StackEvent, since: datetime, width: int | None) -> list[str]:
    """Say what came of a resource: in one line, and a second one with the reason where there is a failure.

    Args:
        width: of the terminal, that nothing may exceed; None where there is none.
    """
    begin = f"{(event.at - since).total_seconds():6.1f} s  {event.status:<15}  "
    begin += f"{event.type.removeprefix('AWS::')}  "
    name = event.logical_id if width is None else shortened(event.logical_id, max(width - len(begin), 12))
    lines = [begin + name]
    if event.status.endswith("_FAILED"):
        lines.append(f"{'':10}{plain_reason(event.reason)}")
    return lines if width is None else [cropped(line, width) for line in lines]


def live_line(text: str, under_way: Sequence[str], width: int) -> str:
    """Say what is done, and as many names of what is under way as fit into the width."""
    for shows in range(min(len(under_way), 3), 0, -1):
        more = f" and {len(under_way) - shows} more" if len(under_way) > shows else ""
        room = (width - len(text) - len(more) - 2 - 2 * (shows - 1)) // shows
        if room >= 16 or (room > 0 and room >= max(map(len, under_way[:shows]))):
            return f"{text}; {', '.join(shortened(name, room) for name in under_way[:shows])}{more}"
    return cropped(text, width)


@contextmanager
def shown(terminal: Terminal, command: str) -> Iterator[Shown]:
    """Show a deployment; an interruption (Ctrl-C) says what goes on at AWS and what to type next.

    Args:
        command: to go on with, such as `bareboat deploy -s prod`.
    Raises:
        click.Abort: it was interrupted (exit 130).
    """
    progress = Shown(terminal)
    progress.command = command
    try:
        yield progress
    except KeyboardInterrupt:
        progress.close()
        for line in interrupted(progress):
            terminal.say(line)
        terminal.next(progress.command)
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


def asking(terminal: Terminal, progress: Shown, *, yes: bool) -> Callable[[str], None]:
    """Return what asks a question with nothing being drawn meanwhile; `--yes` answers it."""
    from bareboat.cli.aws import confirm

    def ask(question: str) -> None:
        progress.close()
        confirm(terminal, question, yes=yes)

    return ask


def refuse_unknown(allowed: Sequence[str], plan: Plan) -> None:
    """Refuse an `--allow-loss` of what is in neither template: it would allow nothing.

    Raises:
        click.UsageError: with the names that it might have meant.
    """
    from difflib import get_close_matches

    known = {*plan.template.get("Resources", {}), *((plan.live.template or {}).get("Resources") or {})}
    for name in allowed:
        if name != "all" and name not in known:
            error = click.UsageError(f"--allow-loss {name}: {plan.stack_name} has no such resource")
            near = get_close_matches(name, known, 1)
            losses = [change.logical_id for change in plan.losses]
            if losses or near:
                error.fix = " ".join(f"--allow-loss {one}" for one in losses or near)  # type: ignore[attr-defined]
            raise error


def agree_to_losses(terminal: Terminal, losses: Sequence[Change], allowed: Sequence[str]) -> None:
    """Ask for each loss of data by name, `--yes` or not; those that a flag allows are not asked for.

    Args:
        losses: `Plan.losses`, without a function's own logs, which the usual question is for.

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
