"""`bareboat image run`: an image in docker or podman."""

from __future__ import annotations

import os
import shlex
import sys

import click

from bareboat.cli.group import Command
from bareboat.cli.images import command_argument, engine_option
from bareboat.cli.terminal import Terminal


@click.command(cls=Command, context_settings={"allow_interspersed_args": False})
@click.argument("image")
@command_argument()
@click.option("-p", "--publish", "ports", multiple=True, metavar="HOST:PORT", help="Open a port of the container here.")
@click.option(
    "-v", "--volume", "mounts", multiple=True, metavar="SOURCE:TARGET", help="Mount a folder or file; :ro at the end."
)
@click.option("-e", "--env", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable; NAME passes ours.")
@click.option("--gpus", metavar="all|N|device=0,1", default="", help="Give it GPUs.")
@click.option("--name", default="", metavar="NAME", help="Name the container.")
@click.option("-d", "--detach", "detached", is_flag=True, help="Run it in the background and print its id.")
@click.option(
    "--rm/--keep",
    "disposable",
    default=None,
    help="Leave nothing of the container once it has ended, or keep it.  [default: --keep with --detach, else --rm]",
)
@click.option("-i", "--interactive", is_flag=True, help="Pass stdin on; a terminal is passed on anyway.")
@engine_option
@click.option(
    "--engine-arg",
    "more",
    multiple=True,
    metavar="OPTION",
    help="An option of the engine's own run, after those of BAREBOAT_ENGINE_ARGS; may be repeated.",
)
@click.pass_obj
def run(  # noqa: PLR0913, PLR0917 - one argument a flag
    terminal: Terminal,
    image: str,
    command: tuple[str, ...],
    ports: tuple[str, ...],
    mounts: tuple[str, ...],
    variables: tuple[str, ...],
    gpus: str,
    name: str,
    detached: bool,
    disposable: bool | None,
    interactive: bool,
    engine: str | None,
    more: tuple[str, ...],
) -> None:
    """Run an image in docker or podman.

    IMAGE is one of `bareboat image list`, or the folder of an image layout; it is loaded into the engine unless it is
    there. COMMAND runs in place of what the image says.

    The container has this terminal, its signals and its exit code. Options stand before IMAGE.
    """
    from bareboat.container.engine import find_engine
    from bareboat.container.finding import find_image
    from bareboat.container.loading import load, name_in
    from bareboat.container.running import Run, hand_over, has_nvidia_driver, run_command, run_detached

    if terminal.as_json and not detached:
        raise click.UsageError("--json needs --detach: without it stdout is the container's")
    found = find_image(image)
    chosen = find_engine(engine)
    if gpus and not has_nvidia_driver():
        terminal.warning("this machine shows no NVIDIA driver: there is no /dev/nvidiactl")
    is_terminal = not detached and sys.stdin.isatty() and sys.stdout.isatty()
    wanted = Run(
        command,
        ports,
        mounts,
        variables,
        gpus,
        name,
        detached=detached,
        disposable=not detached if disposable is None else disposable,
        interactive=interactive or is_terminal,
        terminal=is_terminal,
        more=(*os.environ.get("BAREBOAT_ENGINE_ARGS", "").split(), *more),
    )
    words = run_command(chosen, name_in(chosen, found), wanted)
    with terminal.progress("Loading") as step:
        loaded = load(chosen, found, on_step=step)
    terminal.log(f"handing over to {chosen.kind}")
    if not detached:
        hand_over(words)
    container = run_detached(chosen, words)
    handle = name or container[:12]
    terminal.result({"container": container, "name": name, "image": loaded, "engine": chosen.kind}, container)
    engine_words = shlex.join(chosen.command)
    terminal.next(
        f"bareboat image exec {handle} -- sh", f"{engine_words} logs -f {handle}", f"{engine_words} stop {handle}"
    )
