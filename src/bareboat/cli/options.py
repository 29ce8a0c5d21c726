"""Options that several commands share, accepted before the command's name and after it.

A flag after the name wins over the same flag before it, which wins over its BAREBOAT_* variable.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.service.model import Service, Slim
    from bareboat.service.sources import AwsResolver

F = TypeVar("F", bound=Callable[..., Any])


def given_before(ctx: click.Context, name: str) -> Any:
    """Return the value that a flag had before the command's name; None when it was not there."""
    parent = ctx.parent
    while parent is not None:
        if parent.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            return parent.params[name]
        parent = parent.parent
    return None


def _nearest(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    assert option.name is not None
    if ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
        return value
    before = given_before(ctx, option.name)
    return value if before is None else before


def _collected(ctx: click.Context, option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    assert option.name is not None
    return (*(given_before(ctx, option.name) or ()), *value)


def _as_json(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.ensure_object(Terminal).as_json = True


def _verbose(ctx: click.Context, _option: click.Parameter, value: int) -> None:
    if value and not ctx.resilient_parsing:
        ctx.ensure_object(Terminal).more_verbose(value)


def output_options(*, without: Container[str] = ()) -> list[click.Parameter]:
    """Return `--json` and `-v`, which every command and every group has.

    Args:
        without: names that mean something else there.
    """
    return [
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            envvar="BAREBOAT_JSON",
            expose_value=False,
            is_eager=True,
            callback=_as_json,
            help="Write one JSON document to stdout, errors too.",
        ),
        click.Option(
            [name for name in ("-v", "--verbose") if name not in without],
            count=True,
            expose_value=False,
            is_eager=True,
            callback=_verbose,
            help="Log to stderr; -vv logs more." if "-v" not in without else "Log to stderr; twice logs more.",
        ),
    ]


SERVICE_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("-c", "--config"),
        {
            "metavar": "PATH",
            "callback": _nearest,
            "envvar": "BAREBOAT_CONFIG",
            "help": "serverless.yml, or the folder that holds it.  [default: .]",
        },
    ),
    (("-s", "--stage"), {"metavar": "NAME", "callback": _nearest, "help": "The stage, over the file's."}),
    (("-r", "--region"), {"metavar": "NAME", "callback": _nearest, "help": "The AWS region, over the file's."}),
    (
        ("--param", "params"),
        {
            "metavar": "KEY=VALUE",
            "callback": _collected,
            "multiple": True,
            "help": "A value for ${param:KEY}; may be repeated.",
        },
    ),
)


def service_parameters() -> list[click.Parameter]:
    """Return the options that say which service, stage and region are meant."""
    return [click.Option(list(names), **attributes) for names, attributes in SERVICE_OPTIONS]


def slim_option(command: F) -> F:
    """Give a command `--slim`."""
    text = "How much of the dependencies to leave out.  [default: custom.bareboat.slim, else safe]"
    return click.option("--slim", type=click.Choice(["none", "safe", "max"]), help=text)(command)


def slimmed(service: Service, slim: Slim | None) -> Service:
    """Return a service that is slimmed as a flag says, if it says."""
    return service if slim is None else replace(service, slim=slim)


class Port(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions only
    """A TCP port."""

    name = "port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a port.

        Raises:
            click.BadParameter: it is none.
        """
        try:
            number = int(value)
        except ValueError:
            number = -1
        if not 0 <= number <= 65_535:
            error = click.BadParameter(f"{value!r} is no port", ctx=ctx, param=param)
            error.expected = "a whole number from 0 to 65535"  # type: ignore[attr-defined]
            raise error
        return number


def port_option(default: int | None, text: str) -> Callable[[F], F]:
    """Give a command `--port`."""
    return click.option(
        "-p",
        "--port",
        type=Port(),
        default=default,
        envvar="BAREBOAT_PORT",
        show_default=default is not None,
        metavar="N",
        help=text,
    )


@dataclass(frozen=True, slots=True)
class Source:
    """Which service a command is about, as flags and variables say it.

    Args:
        config: the file, or its folder; None means the current folder.
        stage, region: None leaves it to BAREBOAT_STAGE and BAREBOAT_REGION, then to the file.
    """

    config: Path | None
    stage: str | None
    region: str | None
    params: Mapping[str, str]

    @property
    def flags(self) -> str:
        """What to append to a suggested command so that it is about the same service: ` -c x -s prod`, or nothing."""
        from shlex import quote

        words = []
        if self.config is not None:
            words += ["-c", quote(str(self.config))]
        if self.stage:
            words += ["-s", quote(self.stage)]
        if self.region:
            words += ["-r", quote(self.region)]
        words += [f"--param {quote(f'{key}={value}')}" for key, value in self.params.items()]
        return "".join(f" {word}" for word in words)

    def load(self, terminal: Terminal, resolvers: Mapping[str, AwsResolver] | None = None) -> Service:
        """Read the service.

        Args:
            resolvers: what asks AWS for the values of variables; None leaves them as text.
        Raises:
            ConfigurationError: with every problem of the file at once.
        """
        from bareboat.service import load_service

        service = load_service(
            self.config or Path(), stage=self.stage, region=self.region, params=self.params, resolvers=resolvers
        )
        terminal.log(f"read {service.path}: stage {service.provider.stage}, region {service.provider.region}")
        return service


def service_options(command: F) -> F:
    """Give a command `--config`, `--stage`, `--region` and `--param`, handed over as one argument, `source`."""
    from functools import wraps

    @wraps(command)
    def called(
        *args: Any, config: str | None, stage: str | None, region: str | None, params: tuple[str, ...], **kwargs: Any
    ) -> Any:
        path = None if config is None else Path(config)
        source = Source(path, stage, region, key_values(params, "--param"))
        return command(*args, source=source, **kwargs)

    decorated: Callable[..., Any] = called
    for names, attributes in reversed(SERVICE_OPTIONS):
        decorated = click.option(*names, **attributes)(decorated)
    return decorated  # type: ignore[return-value]


def key_values(pairs: tuple[str, ...], flag: str) -> dict[str, str]:
    """Read `KEY=VALUE` pairs; the last of a key wins.

    Raises:
        click.UsageError: a pair has no `=` or no key.
    """
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.UsageError(f"{flag} {pair} is not KEY=VALUE")
        values[key] = value
    return values
