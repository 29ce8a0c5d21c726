"""`bareboat model pin`: the version of a model that a service takes."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.options import Source, service_options
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@click.argument("name", metavar="NAME")
@click.argument("version", required=False, default="", metavar="[VERSION]")
@service_options
@click.pass_obj
def pin(terminal: Terminal, source: Source, name: str, version: str) -> None:
    """Set the version of a model that bareboat.lock has.

    NAME is a function, FUNCTION.MODEL where it has several, or the address as serverless.yml has it. VERSION is an id
    of `bareboat model list`, and else the newest. The model is fetched, so that its digest is pinned too.
    """
    from bareboat.artifact.pinning import pin_model

    service = source.load(terminal)
    with terminal.progress(f"Pinning {name}") as step:
        before, after = pin_model(service, name, "" if version == "latest" else version, on_step=step)
    changed = before != after
    document = {
        "source": after.source,
        "version_id": after.version_id,
        "sha256": after.sha256,
        "size_bytes": after.size_bytes,
        "changed": changed,
        "before": None if before is None else {"version_id": before.version_id, "sha256": before.sha256},
    }
    now = f"version {after.version_id}" if after.version_id else f"sha256 {after.sha256[:12]}"
    was = "" if before is None or not changed else f", before {before.version_id or before.sha256[:12]}"
    terminal.result(document, f"{after.source}: {now}{was}" if changed else f"{after.source}: {now} as before")
    if changed:
        terminal.next(f"bareboat package{source.flags}")
