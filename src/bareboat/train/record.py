"""A training -> `train.json`, which holds all that a rerun, a review or a page needs."""

from __future__ import annotations

import platform
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from bareboat.train.features import Feature
from bareboat.train.installed import versions
from bareboat.train.training import Training

FORMAT = 1


def record_of(training: Training) -> dict[str, Any]:
    """Return the record as JSON has it: no time and no path, so that a rerun gives the same bytes."""
    from bareboat import __version__

    table, task, fitted = training.table, training.task, training.fitted
    options = {name: list(each) if isinstance(each, tuple) else each for name, each in asdict(training.options).items()}
    return {
        "format": FORMAT,
        "data": {
            "file": table.path.name,
            "sha256": table.digest,
            "size_bytes": table.size_bytes,
            "rows": len(table.frame),
            "columns": len(table.frame.columns),
            "delimiter": table.delimiter,
            "encoding": table.encoding,
        },
        "options": options,
        "task": {
            "kind": task.kind,
            "why": task.why,
            "target": training.options.target,
            "classes": list(task.classes),
            "rows": training.n_rows,
        },
        "split": training.split.to_dict() | {"seed": training.options.seed},
        "features": [_feature(feature) for feature in training.features],
        "library": fitted.library,
        "estimator": fitted.estimator,
        "loss": training.loss.name,
        "settings": dict(fitted.settings),
        "rounds": {"grown": fitted.curves.grown, "kept": fitted.rounds, "why": fitted.why},
        "model": {
            "file": fitted.file_name,
            "sha256": sha256(fitted.data).hexdigest(),
            "size_bytes": len(fitted.data),
            "source": training.served.model.source,
            "trees": training.served.model.n_trees,
            "rows": len(training.split.learned(refit=training.options.refit)),
        },
        "scores": _scores(training),
        "drift": training.drift,
        "importance": fitted.importance,
        "importances": {
            feature.name: share for feature, share in zip(training.features, fitted.importances.tolist(), strict=True)
        },
        "curves": fitted.curves.to_dict(),
        "versions": {
            "bareboat": __version__,
            "python": platform.python_version(),
            **versions("numpy", "pandas", "pyarrow", "scikit-learn", *fitted.packages),
        },
        "notes": [note.to_dict() for note in training.notes],
    }


def _feature(feature: Feature) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": feature.name,
        "dtype": feature.column.kind,
        "missing": int(feature.column.missing.sum()),
    }
    if feature.safe != feature.name:
        entry["column"] = feature.safe
    if feature.categories is not None:
        entry |= {"categories": len(feature.categories), "rare": feature.rare}
    return entry


def _scores(training: Training) -> dict[str, Any] | None:
    judged = training.judged
    if judged is None:
        return None
    rows = len(training.split.test if judged.part == "test" else training.split.validation)
    found: dict[str, Any] = {"part": judged.part, "rows": rows}
    found |= {score.name: score.to_dict() for score in judged.scores}
    if judged.confusion is not None:
        found["confusion"] = judged.confusion.tolist()
    return found
