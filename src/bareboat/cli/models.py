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
    from bareboat.pipeline.ir import Pipeline

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)
_ASCII = str.maketrans("├└│─█▋▊▉", "|`|-####", "▏▎▍▌")


class ModelPath(click.Path):
    """A model file, or the folder of an MLflow model; one of a store is fetched, and its copy is the path."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a path.

        Raises:
            BareboatError: the store refuses, or cannot be reached.
        """
        from bareboat.service.stores import is_remote

        if not isinstance(value, str) or not is_remote(value) or ctx is None or ctx.resilient_parsing:
            return super().convert(value, param, ctx)
        from bareboat.artifact.fetch import fetch_alone
        from bareboat.service.model import local_file

        with ctx.ensure_object(Terminal).progress(f"Fetching {value}") as step:
            return local_file(fetch_alone(value, step))


def model_argument(command: F) -> F:
    """Give a command the argument MODEL."""
    return click.argument("model", type=ModelPath(path_type=Path), metavar="MODEL")(command)


def is_kept(path: Path) -> bool:
    """Tell whether a model is the copy of one in a store, beside which nobody wants files written."""
    from bareboat.packaging.cache import cache_folder

    return path.is_relative_to(cache_folder("models"))


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
    """Open a model of trees alone, from a file of any known format or a `.forest` file.

    Raises:
        ModelError: it cannot be read, is of no known format or damaged, or there is more to it than trees.
    """
    found = open_any(terminal, path)
    from bareboat.pipeline.ir import Pipeline

    if isinstance(found, Pipeline):
        from bareboat.errors import ModelError

        raise ModelError(
            f"a compiled pipeline: {found.objective}",
            expected="a model that is trees alone, for this command",
            fix="bareboat model info shows its columns and steps; give the file of its last step for its trees",
            where=str(path),
        )
    return found


def open_any(terminal: Terminal, path: Path) -> Forest | Pipeline:
    """Open a model file of any known format, or that of an MLflow folder, and tell what opening a pickle means.

    Raises:
        ModelError: it cannot be read, is of no known format, cannot be compiled, or is damaged.
    """
    from bareboat.forest.estimator import Forest
    from bareboat.forest.opening import is_forest_file
    from bareboat.pipeline.foreign.mlflow import is_mlflow_folder, read_mlflow_folder
    from bareboat.pipeline.ir import Pipeline
    from bareboat.pipeline.reading import read_model

    tell_of_opening(terminal, path)
    code = None
    if is_mlflow_folder(path):
        folder = read_mlflow_folder(path)
        path, code = folder.file, folder.code
    with terminal.progress(f"Reading {path.name}"):
        if is_forest_file(path):
            return Forest.from_model(path)
        found = read_model(path, cwd=code)
        return found if isinstance(found, Pipeline) else Forest.from_ensemble(found)


def tell_of_opening(terminal: Terminal, path: Path) -> None:
    """Say that a pickle runs code, before it does; raises ModelError when the file cannot be read."""
    from bareboat.pipeline.reading import opening_note

    note = opening_note(path)
    if note is not None:
        terminal.note(note)


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
