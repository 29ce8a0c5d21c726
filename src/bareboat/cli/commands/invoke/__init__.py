"""`bareboat invoke`: `invoke local`, `invoke api`, and a clear word about the deployed function."""

from __future__ import annotations

from typing import Any

import click

from bareboat.cli.group import LazyGroup
from bareboat.errors import ConfigurationError

COMMANDS = frozenset({"local", "api"})


class Invoke(LazyGroup):
    """`invoke local` and `invoke api`. `invoke -f NAME`, Serverless's for a deployed function, is answered in words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command.

        Raises:
            ConfigurationError: a deployed function is meant, which this version cannot invoke.
        """
        if not COMMANDS.intersection(args) and not {"-h", "--help"}.intersection(args) and not ctx.resilient_parsing:
            raise ConfigurationError(
                "invoke reaches no deployed function: this version of bareboat does not deploy",
                expected="bareboat invoke local, which runs the artifact on this machine",
                fix=" ".join(["bareboat invoke local", *args]),
            )
        return super().parse_args(ctx, args)


@click.group(
    cls=Invoke,
    package="bareboat.cli.commands.invoke",
    sections={"Commands": ("local", "api")},
    about_a_service=True,
)
def invoke(**_before_the_command: Any) -> None:
    """Run a function once, on this machine: on an event, or as an API."""
