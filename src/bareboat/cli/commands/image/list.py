"""`bareboat image list`: the images of this machine."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.terminal import Terminal


@click.command("list", cls=Command)
@click.pass_obj
def list(terminal: Terminal) -> None:  # noqa: A001 - the command's name
    """List the images that were built or pulled here."""
    from bareboat.container.store import Store

    store = Store.open()
    images = store.images()
    if terminal.as_json:
        terminal.document(
            [
                {
                    "name": image.name,
                    "digest": image.descriptor.digest,
                    "platforms": [*image.platforms],
                    "size_bytes": image.size_bytes,
                }
                for image in images
            ]
        )
        return
    if not images:
        terminal.say(f"there are no images in {store.layout.path}")
        terminal.next("bareboat package --image", "bareboat image build", "bareboat image pull NAME")
        return
    terminal.table(
        ("name", "digest", "platforms", "size_mb"),
        [
            (
                image.name,
                image.descriptor.digest.removeprefix("sha256:")[:12],
                ", ".join(image.platforms),
                f"{image.size_bytes / 1e6:.1f}",
            )
            for image in images
        ],
    )
