"""`bareboat lock`: the exact packages and models of each target, in a file to commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.functions import chosen, function_option
from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.packaging.lock import Lock
    from bareboat.packaging.lock_changes import Change
    from bareboat.service.model import Note

_SHOWN = 4


@click.command(cls=Command)
@function_option("Lock what this function needs only.")
@click.option("--upgrade", is_flag=True, help="Choose all versions anew, and pin models to their newest version.")
@click.option(
    "--upgrade-package",
    "packages",
    metavar="NAME",
    multiple=True,
    help="Choose this package's version anew; may be repeated.",
)
@click.option("--prune", is_flag=True, help="Remove what this stage's functions and layers do not use.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail if the lock is not up to date.")
@service_options
@click.pass_obj
def lock(
    terminal: Terminal,
    source: Source,
    name: str | None,
    upgrade: bool,
    packages: tuple[str, ...],
    prune: bool,
    only_check: bool,
) -> None:
    """Write bareboat.lock: the exact packages and models.

    What still answers to the requirements stays as it is. package writes the lock by itself, and takes what it has.
    """
    from bareboat.artifact.lock_service import lock_service
    from bareboat.artifact.locking import Locking
    from bareboat.artifact.locking import prune as prune_lock
    from bareboat.artifact.locking import unused as unused_in
    from bareboat.packaging.lock import LOCK, Lock, read_lock
    from bareboat.packaging.lock_changes import changes, described
    from bareboat.packaging.requirements import canonical

    if only_check and (upgrade or packages or prune):
        raise click.UsageError("--check changes nothing, so that it goes with no --upgrade and no --prune")
    if prune and name is not None:
        raise click.UsageError("--prune looks at all functions, so that it does not go with --function")
    service = source.load(terminal)
    terminal.notes(service.notes)
    if name is not None:
        chosen(service, name)
    path = service.folder / LOCK
    before = read_lock(path)
    locking = Locking(
        write=not only_check, locked=only_check, upgrade=upgrade, packages=frozenset(map(canonical, packages))
    )
    notes: list[Note] = []
    with terminal.progress("Locking") as step:
        after = lock_service(service, function=name, locking=locking, on_step=step, on_note=notes.append)
    unknown = locking.packages - {canonical(pin.name) for one in (*before.environments, *after.environments)
                                  for pin in one.packages}  # fmt: skip
    if unknown:
        terminal.warning(f"--upgrade-package {', '.join(sorted(unknown))}: no package of {LOCK} has that name")
    unused = Lock() if name is not None else unused_in(after, locking)
    if prune:
        prune_lock(service.folder, locking)
        after, unused = read_lock(path), Lock()
    changed = changes(before, after)
    terminal.notes(dict.fromkeys(notes))
    told = {note.text for note in notes}
    for text in dict.fromkeys(text for environment in after.environments for text in environment.notes):
        if text not in told:
            terminal.warning(text)
    if terminal.as_json:
        terminal.document(_document(str(path), after, changed))
    elif after.environments or after.models:
        terminal.table(("for", "target", "packages", "changed"), _rows(after, changed))
    if not (after.environments or after.models):
        terminal.say(f"{service.name} needs no packages and names no model: there is nothing to lock")
        return
    terminal.say()
    terminal.say(f"{shown(path)} is {'up to date' if before == after else 'written: commit it'}.")
    left = [*map(described, unused.environments), *(model.source for model in unused.models)]
    if left:
        terminal.say(f"Nothing here uses {', '.join(left)}; bareboat lock --prune removes that.")
    terminal.next(f"bareboat package{source.flags}")


def _rows(lock: Lock, changed: tuple[Change, ...]) -> list[tuple[str, str, str, str]]:
    from bareboat.packaging.lock_changes import described

    rows = []
    for one in lock.environments:
        its = [change for change in changed if change.where == described(one)]
        rows.append((one.name, f"python{one.python} {one.architecture}", str(len(one.packages)), _some(its)))
    for model in lock.models:
        its = [change for change in changed if change.where == "models" and change.name == model.source]
        rows.append((model.source, "", "", f"sha256 {model.sha256[:12]}" if its else ""))
    return rows


def _some(changed: list[Change]) -> str:
    more = len(changed) - _SHOWN
    return ", ".join(map(str, changed[:_SHOWN])) + (f" and {more} more" if more > 0 else "")


def _document(path: str, lock: Lock, changed: tuple[Change, ...]) -> dict[str, Any]:
    return {
        "lock": path,
        "environments": [
            {
                "name": one.name,
                "python": one.python,
                "architecture": one.architecture,
                "source": one.source,
                "packages": [
                    {"name": pin.name, "version": pin.version, "file": pin.wheel, "sha256": pin.sha256}
                    for pin in one.packages
                ],
                "notes": list(one.notes),
            }
            for one in lock.environments
        ],
        "models": [
            {
                "source": model.source,
                "sha256": model.sha256,
                "size_bytes": model.size_bytes,
                "version_id": model.version_id,
            }
            for model in lock.models
        ],
        "changed": [
            {"where": one.where, "name": one.name, "before": one.before, "after": one.after} for one in changed
        ],
    }
