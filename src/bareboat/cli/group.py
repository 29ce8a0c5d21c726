"""Commands that are imported when they are called: one file and one line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from bareboat.cli.options import output_options, service_parameters


class Command(click.Command):
    """A command that takes `--json` and `-v` after its name too; `-v` may mean something else to it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taken = {option for parameter in self.params for option in parameter.opts}
        self.params.extend(output_options(without=taken))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words after the command's name; what is wrong with them is told with the command's name."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class LazyGroup(click.Group):
    """A group whose commands are modules of one package, each imported when it is named (or listed by `--help`).

    The command `x-y` is the attribute `x_y` of the module `x_y`; `import`, which Python keeps, is `import_`.

    Args:
        package: where the modules lie.
        sections: a heading for `--help` -> the names of its commands, in the order to show them.
        aliases: another name -> the command's name; not listed.
        about_a_service: whether `--config`, `--stage`, `--region` and `--param` may stand before the command's name.
    """

    def __init__(
        self,
        *args: Any,
        package: str,
        sections: Mapping[str, Sequence[str]],
        aliases: Mapping[str, str] | None = None,
        about_a_service: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.package = package
        self.sections = sections
        self.aliases = dict(aliases or {})
        if about_a_service:
            self.params.extend(service_parameters())
        self.params.extend(output_options())

    @property
    def names(self) -> tuple[str, ...]:
        """Every command's name, in the order of the sections."""
        return tuple(name for names in self.sections.values() for name in names)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names without importing anything."""
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; None when there is no such name."""
        name = self.aliases.get(cmd_name, cmd_name)
        if name not in self.names:
            return None
        attribute = name.replace("-", "_") + "_" * iskeyword(name)
        command = getattr(import_module(f"{self.package}.{attribute}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name.

        Raises:
            click.UsageError: there is none; the nearest name is the fix.
        """
        command = self.get_command(ctx, args[0])
        if command is not None:
            return command.name, command, args[1:]
        if ctx.resilient_parsing:
            return None, None, args[1:]
        raise UnknownCommand(args[0], (*self.names, *self.aliases), ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings."""
        limit = formatter.width - 6 - max(map(len, self.names))
        for heading, names in self.sections.items():
            rows = []
            for name in names:
                command = self.get_command(ctx, name)
                assert command is not None
                rows.append((name, command.get_short_help_str(limit)))
            with formatter.section(heading):
                formatter.write_dl(rows)


class UnknownCommand(click.UsageError):
    """A command that does not exist; carries the nearest that do."""

    def __init__(self, name: str, known: Iterable[str], ctx: click.Context) -> None:
        from difflib import get_close_matches

        super().__init__(f"{ctx.command_path} has no command {name!r}", ctx=ctx)
        self.known = tuple(known)
        nearest = get_close_matches(name, self.known, n=1)
        self.fix = f"{ctx.command_path} {nearest[0]}" if nearest else f"{ctx.command_path} --help"
