"""`bareboat model stages`: the error after each round, and how many rounds are enough."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.models import FILE, check_plot, drawable, kilobytes, model_argument, open_model, plot_option
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.forest.curve import Curve
    from bareboat.forest.estimator import Forest


@click.command(cls=Command)
@model_argument
@click.option("--data", type=FILE, required=True, metavar="FILE", help="Rows that were not trained on: CSV or Parquet.")
@click.option("--train", type=FILE, metavar="FILE", help="The rows that were trained on, for a second curve.")
@click.option(
    "--target", metavar="NAME", help="The column with the true answers.  [default: the one that is no feature]"
)
@click.option("--metric", metavar="NAME", help="The error.  [default: the one that goes with the objective]")
@click.option(
    "--within",
    type=click.FloatRange(min=0.0),
    default=0.0,
    metavar="PERCENT",
    help="Take the smallest number of rounds whose error is within PERCENT of the smallest error.",
)
@plot_option
@click.option("--truncate", type=FILE, metavar="FILE", help="Write a .forest file of these rounds.")
@click.pass_obj
def stages(  # noqa: PLR0913, PLR0917 - one argument a flag
    terminal: Terminal,
    model: Path,
    data: Path,
    train: Path | None,
    target: str | None,
    metric: str | None,
    within: float,
    plot: Path | None,
    truncate: Path | None,
) -> None:
    """Draw the error after each round, say what is enough.

    The metric is log_loss of a classifier, else rmse, mae or the deviance that the model was trained for. Other names:
    error_rate, brier; mape, poisson_deviance, gamma_deviance, tweedie_deviance.
    """
    check_plot(plot)
    forest = open_model(terminal, model)
    curves = {}
    with terminal.progress("Judging") as step:
        for name, path in (("data", data), ("train", train)):
            if path is not None:
                step(f"every round on {path.name}")
                curves[name] = _curve(forest, path, target, metric)
    curve = curves["data"]
    rounds = curve.enough(within / 100)
    smaller = forest.truncate(rounds)
    if plot is not None:
        from bareboat.forest.pictures import draw_curves

        draw_curves(plot, curves, rounds, f"{model.name}: {curve.metric} after each round")
    if truncate is not None:
        smaller.save(truncate)
    if terminal.as_json:
        terminal.document(_document(forest, smaller, curves, rounds, plot, truncate))
        return
    _show(terminal, curves, rounds, model)
    terminal.write(_verdict(forest, smaller, curve, rounds))
    for path in (plot, truncate):
        if path is not None:
            terminal.say(f"written: {shown(path)}")
    if truncate is None and rounds < forest.n_rounds:
        smaller_name = f"{model.stem}-{rounds}.forest"  # never the model, nor what `model import` wrote
        flags = f" --within {within:g}" if within else ""
        terminal.next(f"bareboat model stages {shown(model)} --data {shown(data)}{flags} --truncate {smaller_name}")


def _curve(forest: Forest, path: Path, target: str | None, metric: str | None) -> Curve:
    from bareboat.forest.curve import staged_errors
    from bareboat.forest.dataset import read_dataset
    from bareboat.forest.metrics import choose_metric

    judge = choose_metric(metric, forest.objective, is_classifier=forest.is_classifier)
    examples = read_dataset(path, forest.ensemble, target)
    stages = forest.staged_predict_proba if forest.is_classifier else forest.staged_predict
    return staged_errors(stages(examples.rows), examples.truth, judge)


def _show(terminal: Terminal, curves: dict[str, Curve], rounds: int, model: Path) -> None:
    from bareboat.cli.chart import curve_lines

    metric = curves["data"].metric
    terminal.write(f"{metric} of {model.name} after each round")
    drawn = {name: curve.errors.tolist() for name, curve in curves.items()}
    terminal.write(drawable(curve_lines(drawn, marked=rounds)))
    terminal.write("")
    terminal.table(
        ("rows of", "best_rounds", "best", f"after_{rounds}", f"after_{curves['data'].n_rounds}"),
        [
            (
                name,
                curve.best,
                f"{curve.error_after(curve.best):.6g}",
                f"{curve.error_after(rounds):.6g}",
                f"{curve.error_after(curve.n_rounds):.6g}",
            )
            for name, curve in curves.items()
        ],
    )


def _verdict(forest: Forest, smaller: Forest, curve: Curve, rounds: int) -> str:
    if rounds == curve.n_rounds:
        return f"all {rounds} rounds are needed: the error is smallest after the last one"
    before, after = len(forest.file), len(smaller.file)
    return (
        f"{rounds} of {curve.n_rounds} rounds are enough: {curve.saved(rounds):.0%} fewer trees, "
        f"{kilobytes(after)} instead of {kilobytes(before)}, "
        f"{curve.metric} {curve.error_after(rounds):.6g} instead of {curve.error_after(curve.n_rounds):.6g}"
    )


def _document(
    forest: Forest, smaller: Forest, curves: dict[str, Curve], rounds: int, plot: Path | None, truncate: Path | None
) -> dict[str, Any]:
    return {
        "n_rounds": forest.n_rounds,
        "rounds": rounds,
        "saved": curves["data"].saved(rounds),
        "size_bytes": len(forest.file),
        "truncated_size_bytes": len(smaller.file),
        **{name: curve.to_dict() for name, curve in curves.items()},
        "plot": None if plot is None else str(plot),
        "truncated": None if truncate is None else str(truncate),
    }
