"""`bareboat model push`: a model file -> a new version of it in a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.models import kilobytes
from bareboat.cli.options import key_values
from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.artifact.push import Pushed


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path, exists=True), metavar="FILE")
@click.argument("target", metavar="s3://BUCKET/KEY")
@click.option("--as-is", is_flag=True, help="Write the file's own bytes, and compile nothing.")
@click.option("--no-statistics", is_flag=True, help="Leave out covers, gains and leaf ids of a compiled file.")
@click.option("-m", "--message", metavar="TEXT", help="What is new in this version; `model list` shows it.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Kept beside the object; may be repeated.")
@click.option("--unversioned", is_flag=True, help="Write also where the bucket keeps no versions.")
@click.pass_obj
def push(
    terminal: Terminal,
    file: Path,
    target: str,
    as_is: bool,
    no_statistics: bool,
    message: str | None,
    metadata: tuple[str, ...],
    unversioned: bool,
) -> None:
    """Write a model to a bucket as a new version.

    FILE is compiled into a .forest or .pipeline file where it can be, which also a cold start can fetch; else, and of
    the folder of an MLflow model, its own bytes are written. What the newest version holds already is not written
    again. Credentials, region and endpoint are those that the AWS tools find.
    """
    from bareboat.artifact.push import push_model
    from bareboat.cli.models import tell_of_opening

    said = key_values(metadata, "--metadata")
    if message is not None:
        said["message"] = message
    if not as_is:
        tell_of_opening(terminal, file)
    with terminal.progress(f"Pushing {file.name}") as step:
        pushed = push_model(
            file,
            target,
            as_is=as_is,
            statistics=not no_statistics,
            metadata=said,
            unversioned=unversioned,
            on_step=step,
        )
    for note in dict.fromkeys(note for each in pushed for note in each.notes):
        terminal.note(note)
    documents = [_document(each) for each in pushed]
    terminal.result(documents[0] if len(documents) == 1 else documents, "\n".join(map(_text, pushed)))
    terminal.next(f"bareboat model list {pushed[0].stored.source if len(pushed) == 1 else target}")


def _document(pushed: Pushed) -> dict[str, Any]:
    stored = pushed.stored
    return {
        "source": stored.source,
        "version_id": stored.version_id,
        "sha256": stored.sha256,
        "size_bytes": stored.size_bytes,
        "compiled": pushed.compiled,
        "skipped": pushed.skipped,
        "notes": list(pushed.notes),
    }


def _text(pushed: Pushed) -> str:
    stored = pushed.stored
    version = f" version {stored.version_id}" if stored.version_id else ""
    state = "is there already as" if pushed.skipped else "written as"
    return f"{stored.source}: {state}{version or ' it is'}, {kilobytes(stored.size_bytes)}, sha256 {stored.sha256[:12]}"
