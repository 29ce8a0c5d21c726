"""What the commands about models share: which model is meant, and drawings for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bareboat.cli.terminal import Terminal

if TYPE_CHECKING:
    from bareboat.forest.estimator import Forest

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)
_ASCII = str.maketrans("├└│─█▋▊▉", "|`|-####", "▏▎▍▌")


def model_argument(command: F) -> F:
    """Give a command the argument MODEL."""
    return click.argument("model", type=FILE, metavar="MODEL")(command)


def plot_option(command: F) -> F:
    """Give a command `--plot`."""
    return click.option("--plot", type=FILE, metavar="FILE", help="Draw a picture: a name in .png or .svg.")(command)


def check_plot(plot: Path | None) -> None:
    """See that the picture that is asked for can be drawn, before any work.

    Raises:
        BareboatError: it cannot.
    """
    if plot is not None:
        from bareboat.forest.pictures import check_picture

        check_picture(plot)


def open_model(terminal: Terminal, path: Path) -> Forest:
    """Open a model file of any known format, or a `.forest` file.

    Raises:
        ModelError: it cannot be read, is of no known format, or is damaged.
    """
    from bareboat.forest.estimator import Forest

    with terminal.progress(f"Reading {path.name}"):
        return Forest.from_model(path)


def drawable(lines: Iterable[str]) -> str:
    """Join lines for stdout; where its encoding lacks the characters of boxes and bars, by plainer ones."""
    text = "\n".join(lines)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII).encode(encoding, "replace").decode(encoding)
    return text


def count(number: int, noun: str) -> str:
    """Return `1 tree` or `3 trees`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def kilobytes(size_bytes: int) -> str:
    """Return a size in KB of 1000 bytes."""
    return f"{size_bytes / 1000:.1f} KB"
