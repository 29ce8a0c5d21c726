"""A model file or a live model -> Ensemble where it is trees alone, Pipeline where there is more to it.

A pickle is opened, and taken apart, in a child process; what comes back is the bytes of a `.pipeline` file, which the
kernel checks as it checks any other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bareboat.errors import ModelError, Problem
from bareboat.forest.ir import Ensemble
from bareboat.forest.readers.child import run_child
from bareboat.forest.readers.child_answer import unpacked
from bareboat.forest.readers.child_formats import is_pickle, pickle_kind
from bareboat.forest.readers.child_openers import read_saved
from bareboat.forest.readers.files import ensemble_from_model, read_ensemble
from bareboat.forest.readers.reader import HEAD_BYTES, SavedModel
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.foreign.mlflow import is_mlflow_folder, read_mlflow_folder
from bareboat.pipeline.ir import Pipeline
from bareboat.pipeline.layout import MAGIC

_CHILD = "bareboat.pipeline.child:answer"
WHAT_OPENING_MEANS = (
    "is opened in a child process, which runs whatever code stands in the file, with your rights: open files that you "
    "trust"
)


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """What a model file is.

    Args:
        model: what it compiles into, or None.
        refusal: why it does not, or None.
        class_name: `module.Class` of the object in a pickle, "" of other files.
        packages: what the pickle needs to be opened, {distribution: version}; {} of other files.
        python: the version of the interpreter that opened it, "" of other files.
        feature_names: of the object, as far as it knows them.
    """

    model: Ensemble | Pipeline | None
    refusal: NotCompilable | None = None
    class_name: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    feature_names: tuple[str, ...] = ()


def read_model(path: Path, *, cwd: Path | None = None) -> Ensemble | Pipeline:
    """Read a model file in any known format. A pickle is opened in a child process: give only files that you trust.

    Returns:
        what `forest.read_ensemble` returns for a model that is trees alone; a Pipeline for all that compiles besides,
        and for a `.pipeline` file.
    Raises:
        NotCompilable: it is a model, and can predict, but not be compiled; names the steps that stand in the way.
        ModelError: the file cannot be read, is of no known format, holds no model, or is damaged.
    """
    found = inspect_model(path, cwd=cwd)
    if found.model is None:
        assert found.refusal is not None
        raise found.refusal
    return found.model


def inspect_model(path: Path, *, cwd: Path | None = None) -> Inspection:
    """Read a model file as `read_model` does, and tell what a pickle needs.

    Args:
        cwd: the folder from which the user's own modules can be imported; the current one when None.
    Raises:
        ModelError: the file cannot be read, is of no known format, holds no model, or is damaged.
    """
    path = Path(path)
    head = model_head(path)
    if head.startswith(MAGIC):
        from bareboat.pipeline.file_reader import read_pipeline_file

        return Inspection(read_pipeline_file(path))
    if not is_pickle(head):
        return Inspection(read_ensemble(path))
    found = run_child(path, pickle_kind(path, head), _CHILD, _unpack, cwd=cwd)
    if found.saved is not None:
        return replace(found.inspection, model=read_saved(path, found.saved))
    refusal = found.inspection.refusal
    if refusal is None:
        return found.inspection
    problems = tuple(
        Problem(each.found, expected=each.expected, fix=each.fix, where=str(path)) for each in refusal.problems
    )
    return replace(
        found.inspection,
        refusal=NotCompilable(
            refusal.problems[0].found,
            steps=refusal.steps,
            class_name=refusal.class_name,
            packages=refusal.packages,
            problems=problems,
        ),
    )


def model_of(model: Any) -> Ensemble | Pipeline:
    """Take a live model apart in this process, or read a model file.

    Args:
        model: a path, or a fitted model.
    Raises:
        NotCompilable, ModelError: as `read_model`.
    """
    from bareboat.pipeline.sorting import is_trees, model_inside, refuse_strangers

    if isinstance(model, str | os.PathLike):
        return read_model(Path(model))
    if isinstance(model, Ensemble | Pipeline):
        return model
    model = model_inside(model)
    refuse_strangers(model)
    if is_trees(model):
        return ensemble_from_model(model)
    from bareboat.pipeline.compile import compile_model

    return compile_model(model)


def opening_note(path: Path) -> str | None:
    """Return what to tell a person who has a file opened, or None for a file that runs nothing.

    Args:
        path: a model file, or the folder of an MLflow model.
    Raises:
        ModelError: it cannot be read.
    """
    file = read_mlflow_folder(path).file if is_mlflow_folder(path) else path
    return f"{file.name} {WHAT_OPENING_MEANS}" if is_pickle(model_head(file)) else None


@dataclass(frozen=True, slots=True)
class _Found:
    inspection: Inspection
    saved: SavedModel | None = None


def _unpack(answer: dict[str, Any], folder: Path) -> _Found:
    """Read what `child.answer` left: everything in it may be forged."""
    about = answer["about"]
    inspection = Inspection(
        None,
        class_name=_text(about["class_name"]),
        packages={_text(name): _text(version) for name, version in about["packages"].items()},
        python=_text(about["python"]),
        feature_names=tuple(_text(name) for name in about["feature_names"]),
    )
    if "refusal" in answer:
        refusal = answer["refusal"]
        problems = tuple(
            Problem(_text(each["found"]), expected=_text(each["expected"]), fix=_text(each["fix"]))
            for each in refusal["problems"]
        )
        error = NotCompilable(
            problems[0].found,
            steps=[_text(step) for step in refusal["steps"]],
            class_name=inspection.class_name,
            packages=inspection.packages,
            problems=problems,
        )
        return _Found(replace(inspection, refusal=error))
    if answer.get("pipeline"):
        from bareboat.pipeline.file_reader import pipeline_from_bytes
        from bareboat.runtime.pipeline import open_pipeline

        data = (folder / "model.pipeline").read_bytes()
        open_pipeline(data)  # the kernel's checks
        return _Found(replace(inspection, model=pipeline_from_bytes(data)))
    found = unpacked(answer, folder)
    if isinstance(found, SavedModel):
        return _Found(inspection, found)
    return _Found(replace(inspection, model=found))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} where text must be")
    return value


def model_head(path: Path) -> bytes:
    """Return the first bytes of a model file; raises ModelError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise ModelError(
            f"cannot read the model file: {error.strerror or error}",
            expected="a model file, or the folder of an MLflow model, with its MLmodel file",
            fix="check the path and its permissions",
            where=str(path),
        ) from error
