"""`bareboat model tree`: one tree, drawn."""

from __future__ import annotations

from pathlib import Path

import click

from bareboat.cli.group import Command
from bareboat.cli.models import check_plot, drawable, model_argument, open_model, plot_option
from bareboat.cli.terminal import Terminal, shown


@click.command(cls=Command)
@model_argument
@click.option("-n", "--number", type=int, default=0, show_default=True, metavar="N", help="Which tree; the first is 0.")
@plot_option
@click.pass_obj
def tree(terminal: Terminal, model: Path, number: int, plot: Path | None) -> None:
    """Draw a tree.

    Its questions, where a missing value goes, and what its leaves add; the answer yes goes first. `cover` is the
    weight of the training rows that came to a place, where the model tells it.
    """
    from bareboat.forest.treeview import tree_view

    check_plot(plot)
    view = tree_view(open_model(terminal, model).ensemble, number)
    if plot is not None:
        from bareboat.forest.pictures import draw_tree

        draw_tree(plot, view)
    if terminal.as_json:
        terminal.document({**view.to_dict(), "plot": None if plot is None else str(plot)})
        return
    terminal.write(drawable([view.title, *view.lines()]))
    if plot is not None:
        terminal.say(f"written: {shown(plot)}")
