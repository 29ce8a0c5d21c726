"""A training -> `report.html`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from bareboat.train.contract import json_value
from bareboat.train.features import Feature
from bareboat.train.report import drawings
from bareboat.train.report.drawings import number, short
from bareboat.train.report.style import STYLE
from bareboat.train.scores import Score
from bareboat.train.training import Training

MOST_BYTES = 200_000
_MOST_FEATURES, _MOST_BARS, _MOST_CLASSES, _MOST_NOTES, _MOST_JSON = 150, 25, 15, 30, 3000

_WORDS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "log_loss": "Log loss",
    "roc_auc": "ROC AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "pinball": "Pinball loss",
    "share_below": "Share at or below the answer",
}


def report_page(training: Training, record: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]) -> str:
    """Return the page.

    Args:
        record: what `train.json` holds.
        samples: rows with their answers.
    """
    target = training.options.target
    parts = [
        f"<h1>{short(target)} <span class=soft>from {short(training.table.path.name)}</span></h1>",
        f"<p>{_summary(training)}</p>",
        _notes(training),
        _scores(training),
        _curves(training),
        _importances(training),
        _errors(training),
        _features(training),
        _samples(samples),
        _making(record),
    ]
    title = escape(f"{target}: {training.fitted.library}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title>\n<style>\n{STYLE}</style></head>\n<body><main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main></body></html>\n"
    )


def _summary(training: Training) -> str:
    task, split = training.task, training.split
    kind = f"A classifier of {task.n_classes} classes" if task.is_classification else "A regressor"
    parts = [f"{len(split.train)} to learn from"]
    if len(split.validation):
        parts.append(f"{len(split.validation)} to stop at")
    if len(split.test):
        parts.append(f"{len(split.test)} held out")
    return (
        f"{kind} by {escape(training.fitted.library)}, "
        f"{training.fitted.rounds} of {training.fitted.curves.grown} rounds. "
        f"{training.n_rows} rows: {', '.join(parts)}, {escape(split.how)}, seed {training.options.seed}. "
        f"<span class=soft>The task is {task.kind}: {escape(task.why)}.</span>"
    )


def _notes(training: Training) -> str:
    ordered = sorted(training.notes, key=lambda note: note.level != "warning")
    items = [f'<li class="{note.level}"><b>{note.level}</b> {short(note.text, 400)}</li>' for note in ordered]
    if len(items) > _MOST_NOTES:
        items = [*items[:_MOST_NOTES], f"<li>and {len(items) - _MOST_NOTES} more in train.json</li>"]
    return f'<ul class="notes">{"".join(items)}</ul>' if items else ""


def _scores(training: Training) -> str:
    judged = training.judged
    if judged is None:
        return "<h2>Score</h2><p>No rows were held out: there is no honest score.</p>"
    rows = len(training.split.test if judged.part == "test" else training.split.validation)
    text = f"On {rows} rows that were held out, as the artifact answers them; intervals of 95&nbsp;%."
    if judged.part == "validation":
        text = (
            f"On the {rows} validation rows, at which the number of rounds was chosen too: rather too good. "
            "<code>--test 0.2</code> holds rows out."
        )
    cards = "".join(_card(score) for score in judged.scores)
    return f'<h2>Score</h2><p>{text}</p><div class="cards">{cards}</div>'


def _card(score: Score) -> str:
    guess = "" if score.guess is None else f"<br>without any feature: {number(score.guess)}"
    if score.name == "share_below":
        guess = "" if score.guess is None else f"<br>asked for: {number(score.guess)}"
    better = "greater" if score.is_better_high else "smaller"
    end = "" if score.name == "share_below" else f"; {better} is better"
    return (
        f'<div class="card"><span>{_WORDS.get(score.name, score.name)}</span><b>{number(score.value)}</b>'
        f"{number(score.low)} to {number(score.high)}"
        f'<span class="soft"><br>{escape(score.interval)}{end}{guess}</span></div>'
    )


def _curves(training: Training) -> str:
    curves, fitted = training.fitted.curves, training.fitted
    drawn = {"validation": curves.validation, "training": curves.train, "out of bag": curves.oob}
    present = {name: values for name, values in drawn.items() if values and np.isfinite(values).all()}
    if not present:
        return ""
    text = f"{fitted.rounds} rounds are kept: {escape(fitted.why)}."
    if fitted.rounds == fitted.curves.grown and curves.validation:
        text += " The error was still falling at the last round: more <code>--trees</code> may do better."
    figure = drawings.curves_figure(present, kept=fitted.rounds, metric=_WORDS.get(curves.metric, curves.metric))
    return f"<h2>Error after each round</h2><p>{text}</p>{figure}"


def _importances(training: Training) -> str:
    shares = training.fitted.importances
    order = np.argsort(-shares, kind="stable")[:_MOST_BARS].tolist()
    names = [training.features[place].name for place in order]
    figure = drawings.bars_figure(names, [float(shares[place]) for place in order])
    more = len(shares) - len(order)
    rest = f" The {more} others are in train.json." if more else ""
    return f"<h2>Importances</h2><p>By {escape(training.fitted.importance)}.{rest}</p>{figure}"


def _errors(training: Training) -> str:
    judged = training.judged
    if judged is None:
        return ""
    if judged.scatter is not None:
        n = len(judged.scatter)
        figure = drawings.scatter_figure(judged.scatter)
        return f"<h2>Answers over true values</h2><p>{n} of the {judged.part} rows.</p>{figure}"
    counts, classes = judged.confusion, training.task.classes
    assert counts is not None
    if len(classes) <= _MOST_CLASSES:
        return f"<h2>Right and wrong answers</h2>{drawings.matrix_figure(counts, classes)}"
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CLASSES]
    pairs = [(int(place) // len(classes), int(place) % len(classes)) for place in order]
    rows = [[short(classes[t]), short(classes[a]), str(wrong[t, a])] for t, a in pairs if wrong[t, a]]
    found = drawings.table((("true", False), ("answer", False), ("rows", True)), rows)
    return f"<h2>Most frequent wrong answers</h2>{found}" if rows else ""


def _features(training: Training) -> str:
    rows = [_feature(feature) for feature in training.features[:_MOST_FEATURES]]
    head = (("name", False), ("dtype", False), ("missing", True), ("values", False))
    more = len(training.features) - len(rows)
    rest = f"<p>The {more} others are in train.json.</p>" if more else ""
    return f"<h2>Features</h2>{drawings.table(head, rows)}{rest}"


def _feature(feature: Feature) -> list[str]:
    column = feature.column
    missing = f"{column.missing.mean():.1%}" if column.missing.any() else ""
    if feature.categories is not None:
        shown = ", ".join(str(label) for label in feature.categories[:6])
        more = len(feature.categories) - 6
        return [short(feature.name), "category", missing, short(shown, 120) + (f" and {more} more" if more > 0 else "")]
    if column.kind == "bool":
        return [short(feature.name), "bool", missing, f"{np.nanmean(column.values):.1%} true"]
    low, high = (json_value(column.kind, float(end(column.values))) for end in (np.nanmin, np.nanmax))
    text = f"{low} to {high}" if column.kind != "float" else f"{number(low)} to {number(high)}"
    return [short(feature.name), column.kind, missing, escape(text)]


def _samples(samples: Sequence[Mapping[str, Any]]) -> str:
    shown = "".join(
        f"<pre>{short(json.dumps(each['row'], ensure_ascii=False), _MOST_JSON)}\n"
        f"→ {short(json.dumps(each['answer'], ensure_ascii=False), _MOST_JSON)}   (true: {short(each['true'])})</pre>"
        for each in samples[:3]
    )
    return f"<h2>Samples</h2><p>Requests and their answers, of rows that were not learned from.</p>{shown}"


def _making(record: Mapping[str, Any]) -> str:
    data, model = record["data"], record["model"]
    rows = [
        ("data", f"{data['file']}, {data['rows']} rows, {data['columns']} columns, sha256 {data['sha256']}"),
        ("model", f"{model['file']}, {model['trees']} trees, {model['size_bytes']} bytes, sha256 {model['sha256']}"),
        ("loss", record["loss"]),
        ("estimator", f"{record['estimator']} {json.dumps(record['settings'], default=str)}"),
        (
            "asked for",
            json.dumps({k: v for k, v in record["options"].items() if v not in (None, [])}, ensure_ascii=False),
        ),
        ("served answers", f"at most {record['drift']:.1e} from the library's own"),
        ("versions", ", ".join(f"{name} {version}" for name, version in record["versions"].items())),
    ]
    cells = [[escape(name), short(value, 1500)] for name, value in rows]
    return f"<h2>How it was made</h2>{drawings.table((('', False), ('', False)), cells)}"
