"""`bareboat invoke`: `invoke local`, and a clear word about the deployed function."""

from __future__ import annotations

from typing import Any

import click

from bareboat.cli.group import LazyGroup
from bareboat.errors import ConfigurationError


class Invoke(LazyGroup):
    """`invoke local` today. `invoke -f NAME`, as Serverless has it for a deployed function, is answered in words."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before `local`.

        Raises:
            ConfigurationError: a deployed function is meant, which this version cannot invoke.
        """
        if "local" not in args and not {"-h", "--help"}.intersection(args) and not ctx.resilient_parsing:
            raise ConfigurationError(
                "invoke reaches no deployed function: this version of bareboat does not deploy",
                expected="bareboat invoke local, which runs the artifact on this machine",
                fix=" ".join(["bareboat invoke local", *args]),
            )
        return super().parse_args(ctx, args)


@click.group(
    cls=Invoke,
    package="bareboat.cli.commands.invoke",
    sections={"Commands": ("local",)},
    about_a_service=True,
)
def invoke(**_before_the_command: Any) -> None:
    """Run a function once: `invoke local`, on this machine."""
