"""Options and words that the commands of `bareboat image` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

insecure_option = click.option(
    "--insecure",
    is_flag=True,
    help="Take any certificate of the registry, and plain HTTP. One on this machine may speak that anyway.",
)

engine_option = click.option(
    "--engine",
    metavar="NAME",
    envvar="BAREBOAT_ENGINE",
    help="docker or podman, with flags of its own: 'podman --storage-driver vfs'.  [default: the first that answers]",
)


def without_dashes(_ctx: click.Context, _argument: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the `--` that may stand before the words of another program."""
    return words[1:] if words[:1] == ("--",) else words


def command_argument(**settings: Any) -> Callable[[F], F]:
    """Give a command the words of a program to run, options and all."""
    return click.argument("command", nargs=-1, type=click.UNPROCESSED, callback=without_dashes, **settings)
