"""Which observations a command is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from bareboat.cli.options import Source
    from bareboat.cli.terminal import Terminal

F = TypeVar("F", bound=Callable[..., Any])


def local_option(command: F) -> F:
    """Give a command `--local`."""
    return click.option("--local", "is_local", is_flag=True, help="Of the local cloud: what `serve` did here.")(command)


def observed_file(terminal: Terminal, source: Source) -> Path:
    """Return the file of the service that is meant, whether it is there or not.

    A serverless.yml that is broken at the moment does not stand in the way of what was kept.

    Raises:
        ConfigurationError: there is no service.
    """
    from bareboat.local.observe.place import observed_path

    place = source.config or Path()
    path = observed_path(place if place.is_dir() else place.parent)
    return path if path.is_file() else observed_path(source.load(terminal).folder)


def known_function(terminal: Terminal, source: Source, path: Path, name: str | None) -> str:
    """Return the name of the function that is meant; "" is all of them.

    Raises:
        ConfigurationError: neither the service nor what was kept knows it.
    """
    from bareboat.cli.functions import chosen
    from bareboat.local.observe.query import functions

    if name is None or name in functions(path):
        return name or ""
    return chosen(source.load(terminal), name)


def nothing_kept(source: Source, path: Path, *, narrowed: bool) -> BareboatError:
    """Return what to say where nothing was kept.

    Args:
        narrowed: whether only a part was asked for, such as the last ten minutes.
    """
    if path.is_file() and (why := _unusable(path)):
        return BareboatError(f"{path.name} {why}", expected="what serve has kept", where=str(path))
    if narrowed and path.is_file():
        return BareboatError(
            "of what was kept, nothing fits what was asked for",
            expected="another function, pattern or time: --since and --until",
        )
    return BareboatError(
        "nothing has been kept of this service yet",
        expected="a request or an event that the local cloud has answered",
        fix=f"bareboat serve{source.flags}, then send a request",
    )


def _unusable(path: Path) -> str:
    """Return why a store cannot be read; "" when it can."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return (
        "" if head in (b"", b"SQLite format 3\0") else "is damaged; the next serve moves it aside and begins a new one"
    )
