"""A file and what is asked -> a trained model with all that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bareboat.errors import InputError
from bareboat.train.background import background_of
from bareboat.train.columns import Column, read_column
from bareboat.train.encoders import texts
from bareboat.train.features import Feature, choose_features, find_columns, frame_of
from bareboat.train.fitted import Fitted, Fitting
from bareboat.train.installed import need
from bareboat.train.leaks import refuse_leaks
from bareboat.train.libraries import fit, fit_again
from bareboat.train.losses import Loss, default_loss, find_loss
from bareboat.train.notes import Note, Notes
from bareboat.train.options import Options
from bareboat.train.scores import Score, confusion, judge
from bareboat.train.served import Served
from bareboat.train.split import Split, split_rows
from bareboat.train.table import Table, read_table
from bareboat.train.task import Task, find_task

MOST_DRIFT = 1e-6
"""How far the served answers may be from the library's before it is told; XGBoost computes in float32."""
MOST_SCATTERED = 300
_MOST_LEARNED = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the model did on rows that it has not learned from.

    Args:
        part: test, or validation when there was no test part: then the rounds were chosen on these rows.
        scores: the first is the one to name.
        confusion: (n_classes, n_classes) rows of a class (line) answered with a class (column), or None.
        scatter: (n, 2) some true and answered values, or None.
    """

    part: str
    scores: tuple[Score, ...]
    confusion: NDArray[np.int64] | None
    scatter: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A trained model.

    Args:
        options: what was asked for.
        table: that it was trained on; its frame holds the rows.
        n_rows: with an answer.
        task, features, split, loss: what was made of it.
        fitted: by the library.
        served: the model as the artifact will answer with it.
        judged: None without rows to judge by.
        drift: the greatest difference between the library's answers and the served ones, on the rows that were judged.
        background: for explanations.
        notes: what its person should know.
    """

    options: Options
    table: Table
    n_rows: int
    task: Task
    features: tuple[Feature, ...]
    split: Split
    loss: Loss
    fitted: Fitted
    served: Served
    judged: Judged | None
    drift: float
    background: dict[str, Any]
    notes: tuple[Note, ...]


def train(path: Path, options: Options, on_step: Callable[[str], None] = lambda _: None) -> Training:
    """Train a model on a table; the same file, options and versions give the same bytes.

    Args:
        path: CSV or Parquet.
        on_step: told of each step that begins.
    Raises:
        ConfigurationError: the options contradict themselves.
        InputError: the table cannot be learned from.
        BareboatError: a library is not installed, or refuses.
    """
    options.check()
    need("pandas", "holds tables")
    need("sklearn", "splits and encodes")
    notes = Notes()
    on_step(f"reading {path.name}")
    table = read_table(path, notes, delimiter=options.delimiter, encoding=options.encoding)
    columns, target, groups = _columns(table, options, notes)
    task = find_task(target, options.task, notes, allow_rare="rare" in options.allow)
    loss = _loss(options, task)
    features = tuple(choose_features(columns, options.keep, options.category, notes))
    refuse_leaks(features, task, notes, allow="leaks" in options.allow)
    split = split_rows(task, validation=options.validation, test=options.test, seed=options.seed, groups=groups)
    frame = frame_of(features)
    learned = split.learned(refit=options.refit)
    _tell_copies(frame, learned, split.test, notes)
    on_step(f"fitting {options.rounds} rounds at most with {options.library}")
    fitting = _fitting(options, loss, task, features, split, frame, notes)
    fitted = fit(fitting)
    if options.refit:
        on_step(f"fitting {fitted.rounds} rounds on {len(learned)} rows")
        fitted = fit_again(fitting, fitted)
    on_step("judging what will be served")
    served = Served(fitted.data, fitted.file_name)
    judged, drift = _judged(options, task, split, frame, fitted, served, loss)
    if drift > MOST_DRIFT:
        notes.warn(f"served answers differ from {options.library}'s by up to {drift:.1e}")
    outputs = served.outputs(texts(frame.iloc[learned[:_MOST_LEARNED]]))
    return Training(
        options=options,
        table=table,
        n_rows=len(task.truth),
        task=task,
        features=features,
        split=split,
        loss=loss,
        fitted=fitted,
        served=served,
        judged=judged,
        drift=drift,
        background=background_of(features, learned, outputs),
        notes=tuple(notes.all),
    )


def _columns(table: Table, options: Options, notes: Notes) -> tuple[list[Column], Column, Sequence[Any] | None]:
    """Return the columns, the target and the groups, of the rows that have an answer."""
    names, where = [str(name) for name in table.frame.columns], str(table.path)
    find_columns(names, [options.target], "--target", where)
    for flag, asked in (("--drop", options.drop), ("--keep", options.keep), ("--category", options.category)):
        find_columns(names, asked, flag, where)
    find_columns(names, [options.group] if options.group else [], "--group", where)
    without = {*options.drop, options.group, options.target}
    target = _read(table, options.target, options, notes)
    known = ~target.missing
    if not known.all():
        notes.warn(f"{(~known).sum()} rows are left out: {target.name} is missing there", target.name)
    if not known.any():
        raise InputError(f"{target.name} is empty", expected="answers to learn from", fix="--target", where=where)
    rows = np.flatnonzero(known)
    columns = [_read(table, name, options, notes).taken(rows) for name in names if name not in without]
    groups = None if options.group is None else table.frame[options.group].iloc[rows].tolist()
    return columns, target.taken(rows), groups


def _read(table: Table, name: str, options: Options, notes: Notes) -> Column:
    try:
        return read_column(name, table.frame[name], notes, is_category=name in options.category)
    except InputError as error:
        problem = error.problems[0]
        raise InputError(problem.found, expected=problem.expected, fix=problem.fix, where=str(table.path)) from error


def _loss(options: Options, task: Task) -> Loss:
    loss = default_loss(task.kind) if options.loss is None else find_loss(options.loss)
    loss.check(options.library, task.kind)
    if loss.most_classes and task.n_classes > loss.most_classes:
        raise InputError(
            f"--loss {loss.name} for {task.n_classes} classes", expected="two classes", fix="--loss log_loss"
        )
    return loss


def _tell_copies(frame: Any, learned: NDArray[np.intp], held: NDArray[np.intp], notes: Notes) -> None:
    """Tell when rows that are judged stand among those that are learned from."""
    copies = frame.iloc[np.concatenate([learned, held])].duplicated().to_numpy()[len(learned) :]
    if len(copies) and copies.mean() > 0.01:
        notes.warn(
            f"{copies.mean():.0%} of the rows held out equal one that was learned from in every feature: the score is "
            "that of rows seen before; --group keeps rows that belong together in one part"
        )


def _fitting(
    options: Options, loss: Loss, task: Task, features: tuple[Feature, ...], split: Split, frame: Any, notes: Notes
) -> Fitting:
    def part(rows: NDArray[np.intp]) -> tuple[Any, NDArray[np.float64]]:
        return frame.iloc[rows].reset_index(drop=True), task.truth[rows]

    validation = part(split.validation) if len(split.validation) else None
    return Fitting(options, loss, task.n_classes, features, part(split.train), validation, notes)


def _judged(
    options: Options, task: Task, split: Split, frame: Any, fitted: Fitted, served: Served, loss: Loss
) -> tuple[Judged | None, float]:
    part, rows = ("test", split.test) if len(split.test) else ("validation", split.validation)
    held = rows if len(rows) else split.train[:_MOST_LEARNED]
    outputs = served.outputs(texts(frame.iloc[held]))
    drift = float(np.abs(outputs - np.asarray(fitted.predict(frame.iloc[held]), np.float64)).max())
    if not len(rows):
        return None, drift
    truth = task.truth[rows]
    learned = task.truth[split.learned(refit=options.refit)]
    scores = judge(task, outputs, truth, learned, loss=loss.name, alpha=options.alpha, seed=options.seed)
    if task.is_classification:
        return Judged(part, tuple(scores), confusion(outputs, truth, task.n_classes), None), drift
    chosen = np.random.default_rng(options.seed).permutation(len(rows))[:MOST_SCATTERED]
    return Judged(part, tuple(scores), None, np.column_stack([truth[chosen], outputs[chosen]])), drift
