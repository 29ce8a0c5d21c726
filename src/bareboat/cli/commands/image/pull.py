"""`bareboat image pull`: an image of a registry to this machine."""

from __future__ import annotations

import click

from bareboat.cli.group import Command
from bareboat.cli.images import insecure_option
from bareboat.cli.terminal import Terminal


@click.command(cls=Command)
@click.argument("reference")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="OS/ARCH",
    help="The machine to pull it for: linux/amd64, linux/arm64; may be repeated.  [default: this one]",
)
@click.option("--all-platforms", is_flag=True, help="Pull it for every machine that it is there for.")
@insecure_option
@click.pass_obj
def pull(terminal: Terminal, reference: str, platforms: tuple[str, ...], all_platforms: bool, insecure: bool) -> None:
    """Pull an image from a registry.

    REFERENCE is NAME:TAG of Docker Hub, HOST/PATH/NAME:TAG of another registry, or either with @sha256:DIGEST.

    Every layer is verified, and what is here already is not fetched again. Credentials are those that docker login or
    podman login keeps.
    """
    import platform as this_machine

    from bareboat.container.documents import linux_platform
    from bareboat.container.pull import pull as pull_image
    from bareboat.container.reference import parse_reference
    from bareboat.container.store import Store

    if all_platforms and platforms:
        raise click.UsageError("--platform and --all-platforms exclude each other")
    image = parse_reference(reference)
    wanted = [linux_platform(name) for name in platforms or (this_machine.machine(),)]
    store = Store.open()
    with terminal.progress("Pulling") as step, store.adding() as layout:
        pulled = pull_image(image, layout, platforms=None if all_platforms else wanted, on_step=step, insecure=insecure)
        named = layout.tag(image.familiar, pulled)
    size_bytes, there = store.size_bytes(named), store.platforms(named)
    pinned = f"{image.registry}/{image.repository}@{pulled.digest}"
    terminal.result(
        {"image": named.name, "digest": pulled.digest, "platforms": list(there), "size_bytes": size_bytes}, pinned
    )
    terminal.say(f"pulled {image} for {', '.join(there)}: {size_bytes / 1e6:.1f} MB, here as {named.name}")
    terminal.next(f"bareboat image run {named.name}")
