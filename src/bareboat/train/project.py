"""A training -> the files of a project that serves its model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from bareboat.project.around import IGNORED, readme
from bareboat.train.contract import Stranger, as_json, inputs_of, row_of, sample_rows
from bareboat.train.encoders import texts
from bareboat.train.features import frame_of
from bareboat.train.record import record_of
from bareboat.train.report import report_page
from bareboat.train.training import Training

SAMPLES = 5
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?: [A-Za-z0-9_]+)*")
_RESERVED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

_CONFIG = """\
# {title}
# Written by `bareboat train`: train.json says how, report.html shows it.
service: {service}

provider:
  name: aws
  runtime: python3.13
  architecture: arm64

functions:
  predict:
    model: {model}
    # What requests hold; ranges and categories are those of the table.
    signature:
      bounds: warn # a value outside is answered, with a header that says so; error: it is a 400
      inputs:
{inputs}
{labels}    samples:
      - event.json
    events:
      - httpApi: POST /predict
"""

_FILES = """\
| file | what it is |
|---|---|
| {model} | the model, as {library} saved it |
| serverless.yml | the service: its signature, its route |
| event.json, samples.json | real rows, and what they are answered with |
| background.json | what explanations have to know of the rows that were learned from |
| train.json | how the model was made: data, options, split, scores, curves, versions |
| report.html | the same to look at |
"""


def project_files(training: Training, service: str) -> tuple[dict[str, bytes], str]:
    """Return the files of a project, relative path -> content, and a sample request body.

    Args:
        service: its name.
    """
    samples = _samples(training)
    row = samples[0]["row"]
    body = json.dumps(row, ensure_ascii=False)
    record = record_of(training)
    title = title_of(training)
    model = training.fitted.file_name
    files: dict[str, bytes] = {
        "serverless.yml": _config(training, service, title).encode(),
        model: training.fitted.data,
        # an event with a key `body` is the row itself where the model has a feature of that name
        "event.json": as_json(row if "body" in row else {"body": body}).encode(),
        "samples.json": as_json(samples).encode(),
        "background.json": as_json(training.background).encode(),
        "train.json": as_json(record).encode(),
        "report.html": report_page(training, record, samples).encode(),
        "README.md": readme(service, title, body, _FILES.format(model=model, library=training.fitted.library)).encode(),
        ".gitignore": IGNORED.encode(),
    }
    return files, body


def title_of(training: Training) -> str:
    """Say in a line what was trained."""
    task = training.task
    kind = f"a classifier of {task.n_classes} classes" if task.is_classification else "a regressor"
    return (
        f"{training.options.target} from {training.table.path.name}: {kind}, {training.fitted.library}, "
        f"{training.fitted.rounds} rounds, {len(training.features)} features"
    )


def _samples(training: Training) -> list[dict[str, Any]]:
    """Return some rows that were held out, with the answers that serving gives and what was true."""
    split, task = training.split, training.task
    rows = next(part for part in (split.test, split.validation, split.train) if len(part))
    chosen = sample_rows(task.truth, rows, n=SAMPLES, n_classes=task.n_classes)
    outputs = training.served.outputs(texts(frame_of(training.features).iloc[chosen]))
    answers = training.served.answers(outputs, task.classes or None)
    strangers = _strangers(training)
    return [
        {"row": row_of(training.features, row, strangers), "answer": answer, "true": _truth(training, row)}
        for row, answer in zip(chosen, answers, strict=True)
    ]


def _truth(training: Training, row: int) -> Any:
    value = training.task.truth[row]
    return training.task.classes[int(value)] if training.task.is_classification else float(value)


def _config(training: Training, service: str, title: str) -> str:
    inputs = inputs_of(training.features, _coded(training), _strangers(training))
    labels = f"    labels: {_flow(list(training.task.classes))}\n" if training.task.classes else ""
    return _CONFIG.format(
        title=title.replace("\n", " "),
        service=service,
        model=training.fitted.file_name,
        inputs="\n".join(f"        - {_flow(entry)}" for entry in inputs),
        labels=labels,
    )


def _coded(training: Training) -> Sequence[bool]:
    """Return for each feature whether the model that is served knows its categories by name."""
    model = training.served.model
    columns = getattr(model, "columns", None)
    if columns is not None:
        return [column.values is not None for column in columns]
    return [categories is not None for categories in model.categories]  # type: ignore[union-attr]


def _strangers(training: Training) -> Sequence[Stranger]:
    """Return for each feature what a category is that was not learned.

    LightGBM and scikit-learn's histograms take it for missing, encoders for no category. XGBoost refuses it: it is
    missing only where others were learned as missing, too.
    """
    model = training.served.model
    columns = getattr(model, "columns", None)
    if columns is not None:
        return ["own" if column.values is not None and column.others else "error" for column in columns]
    found: list[Stranger] = []
    refuses = model.source.startswith("xgboost")
    for feature, categories in zip(training.features, model.categories, strict=True):  # type: ignore[union-attr]
        if not feature.is_category or (refuses and (categories is None or not feature.rare)):
            found.append("error")
        else:
            found.append("own" if categories is None else "missing")  # histograms hold whole numbers as they are
    return found


def _flow(value: Any) -> str:
    """Write a value as YAML's flow style, which reads back as this value."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    text = json.dumps(value, ensure_ascii=isinstance(value, str) and not value.isprintable())
    if isinstance(value, float) and "e" in text and "." not in text:
        text = text.replace("e", ".0e")  # YAML takes 1e-05 for a text
    return text
