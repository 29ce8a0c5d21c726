"""A model file -> the files of a project that serves it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any

from bareboat.errors import ModelError

if TYPE_CHECKING:
    from bareboat.forest.ir import Category, Ensemble

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.()/-]*(?: [A-Za-z0-9_.()/-]+)*")
_RESERVED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

_CONFIG = """\
# {title}
# The model is served by its own trees: no handler to write, no framework in the artifact.
service: {service}

provider:
  name: aws
  runtime: python{python}
  architecture: {architecture}

functions:
  predict:
    model: {model}
    # The names that requests use, in the model's order. Rename them as you like: the model's own names go on working.
    # A feature that may be null or left out: - {{name: x, nullable: true}}; those that the model has seen missing are.
    features:
{features}
{labels}    samples:
      - event.json
    events:
      - httpApi: POST /predict
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

`event.json` holds a row made up from the model's own thresholds. Put in one whose answer you know.
"""


_IGNORED = """\
.bareboat/
.serverless/
.venv/
__pycache__/
*.py[co]
"""


PYTHON, ARCHITECTURE = "3.13", "arm64"
"""What a new project asks of Lambda."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person says of a project besides the model.

    Args:
        sample: a row that the model is asked, by name or in its order; None makes one up.
        python, architecture: Lambda's.
    """

    sample: Mapping[str, Any] | Sequence[Any] | None = None
    python: str = PYTHON
    architecture: str = ARCHITECTURE


def files_around(model: Path, folder: Path, service: str, wish: Wish) -> tuple[dict[str, bytes], str]:
    """Read a model and return what a project for it holds, relative path -> content, and a sample request body.

    A model that lies in `folder` already is not among the files.

    Raises:
        ModelError: the file cannot be read, or it is no model.
    """
    from bareboat.forest import read_ensemble

    forest = read_ensemble(model)
    source = model.resolve()
    inside = source.is_relative_to(folder)
    name = source.relative_to(folder).as_posix() if inside else source.name
    row = sample_row(forest) if wish.sample is None else wish.sample
    sample = json.dumps(row, ensure_ascii=False)
    # an event with a key `body` is the row itself where the model has a feature of that name
    event = row if "body" in row else {"body": sample}
    title = _title(forest, source.name)
    files = {
        "serverless.yml": _config(forest, service, name, title, wish),
        "event.json": json.dumps(event, ensure_ascii=False, indent=2) + "\n",
        "README.md": _README.format(service=service, title=title, body=sample.replace("'", "'\\''")),
        ".gitignore": _IGNORED,
    }
    encoded = {path: text.encode() for path, text in files.items()}
    if not inside:
        try:
            encoded[name] = source.read_bytes()
        except OSError as error:
            raise ModelError(f"{model} cannot be read: {error.strerror}", where=str(model)) from error
    return encoded, sample


def sample_row(forest: Ensemble) -> dict[str, Category]:
    """Make up a row from the middle of each feature's thresholds: plausible, and none that anybody measured."""
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


def _config(forest: Ensemble, service: str, model: str, title: str, wish: Wish) -> str:
    classes = forest.classes or [f"class_{number}" for number in range(forest.n_classes)]
    names = ", ".join(_scalar(label) if isinstance(label, str) else json.dumps(label) for label in classes[:3])
    if forest.n_classes > 3:
        names += ", ..."
    labels = _OWN_LABELS if forest.classes else _LABELS
    return _CONFIG.format(
        title=title,
        service=service,
        python=wish.python,
        architecture=wish.architecture,
        model=_scalar(model),
        features="\n".join(f"      - {entry}" for entry in _features(forest)),
        labels=labels.format(n=forest.n_classes, names=names) if forest.is_classifier else "",
    )


def _features(forest: Ensemble) -> list[str]:
    """Return the entries of `features`: those whose splits have a side for NaN were trained with missing values."""
    from bareboat.forest.ir import Rule

    trees = forest.trees
    has_side = (trees.rule == Rule.NAN_LEFT) | (trees.rule == Rule.NAN_RIGHT)
    seen_missing = set(trees.feature[has_side].tolist())
    return [
        f"{{name: {_scalar(name)}, nullable: true}}" if index in seen_missing else _scalar(name)
        for index, name in enumerate(forest.feature_names)
    ]


def _title(forest: Ensemble, file_name: str) -> str:
    kind = f"a classifier of {forest.n_classes} classes" if forest.is_classifier else "a regressor"
    size = f"{_counted(forest.n_trees, 'tree')}, {_counted(forest.n_features, 'feature')}"
    return f"{file_name} ({forest.source}, {forest.objective}): {kind}, {size}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _scalar(text: str) -> str:
    """Write a text as a YAML scalar that reads back as this text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return json.dumps(text, ensure_ascii=False)
