"""Which function of a service is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from bareboat.cli.options import Source
from bareboat.cli.terminal import Terminal
from bareboat.errors import BareboatError, ConfigurationError

if TYPE_CHECKING:
    from bareboat.service.model import Service

F = TypeVar("F", bound=Callable[..., Any])


def function_option(text: str) -> Callable[[F], F]:
    """Give a command `-f NAME`, completed by the names in serverless.yml."""
    return click.option("-f", "--function", "name", metavar="NAME", shell_complete=_names, help=text)


def chosen(service: Service, name: str | None, *, images: bool = False) -> str:
    """Return the name of the function that is meant: the only one when none is named.

    Args:
        images: whether functions that are container images are among them.
    Raises:
        ConfigurationError: there is no such function, or none is named and there are several.
    """
    names: list[str] = [*service.functions, *(service.image_functions if images else ())]
    listed = ", ".join(names)
    if name is None:
        if len(names) == 1:
            return names[0]
        if not names:
            raise ConfigurationError(f"{service.name} has no functions", where=str(service.path))
        raise ConfigurationError(
            f"{service.name} has {len(names)} functions", expected=f"one of {listed}", fix=f"-f {names[0]}"
        )
    if name not in names:
        from difflib import get_close_matches

        nearest = get_close_matches(name, names, n=1)
        raise ConfigurationError(
            f"{service.name} has no function {name!r}",
            expected=f"one of {listed}" if names else "",
            fix=f"-f {nearest[0]}" if nearest else "",
        )
    return name


def _names(ctx: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from pathlib import Path

    config = ctx.params.get("config")
    source = Source(None if config is None else Path(config), ctx.params.get("stage"), ctx.params.get("region"), {})
    try:
        functions = source.load(Terminal()).functions
    except (BareboatError, OSError):
        return []  # a shell in the middle of a word is no place for an error
    return [CompletionItem(name) for name in functions if name.startswith(incomplete)]
