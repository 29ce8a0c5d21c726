"""`bareboat model import`: a model file -> a `.forest` file."""

from __future__ import annotations

from pathlib import Path

import click

from bareboat.cli.group import Command
from bareboat.cli.models import FILE, count, kilobytes, model_argument
from bareboat.cli.terminal import Terminal, shown


@click.command("import", cls=Command)
@model_argument
@click.option("-o", "--output", type=FILE, metavar="FILE", help="The .forest file.  [default: MODEL.forest]")
@click.option("--no-statistics", is_flag=True, help="Leave out covers, gains and leaf ids.")
@click.option("--rounds", type=int, metavar="N", help="Keep the first N rounds only.")
@click.pass_obj
def import_(terminal: Terminal, model: Path, output: Path | None, no_statistics: bool, rounds: int | None) -> None:
    """Turn a model file into a .forest file.

    The .forest file needs no framework. MODEL may be one too, to keep some rounds or no statistics. Statistics are
    what importances, SHAP values and leaf ids are worked out from; predictions do not need them. Where a model was
    stopped early, its rounds up to the best one are taken, as its framework predicts with them.
    """
    from bareboat.forest import read_ensemble
    from bareboat.forest.file import write_forest
    from bareboat.forest.rounds import first_rounds

    output = output or model.with_suffix(".forest")
    if output.exists() and model.exists() and output.samefile(model):
        raise click.UsageError(f"{shown(output)} is the model itself: --output with another name")
    with terminal.progress(f"Importing {model.name}") as step:
        ensemble = read_ensemble(model)
        if rounds is not None:
            ensemble = first_rounds(ensemble, rounds)
        step(f"writing {output.name}")
        write_forest(ensemble, output, statistics=not no_statistics)
    for note in ensemble.notes:
        terminal.note(note)
    size_bytes = output.stat().st_size
    terminal.result(
        {
            "forest": str(output),
            "size_bytes": size_bytes,
            "source": ensemble.source,
            "objective": ensemble.objective,
            "n_trees": ensemble.n_trees,
            "n_rounds": ensemble.n_rounds,
            "n_leaves": ensemble.n_leaves,
            "n_features": ensemble.n_features,
            "statistics": not no_statistics,
            "notes": list(ensemble.notes),
        },
        f"{shown(output)}: {count(ensemble.n_trees, 'tree')} of {ensemble.source}, {kilobytes(size_bytes)}",
    )
    terminal.next(f"bareboat model info {shown(output)}")
