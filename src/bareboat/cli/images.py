"""Options and words that the commands of `bareboat image` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bareboat.cli.terminal import Terminal
    from bareboat.container.image import Image

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


def layer_documents(image: Image) -> list[dict[str, Any]]:
    """Return an image's own layers for `--json`."""
    return [
        {
            "name": layer.name,
            "digest": layer.descriptor.digest,
            "size_bytes": layer.descriptor.size,
            "unpacked_bytes": layer.unpacked_bytes,
        }
        for layer in image.layers
    ]


def layer_table(terminal: Terminal, image: Image) -> None:
    """Show what an image is made of, the base first."""
    rows: list[tuple[Any, ...]] = [(image.base, f"{image.base_bytes / 1e6:.3f}", "", "", "base")]
    rows += [
        (
            layer.name,
            f"{layer.descriptor.size / 1e6:.3f}",
            f"{layer.unpacked_bytes / 1e6:.3f}",
            layer.files,
            layer.descriptor.digest.removeprefix("sha256:")[:12],
        )
        for layer in image.layers
    ]
    terminal.table(("layer", "size_mb", "unpacked_mb", "files", "digest"), rows)
