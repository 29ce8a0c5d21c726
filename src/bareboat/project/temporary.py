"""A model in memory or on disk -> the project that serves it, as `bareboat create --model` writes it."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError
from bareboat.pipeline.reading import opening_note
from bareboat.project.around import Wish
from bareboat.project.create import Project, create_project_for_model
from bareboat.project.imported import home_of

log = logging.getLogger(__name__)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")


def project_of(model: Any, folder: Path, wish: Wish, *, name: str | None = None) -> Project:
    """Write a project around a model into a folder.

    A model in memory is compiled here, in the process that it lives in, and saved as a `.pipeline` or `.forest` file;
    one that does not compile is saved with joblib, for the framework that it comes from; modules of the user's that it
    needs and this process has imported are copied. That opening a file runs its
    code is logged before it is opened, and stands in the project's notes.

    Args:
        model: a model file, or a fitted estimator, pipeline or Booster.
        folder: of the project; nothing in it is overwritten.
        name: of the service; None takes it from the model.
    Raises:
        ModelError: it cannot be read or saved, or is no model.
        ConfigurationError: the name is none that AWS takes.
    """
    is_file = isinstance(model, str | os.PathLike)
    path = Path(model) if is_file else _saved(model, folder)
    opening = opening_note(path) if is_file else None
    if opening is not None:
        log.warning("%s", opening)
    project = create_project_for_model(
        path,
        folder,
        name=name or _name(path.stem if is_file else _words(model)),
        wish=replace(wish, home=home_of(path)),
    )
    return project if opening is None else replace(project, notes=(opening,))


def _name(text: str) -> str:
    name = _NO_NAME.sub("-", text).strip("-").lower()
    return name if len(name) > 1 and name[0].isalpha() else f"model-{name}".rstrip("-")


def _words(model: Any) -> str:
    """Turn `HistGradientBoostingClassifier` into hist-gradient-boosting-classifier."""
    return "-".join(_WORD.findall(type(model).__name__))


def _saved(model: Any, folder: Path) -> Path:
    from bareboat.forest import forest_bytes
    from bareboat.forest.estimator import Forest
    from bareboat.forest.file import write_bytes
    from bareboat.pipeline.errors import NotCompilable
    from bareboat.pipeline.estimator import Model
    from bareboat.pipeline.file import pipeline_bytes
    from bareboat.pipeline.ir import Pipeline
    from bareboat.pipeline.reading import model_of

    folder.mkdir(parents=True, exist_ok=True)
    try:
        if isinstance(model, Model):
            compiled = model.compiled
        else:
            compiled = model.ensemble if isinstance(model, Forest) else model_of(model)
    except NotCompilable:
        return _pickled(model, folder / "model.joblib")
    if isinstance(compiled, Pipeline):
        data, path = pipeline_bytes(compiled), folder / "model.pipeline"
    else:
        data, path = forest_bytes(compiled), folder / "model.forest"
    write_bytes(data, path)
    return path


def _pickled(model: Any, path: Path) -> Path:
    try:
        import joblib

        joblib.dump(model, path)
    except Exception as error:  # whatever a class's own pickling raises
        raise ModelError(
            f"the {type(model).__name__} cannot be saved: {error}",
            expected="a model that pickles",
            fix="define its functions and classes in a module of your own, not in the notebook",
        ) from error
    return path
