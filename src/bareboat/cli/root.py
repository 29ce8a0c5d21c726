"""The root of the command line: which commands there are, and how a run ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from bareboat.cli.failures import exit_code_of
from bareboat.cli.group import LazyGroup
from bareboat.cli.terminal import Terminal

# A command is a file in commands/ and its name here.
SECTIONS = {
    "Start here": ("demo", "create", "train"),
    "Your service": (
        "check",
        "lock",
        "package",
        "invoke",
        "event",
        "serve",
        "logs",
        "metrics",
        "token",
        "keys",
        "openapi",
        "export",
    ),
    "On AWS": ("deploy", "info", "smoke", "diff", "list", "rollback", "remove", "adopt", "doctor"),
    "Your model": ("model",),
    "Your images": ("image",),
    "Your source": ("strip", "loc"),
    "Your shell and editor": ("completion", "schema"),
}
ALIASES = {"offline": "serve"}  # the name that users of serverless-offline type


class Bareboat(LazyGroup):
    """The root group: it shows what went wrong and turns it into an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, show errors as bareboat shows them, and leave with the exit code.

        Raises:
            SystemExit: always, unless `standalone_mode` is False.
        """
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        arguments = sys.argv[1:] if args is None else list(args)
        terminal = Terminal()
        try:
            code = super().main(arguments, prog_name, complete_var, standalone_mode=False, obj=terminal, **extra)
        except BaseException as error:  # noqa: BLE001 - every end of a run is told here, bugs included
            code = exit_code_of(error, terminal, arguments)
        sys.exit(code or 0)


def _show_version(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from bareboat import __version__

        ctx.ensure_object(Terminal).result({"version": __version__}, f"bareboat {__version__}")
        ctx.exit()


@click.group(
    cls=Bareboat,
    package="bareboat.cli.commands",
    sections=SECTIONS,
    aliases=ALIASES,
    about_a_service=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="bareboat demo shows the whole way in a few seconds. COMMAND --help tells more.",
)
@click.option("--version", is_flag=True, expose_value=False, callback=_show_version, help="Show the version and leave.")
def bareboat(**_before_the_command: Any) -> None:
    """Run trained Python models without servers: from a model file to an endpoint, here and on AWS Lambda."""
