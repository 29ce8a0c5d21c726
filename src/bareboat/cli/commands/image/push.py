"""`bareboat image push`: an image to a registry."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.images import insecure_option
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@click.argument("image")
@click.argument("reference", required=False)
@insecure_option
@click.option(
    "--chunk-mb",
    type=click.IntRange(1, 5_000),
    metavar="N",
    help="Send layers in pieces of N MB, for a proxy that takes no larger ones. Found out by itself too.",
)
@click.pass_obj
def push(terminal: Terminal, image: str, reference: str | None, insecure: bool, chunk_mb: int | None) -> None:
    """Push an image to a registry.

    IMAGE is one of `bareboat image list`, or the folder of an image layout. REFERENCE says where to, as
    HOST/PATH/NAME:TAG; it may be left out when IMAGE is named so.

    What the registry has already is not sent; a broken connection is taken up where it broke. Credentials are those
    that docker login or podman login keeps.
    """
    from bareboat.container.finding import find_image
    from bareboat.container.push import destination
    from bareboat.container.push import push as push_image

    found = find_image(image)
    there = destination(found.name, reference)
    with terminal.progress("Pushing") as step:
        pushed = push_image(
            found.layout,
            found.descriptor,
            there,
            on_step=step,
            insecure=insecure,
            chunk_bytes=None if chunk_mb is None else chunk_mb * 1_000_000,
        )
    counts = {how: pushed.count(how) for how in ("sent", "mounted", "there")}
    pinned = f"{there.registry}/{there.repository}@{pushed.digest}"
    terminal.result(
        {
            "reference": str(there),
            "digest": pushed.digest,
            "pinned": pinned,
            "blobs": counts,
            "sent_bytes": pushed.sent_bytes,
            "total_bytes": pushed.total_bytes,
        },
        pinned,
    )
    terminal.say(
        f"pushed {there}: {counts['sent']} parts sent ({pushed.sent_bytes / 1e6:.1f} of "
        f"{pushed.total_bytes / 1e6:.1f} MB), {counts['mounted']} mounted, {counts['there']} were there"
    )
