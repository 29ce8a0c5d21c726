"""`bareboat image exec`: another program in a container that runs."""

from __future__ import annotations

import sys

import click

from bareboat.cli.group import Command
from bareboat.cli.images import command_argument, engine_option
from bareboat.cli.terminal import Terminal


@click.command(cls=Command, context_settings={"allow_interspersed_args": False})
@click.argument("container")
@command_argument(required=True)
@click.option("-e", "--env", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable; NAME passes ours.")
@click.option("-i", "--interactive", is_flag=True, help="Pass stdin on; a terminal is passed on anyway.")
@engine_option
@click.pass_obj
def exec(  # noqa: A001 - the command of that name
    terminal: Terminal,
    container: str,
    command: tuple[str, ...],
    variables: tuple[str, ...],
    interactive: bool,
    engine: str | None,
) -> None:
    """Run another program in a container that runs.

    CONTAINER is the name that `bareboat image run --name` gave, or the id that it printed. COMMAND may follow a --.
    """
    from bareboat.container.engine import find_engine
    from bareboat.container.running import exec_command, hand_over

    if terminal.as_json:
        raise click.UsageError("stdout is the program's, so that there is no --json")
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    hand_over(
        exec_command(
            find_engine(engine),
            container,
            command,
            variables=variables,
            interactive=interactive or is_terminal,
            terminal=is_terminal,
        )
    )
