"""A model file -> the files of a project that serves it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any, cast

from bareboat.artifact.columns import columns_of
from bareboat.artifact.inference import infer
from bareboat.errors import ModelError
from bareboat.project.own_modules import copied_modules, told
from bareboat.project.signature_text import entry, scalar
from bareboat.project.values import truths_of

if TYPE_CHECKING:
    from bareboat.forest.ir import Category, Ensemble
    from bareboat.pipeline.foreign.model import ForeignModel
    from bareboat.pipeline.ir import Column, Pipeline

_CONFIG = """\
# {title}
# The model is served by {engine}: no handler to write{without}.
service: {service}

provider:
  name: aws
  runtime: python{python}
  architecture: {architecture}

functions:
  predict:
    model: {model}
{inputs}{labels}    samples:
      - event.json
    events:
      - httpApi: POST /predict
"""

_FEATURES = """\
    # The names that requests use, in the model's order. Rename them as you like: the model's own names go on working.
    # A feature that may be null or left out: - {name: x, nullable: true}; those that the model has seen missing are.
    features:
"""
_SIGNATURE = """\
    # What requests hold, in the model's order. Rename inputs as you like: the model's own names go on working.
    # Ranges, and which may be missing, of a table: bareboat model signature MODEL --from data.csv
    signature:
      inputs:
"""
_LABELS = """\
    # What the {n} classes are called, in the model's order; without it, answers name the class by its number.
    # labels: [{names}]
"""
_OWN_LABELS = """\
    # Answers name classes as the model does; other names go here, in the model's order.
    # labels: [{names}]
"""

_README = """\
# {service}

{title}

```
bareboat check                                        # each setting, and where it comes from
bareboat serve                                        # http://127.0.0.1:3000
bareboat invoke local -f predict --path event.json    # one invocation, without HTTP
bareboat package                                      # the artifact for Lambda
```

With `bareboat serve` running:

```
curl -H 'Content-Type: application/json' -d '{body}' http://127.0.0.1:3000/predict
```

{files}"""
_FILES = "`event.json` holds a row made up from the model's own thresholds. Put in one whose answer you know.\n"

IGNORED = """\
.bareboat/
.serverless/
.venv/
__pycache__/
*.py[co]
"""


_ENGINES = {"framework": "its own framework", "onnx": "ONNX Runtime"}
PYTHON, ARCHITECTURE = "3.13", "arm64"
"""What a new project asks of Lambda."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person says of a project besides the model.

    Args:
        sample: a row that the model is asked, by name or in its order; None makes one up.
        python, architecture: Lambda's; "" takes the Python that the model must have, or else bareboat's choice.
        home: where the user's own modules that the model needs lie; None is beside its file.
    """

    sample: Mapping[str, Any] | Sequence[Any] | None = None
    python: str = ""
    architecture: str = ARCHITECTURE
    home: Path | None = None


def readme(service: str, title: str, body: str, files: str) -> str:
    """Return the README.md of a project.

    Args:
        service: its name.
        title: what it serves, in a line.
        body: a sample request.
        files: Markdown, what its files hold.
    """
    return _README.format(service=service, title=title, body=body.replace("'", "'\\''"), files=files)


def files_around(model: Path, folder: Path, service: str, wish: Wish) -> tuple[dict[str, bytes], str]:
    """Read a model and return what a project for it holds, relative path -> content, and a sample request body.

    A model that lies in `folder` already is not among the files. Of an MLflow model all of its folder is, and so are
    the user's own modules that a model needs.

    Args:
        model: a file, or the folder of an MLflow model.
    Raises:
        ModelError: the file cannot be read, or it is no model.
        ConfigurationError: it needs a module that does not lie beside it.
    """
    from bareboat.artifact.engines import served_alone
    from bareboat.pipeline.foreign.mlflow import is_mlflow_folder

    names = list(wish.sample) if isinstance(wish.sample, Mapping) else None
    served = served_alone(model, names, wish.home)
    read = served.read
    source = model.resolve()
    if source.is_file() and is_mlflow_folder(source):
        source = source.parent
    inside = source.is_relative_to(folder)
    name = source.relative_to(folder).as_posix() if inside else source.name
    row = sample_row(read) if wish.sample is None else wish.sample
    sample = json.dumps(row, ensure_ascii=False)
    # an event with a key `body` is the row itself where the model has a feature of that name
    event = row if "body" in row else {"body": sample}
    title = _title(read, source.name)
    own = copied_modules(served.modules, source, folder)
    files = {
        "serverless.yml": _config(read, service, name, title, wish),
        "event.json": json.dumps(event, ensure_ascii=False, indent=2) + "\n",
        "README.md": readme(service, title, sample, _FILES + told(own)),
        ".gitignore": IGNORED,
    }
    encoded = {path: text.encode() for path, text in files.items()}
    if not inside:
        encoded |= _copied(source, name)
    return encoded | own, sample


def _copied(source: Path, name: str) -> dict[str, bytes]:
    """Return the content of a file, or of all files of a folder, by the paths that they get."""
    files = [source]
    if source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    try:
        return {(Path(name) / path.relative_to(source)).as_posix(): path.read_bytes() for path in files}
    except OSError as error:
        raise ModelError(f"{error.filename} cannot be read: {error.strerror}", where=str(source)) from error


def sample_row(model: Ensemble | ForeignModel | Pipeline) -> dict[str, Any]:
    """Make up a row that the model answers: plausible, and none that anybody measured.

    A forest's numbers are from the middle of their thresholds; a pipeline's texts are the first that it knows.
    """
    if _has_columns(model):
        columns = columns_of(model)
        return {column.name: _sample_value(column) for column in columns if column.used or not column.nullable}
    return _forest_row(cast("Ensemble", model))


def _sample_value(column: Column) -> Any:
    for values in (column.enum, column.values):
        if values is not None:
            return next((value for value in values if value is not None), None if column.nullable else "")
    samples = {"string": "a", "category": "a", "datetime": "2026-01-01T00:00:00Z", "bool": False}
    return samples.get(column.dtype, 0)


def _forest_row(forest: Ensemble) -> dict[str, Category]:
    trees = forest.trees
    thresholds: list[list[float]] = [[] for _ in forest.feature_names]
    codes: dict[int, int] = {}
    splits = zip(trees.feature.tolist(), trees.set_number.tolist(), trees.threshold.tolist(), strict=True)
    for feature, number, threshold in splits:
        if number < 0:
            thresholds[feature].append(threshold)
        elif feature not in codes:
            codes[feature] = max(0, (trees.sets[number].codes & -trees.sets[number].codes).bit_length() - 1)
    row: dict[str, Category] = {}
    for index, name in enumerate(forest.feature_names):
        named = forest.categories[index]
        if named:
            row[name] = named[codes.get(index, 0)] if codes.get(index, 0) < len(named) else named[0]
        elif index in codes:
            row[name] = codes[index]
        else:
            row[name] = _rounded(median_low(thresholds[index])) if thresholds[index] else 0
    return row


def _rounded(value: float) -> float | int:
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _config(model: Ensemble | ForeignModel | Pipeline, service: str, file: str, title: str, wish: Wish) -> str:
    classes = model.classes or [f"class_{number}" for number in range(model.n_classes)]
    names = ", ".join(scalar(label) if isinstance(label, str) else json.dumps(label) for label in classes[:3])
    if model.n_classes > 3:
        names += ", ..."
    labels = _OWN_LABELS if model.classes else _LABELS
    return _CONFIG.format(
        title=title,
        engine=_ENGINES.get(getattr(model, "engine", ""), "its own tables" if _has_columns(model) else "its own trees"),
        without="" if hasattr(model, "engine") else ", no framework in the artifact",
        service=service,
        python=wish.python or _python(model),
        architecture=wish.architecture,
        model=scalar(file),
        inputs=_inputs(model, wish.sample),
        labels=labels.format(n=model.n_classes, names=names) if model.is_classifier else "",
    )


def _python(model: Ensemble | ForeignModel | Pipeline) -> str:
    """Return bareboat's choice, or the only Python that can run the code that stands in a pickle."""
    return str(getattr(model, "python", "")) if getattr(model, "holds_code", False) else PYTHON


def _has_columns(model: Ensemble | ForeignModel | Pipeline) -> bool:
    """Tell whether a model says of its columns what they hold: a forest knows names and categories."""
    return hasattr(model, "columns")


def _inputs(model: Ensemble | ForeignModel | Pipeline, sample: Mapping[str, Any] | Sequence[Any] | None) -> str:
    """Return the key `features` of a forest, or `signature` of a pipeline, with a comment that says what it is.

    A model keeps truth values as numbers; that a column has them, only the sample tells.
    """
    found = infer(model).inputs
    truths = truths_of([feature.name for feature in found], sample)
    found = tuple(
        replace(each, dtype="bool") if truth and each.dtype in (None, "float", "int") else each
        for each, truth in zip(found, truths, strict=True)
    )
    if not _has_columns(model):
        if any(truths):
            return _SIGNATURE + "".join(f"        - {entry(each)}\n" for each in found)
        entries = [entry(replace(each, dtype=None, nullable=each.nullable or None)) for each in found]
        return _FEATURES + "".join(f"      - {each}\n" for each in entries)
    lines = []
    for feature, column in zip(found, columns_of(model), strict=True):
        known = [value for value in column.values or () if value is not None]
        shown = ", ".join(json.dumps(value, ensure_ascii=False)[:40] for value in known[:8])
        more = f", ... ({len(known)} in all)" if len(known) > 8 else ""
        comment = f" # {shown}{more}" if known else "" if column.used else " # the model does not read it"
        lines.append(f"        - {entry(feature)}{comment}\n")
    return _SIGNATURE + "".join(lines)


def _title(model: Ensemble | ForeignModel | Pipeline, file_name: str) -> str:
    kind = f"a classifier of {model.n_classes} classes" if model.is_classifier else "a regressor"
    n_trees = getattr(model, "n_trees", 0)
    size = f"{_counted(n_trees, 'tree')}, " if n_trees else ""
    size += _counted(len(model.feature_names), "feature")
    return f"{file_name} ({model.source}, {model.objective}): {kind}, {size}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
