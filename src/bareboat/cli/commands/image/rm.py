"""`bareboat image rm`: names taken away, and the layers that nobody needs any more."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@click.argument("images", nargs=-1, required=True)
@click.pass_obj
def rm(terminal: Terminal, images: tuple[str, ...]) -> None:
    """Remove images of this machine.

    A name is taken away; layers go with the last image that needs them. By its digest an image loses every name.
    """
    from bareboat.container.store import Store

    store = Store.open()
    for image in images:
        store.get(image)  # all are there before the first goes
    freed = sum(store.remove(image) for image in images)
    terminal.result({"removed": [*images], "freed_bytes": freed})
    terminal.say(f"removed {', '.join(images)}: {freed / 1e6:.1f} MB are free")
