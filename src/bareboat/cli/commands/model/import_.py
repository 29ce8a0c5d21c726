"""`bareboat model import`: a model file -> a `.forest` or `.pipeline` file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.models import FILE, count, is_kept, kilobytes, model_argument, tell_of_opening
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.forest.ir import Ensemble
    from bareboat.pipeline.ir import Pipeline


@click.command("import", cls=Command)
@model_argument
@click.option(
    "-o", "--output", type=FILE, metavar="FILE", help="The file to write.  [default: MODEL.forest, MODEL.pipeline]"
)
@click.option("--no-statistics", is_flag=True, help="Leave out covers, gains and leaf ids.")
@click.option("--rounds", type=int, metavar="N", help="Keep the first N rounds only, of a model of trees.")
@click.pass_obj
def import_(terminal: Terminal, model: Path, output: Path | None, no_statistics: bool, rounds: int | None) -> None:
    """Turn a model file into a .forest or .pipeline file.

    A model that is trees alone becomes a .forest file, and one with more to it, such as a scikit-learn Pipeline, a
    .pipeline file; neither needs a framework. MODEL may be such a file too, to keep some rounds or no statistics.
    Statistics are what importances, SHAP values and leaf ids are worked out from; predictions do not need them. Where
    a model was stopped early, its rounds up to the best one are taken, as its framework predicts with them.
    """
    from bareboat.forest.ir import Ensemble
    from bareboat.pipeline.reading import read_model

    if output is not None:
        _check_output(output, model)
    tell_of_opening(terminal, model)
    with terminal.progress(f"Importing {model.name}") as step:
        found = read_model(model)
        is_trees = isinstance(found, Ensemble)
        if output is None:
            output = model.with_suffix(".forest" if is_trees else ".pipeline")
            output = Path(output.name) if is_kept(model) else output
            _check_output(output, model)
        step(f"writing {output.name}")
        if isinstance(found, Ensemble):
            found = _write_forest(found, output, rounds, statistics=not no_statistics)
        else:
            _write_pipeline(found, output, rounds, statistics=not no_statistics)
    for note in found.notes:
        terminal.note(note)
    size_bytes = output.stat().st_size
    document = _of_trees(found) if isinstance(found, Ensemble) else _of_steps(found)
    terminal.result(
        {
            "forest" if is_trees else "pipeline": str(output),
            "size_bytes": size_bytes,
            "source": found.source,
            "objective": found.objective,
            **document,
            "statistics": not no_statistics,
            "notes": list(found.notes),
        },
        f"{shown(output)}: {_made_of(found)} of {found.source}, {kilobytes(size_bytes)}",
    )
    terminal.next(f"bareboat model info {shown(output)}")


def _check_output(output: Path, model: Path) -> None:
    if output.exists() and model.exists() and output.samefile(model):
        raise click.UsageError(f"{shown(output)} is the model itself: --output with another name")


def _write_forest(ensemble: Ensemble, output: Path, rounds: int | None, *, statistics: bool) -> Ensemble:
    from bareboat.forest.file import write_forest
    from bareboat.forest.rounds import first_rounds

    _check_suffix(output, ".pipeline", "trees alone", ".forest")
    if rounds is not None:
        ensemble = first_rounds(ensemble, rounds)
    write_forest(ensemble, output, statistics=statistics)
    return ensemble


def _write_pipeline(pipeline: Pipeline, output: Path, rounds: int | None, *, statistics: bool) -> None:
    from bareboat.pipeline.file import write_pipeline

    if rounds is not None:
        raise click.UsageError(f"--rounds is for models that are trees alone; this one is {pipeline.objective}")
    _check_suffix(output, ".forest", "more than trees", ".pipeline")
    write_pipeline(pipeline, output, statistics=statistics)


def _check_suffix(output: Path, wrong: str, what: str, right: str) -> None:
    if output.suffix == wrong:
        raise click.UsageError(f"{shown(output)}: the model is {what}, whose file is named *{right}")


def _of_trees(ensemble: Ensemble) -> dict[str, Any]:
    return {
        "n_trees": ensemble.n_trees,
        "n_rounds": ensemble.n_rounds,
        "n_leaves": ensemble.n_leaves,
        "n_features": ensemble.n_features,
    }


def _of_steps(pipeline: Pipeline) -> dict[str, Any]:
    from bareboat.pipeline.summary import agreement

    return {
        "kind": pipeline.kind,
        "agreement": agreement(pipeline),
        "n_steps": len(pipeline.steps),
        "n_trees": pipeline.n_trees,
        "n_features": pipeline.n_features,
    }


def _made_of(found: Ensemble | Pipeline) -> str:
    from bareboat.forest.ir import Ensemble

    if isinstance(found, Ensemble):
        return count(found.n_trees, "tree")
    steps = count(len(found.steps), "step")
    return f"{steps}, {count(found.n_trees, 'tree')}" if found.n_trees else steps
