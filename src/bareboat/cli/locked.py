"""What a command did to bareboat.lock, told."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.packaging.lock import Lock

_SHOWN = 6


def tell_lock(terminal: Terminal, before: Lock, after: Lock) -> None:
    """Say that the lock was written, or what of it changed and for what."""
    if before == after:
        return
    from bareboat.packaging.lock_changes import changes

    changed = changes(before, after)
    if not (before.environments or before.models):
        terminal.say("bareboat.lock is written: commit it.")
        return
    places = {change.where for change in changed}
    parts = [
        (f"{where}: " if len(places) > 1 else "") + ", ".join(map(str, its))
        for where, its in groupby(changed[:_SHOWN], key=lambda change: change.where)
    ]
    said = "; ".join(parts) + (f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else "")
    terminal.say(f"bareboat.lock is renewed: {said or 'other requirements, the same versions'}")
