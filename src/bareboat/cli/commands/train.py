"""`bareboat train`: from a table to a project that serves its model."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from bareboat.cli.group import Command
from bareboat.cli.models import FILE, count, drawable, kilobytes
from bareboat.cli.terminal import Terminal, shown

if TYPE_CHECKING:
    from bareboat.project import Project
    from bareboat.train import Training

_SHARE = click.FloatRange(0.0, 0.9)
_MOST_BARS = 10


@click.command(cls=Command)
@click.argument("data", type=FILE, metavar="DATA")
@click.option("--target", required=True, metavar="COLUMN", help="The column with the answers.")
@click.option(
    "--task",
    type=click.Choice(("auto", "classification", "regression")),
    default="auto",
    help="What the target is; auto looks at it, and says why.",
)
@click.option(
    "--library",
    type=click.Choice(("lightgbm", "xgboost", "sklearn", "catboost")),
    default="lightgbm",
    help="Who fits.  [default: lightgbm]",
)
@click.option(
    "--loss",
    metavar="NAME",
    help="squared_error (ls), absolute_error (lad), huber, quantile; log_loss (deviance), exponential.",
)
@click.option("--alpha", type=float, default=0.9, help="The quantile of --loss quantile.  [default: 0.9]")
@click.option(
    "--subsample", type=float, default=1.0, metavar="SHARE", help="The rows that each round sees.  [default: 1]"
)
@click.option(
    "--validation", type=_SHARE, default=0.2, metavar="SHARE", help="Rows that end the rounds.  [default: 0.2]"
)
@click.option("--test", type=_SHARE, default=0.2, metavar="SHARE", help="Rows held out for the score.  [default: 0.2]")
@click.option("--refit", is_flag=True, help="Fit again at the best size, on the validation rows too.")
@click.option("--trees", type=int, metavar="N", help="Rounds at most.  [default: 1000; 100 without --validation]")
@click.option("--learning-rate", type=float, default=0.1, metavar="RATE", help="Of each round.  [default: 0.1]")
@click.option("--leaves", type=int, metavar="N", help="Of a tree at most.  [default: the library's]")
@click.option("--seed", type=int, default=0, metavar="N", help="Of the split and the library.  [default: 0]")
@click.option("--drop", multiple=True, metavar="COLUMN", help="Leave a column out; may be repeated.")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Take a column that looks like an id.")
@click.option("--category", multiple=True, metavar="COLUMN", help="Take numbers as names.")
@click.option("--group", metavar="COLUMN", help="Keep rows of one value in one part of the split.")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(("leaks", "rare")),
    help="Take columns that give the answer away, or classes of one or two rows.",
)
@click.option("--delimiter", metavar="CHARACTER", help="Of a text file.  [default: as its first lines have it]")
@click.option("--encoding", metavar="NAME", help="Of a text file.  [default: utf-8]")
@click.option("-n", "--name", metavar="NAME", help="The service's name.  [default: the folder's]")
@click.option(
    "-o",
    "-p",
    "--path",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write; nothing in it is overwritten.  [default: the target's name]",
)
@click.pass_obj
def train(terminal: Terminal, /, data: Path, path: Path | None, name: str | None, **asked: Any) -> None:
    """Train a model on a table, and write the project that serves it.

    The library does the fitting. bareboat splits the rows, stops at the best size, scores what will be served on rows
    that were held out, and writes model, signature, samples, train.json and report.html.

    \b
    bareboat train iris.csv --target species
    bareboat train flats.parquet --target rent --loss quantile --alpha 0.9 --path rent
    bareboat train churn.csv --target left --library sklearn --subsample 0.8 --drop customer_id
    """
    from bareboat.train import Options, check_folder, write_project
    from bareboat.train import train as fit

    options = Options(**asked)
    folder = path or Path(name or _folder_name(options.target))
    check_folder(folder, name=name)
    with terminal.progress("Training") as step:
        training = fit(data, options, on_step=step)
        step("writing the project")
        project = write_project(training, folder, name=name)
    for note in training.notes:
        (terminal.warning if note.level == "warning" else terminal.note)(note.text)
    if terminal.as_json:
        terminal.document(_document(training, project))
        return
    _show(terminal, training)
    _next(terminal, project)


def _folder_name(target: str) -> str:
    """Name a folder after the target, as a service may be called."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in target).strip("-").lower()
    return plain or "model"


def _document(training: Training, project: Project) -> dict[str, Any]:
    from bareboat.train.record import record_of

    return {
        "service": project.name,
        "folder": str(project.folder),
        "files": list(project.files),
        "train": record_of(training),
    }


def _show(terminal: Terminal, training: Training) -> None:
    from bareboat.cli.chart import curve_lines

    task, split, fitted = training.task, training.split, training.fitted
    kind = f"classification, {task.n_classes} classes" if task.is_classification else "regression"
    parts = f"{len(split.train)} to learn from, {len(split.validation)} to stop at, {len(split.test)} held out"
    model = training.served.model
    terminal.write(f"task      {kind}: {task.why}")
    terminal.write(f"rows      {training.n_rows}: {parts}, {split.how}")
    terminal.write(f"features  {_counted_features(training)}")
    size = f"{count(fitted.rounds, 'round')} of {fitted.curves.grown}, {count(model.n_trees, 'tree')}"
    terminal.write(f"model     {fitted.library}, {training.loss.name}: {size}, {kilobytes(len(fitted.data))}")
    curves = fitted.curves
    drawn = (
        {"validation": curves.validation, "training": curves.train} if curves.validation else {"training": curves.train}
    )
    terminal.write(f"\n{curves.metric} after each round; {fitted.rounds} kept: {fitted.why}")
    terminal.write(drawable(curve_lines(drawn, marked=fitted.rounds, height=10)))
    _show_importances(terminal, training)
    _show_scores(terminal, training)


def _counted_features(training: Training) -> str:
    kinds: dict[str, int] = {}
    for feature in training.features:
        kinds[feature.column.kind] = kinds.get(feature.column.kind, 0) + 1
    words = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    holed = sum(feature.is_nullable for feature in training.features)
    return f"{len(training.features)}: {words}" + (f"; {holed} with missing values" if holed else "")


def _show_importances(terminal: Terminal, training: Training) -> None:
    import numpy as np

    from bareboat.cli.chart import bar

    shares = training.fitted.importances
    order = np.argsort(-shares, kind="stable")[:_MOST_BARS].tolist()
    names = [training.features[place].name[:40] for place in order]
    width = max(map(len, names))
    top = float(shares.max()) or 1.0
    terminal.write(f"\nimportances, by {training.fitted.importance.partition(':')[0]}")
    lines = [
        f"{name:<{width}}  {shares[place]:6.1%}  {bar(float(shares[place]) / top)}".rstrip()
        for name, place in zip(names, order, strict=True)
    ]
    terminal.write(drawable(lines))


def _show_scores(terminal: Terminal, training: Training) -> None:
    judged = training.judged
    if judged is None:
        terminal.write("\nno rows were held out: there is no score")
        return
    rows = len(training.split.test if judged.part == "test" else training.split.validation)
    where = "held out" if judged.part == "test" else "at which the rounds ended too, so rather too good"
    terminal.write(f"\nscores on {rows} rows, {where}")
    terminal.table(
        ("score", "value", "low", "high", "no_features", "95 % interval"),
        [
            (
                score.name,
                f"{score.value:.4g}",
                f"{score.low:.4g}",
                f"{score.high:.4g}",
                "" if score.guess is None else f"{score.guess:.4g}",
                score.interval,
            )
            for score in judged.scores
        ],
    )


def _next(terminal: Terminal, project: Project) -> None:
    folder = shown(project.folder)
    terminal.say(f"written: {folder}: {', '.join(project.files)}")
    body = project.sample.replace("'", "'\\''")
    here = [] if project.folder == Path.cwd() else [f"cd {quote(str(folder))}"]
    curl = f"curl -H 'Content-Type: application/json' -d '{body}' http://127.0.0.1:3000/predict"
    terminal.next(*here, "bareboat serve", *([curl] if len(curl) < 1000 else []))
