"""`bareboat model importances`: which features the trees go by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bareboat.cli.group import Command
from bareboat.cli.models import FILE, check_plot, count, drawable, model_argument, open_model, plot_option
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.forest.estimator import Forest
    from bareboat.forest.rows import Matrix

KINDS = ("split", "gain", "average_gain", "cover", "average_cover", "impurity", "shap")


@click.command(cls=Command)
@model_argument
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    metavar="KIND",
    help=f"{', '.join(KINDS)}.  [default: gain, or split where the model does not tell gains]",
)
@click.option("--data", type=FILE, metavar="FILE", help="Rows for --kind shap: CSV or Parquet.")
@click.option("--target", metavar="NAME", help="A column of these rows that is no feature.")
@click.option(
    "--top", type=click.IntRange(min=1), default=20, show_default=True, metavar="N", help="How many features to show."
)
@plot_option
@click.pass_obj
def importances(
    terminal: Terminal,
    model: Path,
    kind: str | None,
    data: Path | None,
    target: str | None,
    top: int,
    plot: Path | None,
) -> None:
    """Show how much each feature matters.

    split counts splits, gain adds what they gained, cover the training rows that they divided; average_gain and
    average_cover are per split; impurity is scikit-learn's, shap the mean of absolute SHAP values over --data.
    """
    from bareboat.forest.importance import ranking

    check_plot(plot)
    forest = open_model(terminal, model)
    kind = kind or ("split" if forest.ensemble.trees.split_gain is None else "gain")
    values = forest.feature_importances(kind, _rows(forest, data, target) if kind == "shap" else None)
    names = forest.ensemble.feature_names
    order = ranking(values).tolist()
    top_names, top_values = [names[at] for at in order[:top]], [float(values[at]) for at in order[:top]]
    if plot is not None:
        from bareboat.forest.pictures import draw_bars

        draw_bars(plot, top_names, top_values, kind, f"{model.name}: importances by {kind.replace('_', ' ')}")
    if terminal.as_json:
        found = [{"feature": names[at], "importance": float(values[at])} for at in order]
        terminal.document({"kind": kind, "importances": found, "plot": None if plot is None else str(plot)})
        return
    terminal.write(drawable(_lines(top_names, top_values, kind)))
    if len(names) > top:
        terminal.say(f"and {count(len(names) - top, 'feature')} more: --top {len(names)}")
    if plot is not None:
        terminal.say(f"written: {shown(plot)}")


def _rows(forest: Forest, data: Path | None, target: str | None) -> Matrix:
    from bareboat.forest.dataset import read_rows

    if data is None:
        raise click.UsageError("--kind shap needs rows to explain: --data FILE")
    return read_rows(data, forest.ensemble, target)


def _lines(names: list[str], values: list[float], kind: str) -> list[str]:
    from bareboat.cli.chart import bar

    largest = max(values) or 1.0
    shown_values = [f"{value:.6g}" for value in values]
    width = max(len("feature"), *map(len, names))
    digits = max(len(kind), *map(len, shown_values))
    lines = [f"{'feature':<{width}}  {kind:>{digits}}"]
    lines += [
        f"{name:<{width}}  {text:>{digits}}  {bar(value / largest)}".rstrip()
        for name, text, value in zip(names, shown_values, values, strict=True)
    ]
    return lines
