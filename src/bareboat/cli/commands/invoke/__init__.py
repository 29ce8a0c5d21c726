"""`bareboat invoke`: `invoke local`, `invoke api`, and `invoke -f NAME` for the deployed function."""

from __future__ import annotations

from typing import Any

import click

from bareboat.cli.group import LazyGroup, UnknownCommand

COMMANDS = ("local", "api", "deployed")
_WITH_VALUE = ("-c", "--config", "-s", "--stage", "-r", "--region", "--param")
_ALONE = ("--json", "-v", "-vv", "--verbose", "-h", "--help")


class Invoke(LazyGroup):
    """`invoke local`, `invoke api`, and `invoke -f NAME` as Serverless has it: the deployed function."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command; where none is named, the deployed function is meant."""
        if not ctx.resilient_parsing and _means_deployed(args):
            args = ["deployed", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name.

        Raises:
            click.UsageError: there is none; a word alone may be a function's name.
        """
        try:
            return super().resolve_command(ctx, args)
        except UnknownCommand as error:
            if error.fix.endswith("--help"):
                error.fix = f"bareboat invoke -f {args[0]}, if that is a function"
            raise


def _means_deployed(args: list[str]) -> bool:
    """Return whether no command stands behind the options that every command takes."""
    waiting = list(args)
    while waiting:
        word = waiting.pop(0)
        if word in _ALONE:
            if word in {"-h", "--help"}:
                return False
        elif word in _WITH_VALUE:
            waiting = waiting[1:]
        elif not (word.partition("=")[0] in _WITH_VALUE or word[:2] in {"-c", "-s", "-r"}):
            return word.startswith("-")
    return bool(args)


@click.group(
    cls=Invoke,
    package="bareboat.cli.commands.invoke",
    sections={"Commands": COMMANDS},
    about_a_service=True,
)
def invoke(**_before_the_command: Any) -> None:
    """Run a function once: on this machine, or on AWS.

    `bareboat invoke -f NAME` is the deployed one, as with Serverless.
    """
