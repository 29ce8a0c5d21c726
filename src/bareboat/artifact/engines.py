"""A model file and `engine` -> what answers for it: compiled tables, ONNX Runtime, or the model's own framework."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bareboat.errors import ConfigurationError, ModelError
from bareboat.forest import Ensemble
from bareboat.pipeline.errors import NotCompilable
from bareboat.pipeline.foreign.framework import kind_of, read_framework_model
from bareboat.pipeline.foreign.mlflow import MlflowModel, is_mlflow_folder, read_mlflow_folder
from bareboat.pipeline.foreign.model import ForeignModel, OwnModule
from bareboat.pipeline.foreign.torch_file import export_torch, is_torch
from bareboat.pipeline.ir import Column, Pipeline
from bareboat.pipeline.reading import inspect_model, model_head
from bareboat.service.model import Feature, Place, ServedModel

_ONNX = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]")
_GENERIC = re.compile(r"x\d+|Column_\d+|f\d+")


def _no_rows(_: ForeignModel) -> Sequence[Sequence[Any]]:
    return ()


@dataclass(frozen=True, slots=True)
class Served:
    """What answers for a model file.

    Args:
        read: tables, or a model of another engine.
        model: what serverless.yml says of it, with the names of an MLflow signature where the file has none.
        notes: what a person should know of the choice.
        modules: the user's own modules that ship: path in the artifact -> file.
    """

    read: Ensemble | Pipeline | ForeignModel
    model: ServedModel
    notes: tuple[str, ...] = ()
    modules: Mapping[str, Path] = field(default_factory=dict)


Rows = Callable[[ForeignModel], Sequence[Sequence[Any]]]
"""Reads the samples as rows of Python values, once the columns are known."""


def read_served(
    model: ServedModel, file: Path, folder: Path, *, rows: Rows = _no_rows, samples: Callable[[], Sequence[Any]] = tuple
) -> Served:
    """Read a model file for the engine that serverless.yml names.

    Args:
        file: or the folder of an MLflow model.
        folder: of serverless.yml, from which the user's own modules can be imported.
        rows: reads the samples, to compare engines on.
        samples: reads the samples as documents, to export PyTorch modules with.
    Raises:
        NotCompilable: engine is `compiled`, and the model does not compile; names every step.
        ModelError: the file cannot be read, or the engine cannot serve it.
        ConfigurationError: one of the user's own modules lies where it does not ship from.
    """
    mlflow = read_mlflow_folder(file) if is_mlflow_folder(file) else None
    path = mlflow.file if mlflow is not None else file
    home = mlflow.code if mlflow is not None and mlflow.code is not None else folder
    names = [feature.name for feature in model.features] if model.features is not None else None
    if names is None and mlflow is not None:
        names = [str(each["name"]) for each in mlflow.inputs if "name" in each] or None
    read, notes = _read(model, path, home, names, mlflow.trusted if mlflow is not None else (), rows, samples)
    if isinstance(read, ForeignModel):
        read = replace(read, notes=(*notes, *read.notes))
        notes = ()
        if mlflow is not None:
            read = _as_saved(read, mlflow)
    modules = _modules(read.modules, home, file) if isinstance(read, ForeignModel) else {}
    return Served(read, _named(model, read, mlflow), tuple(notes), modules)


def read_alone(file: Path, names: Sequence[str] | None = None) -> Ensemble | Pipeline | ForeignModel:
    """Read a model file as `served_alone` does, for those who ask what the model is and no more."""
    return served_alone(file, names).read


def served_alone(file: Path, names: Sequence[str] | None = None, home: Path | None = None) -> Served:
    """Read a model file that no serverless.yml names yet, for the engine that `auto` comes to.

    Args:
        names: of its columns, where the file has none.
        home: where the user's own modules lie; None is beside the file.
    Raises:
        ModelError, ConfigurationError: as `read_served`.
    """
    features = None if names is None else tuple(Feature(name) for name in names)
    where = Place(str(file), 0, 0)
    model = ServedModel("predict", "functions.predict", where, (file,), features=features)
    return read_served(model, file, home or file.parent)


def _read(
    model: ServedModel,
    path: Path,
    home: Path,
    names: Sequence[str] | None,
    trusted: Sequence[str],
    rows: Rows,
    samples: Callable[[], Sequence[Any]],
) -> tuple[Ensemble | Pipeline | ForeignModel, tuple[str, ...]]:
    if is_torch(path):
        return export_torch(path, samples=samples(), engine=model.engine, labels=model.labels, cwd=home), ()
    if model.engine == "framework":
        if _is_onnx(path):
            raise ModelError(
                "an ONNX model", expected="a pickle for engine: framework", fix="engine: onnx", where=str(path)
            )
        return read_framework_model(path, names=names, trusted=trusted, cwd=home), ()
    if model.engine == "onnx":
        if _is_onnx(path):
            return _onnx(path, names, model), ()
        return _converted(path, names, trusted, home, rows), ()
    try:
        found = inspect_model(path, cwd=home)
    except ModelError as error:
        if model.engine == "auto" and _is_onnx(path):
            note = f"{error.problems[0].found}: more than a tree ensemble, so ONNX Runtime serves it"
            return _onnx(path, names, model), (note,)
        if model.engine == "auto" and trusted and kind_of(path) == "skops":
            return read_framework_model(path, names=names, trusted=trusted, cwd=home), ()
        raise
    if found.model is not None:
        return found.model, ()
    refusal = found.refusal
    assert refusal is not None
    if model.engine == "compiled":
        raise _refused(refusal, path)
    steps = "; ".join(refusal.steps) or refusal.problems[0].found
    note = f"cannot be compiled, so its own framework serves it (engine: framework): {steps}"
    return read_framework_model(path, names=names, trusted=trusted, cwd=home), (note,)


def _refused(refusal: NotCompilable, path: Path) -> NotCompilable:
    steps = "; ".join(refusal.steps)
    return NotCompilable(
        f"engine is compiled, and the model cannot be: {steps or refusal.problems[0].found}",
        steps=refusal.steps,
        class_name=refusal.class_name,
        packages=refusal.packages,
        expected=refusal.problems[0].expected or "steps that compile (docs/pipelines.md)",
        fix="engine: auto or framework, which ships the packages that the model needs; or replace these steps",
        where=str(path),
    )


def _onnx(path: Path, names: Sequence[str] | None, model: ServedModel) -> ForeignModel:
    from bareboat.pipeline.foreign.onnx_file import read_onnx_model

    return read_onnx_model(path, path.read_bytes(), names=names, labels=model.labels)


def _converted(path: Path, names: Sequence[str] | None, trusted: Sequence[str], home: Path, rows: Rows) -> ForeignModel:
    from bareboat.pipeline.foreign.converted import convert_model

    samples: Sequence[Sequence[Any]] = ()
    if rows is not _no_rows:
        samples = rows(read_framework_model(path, names=names, trusted=trusted, cwd=home)) if kind_of(path) else ()
    return convert_model(path, names=names, rows=samples, trusted=trusted, cwd=home)


def _is_onnx(path: Path) -> bool:
    return _ONNX.match(model_head(path)) is not None


def _as_saved(read: ForeignModel, mlflow: MlflowModel) -> ForeignModel:
    """Take versions and types of columns from the folder, which knows what the model was saved with."""
    notes = list(read.notes)
    packages = []
    for package in read.packages:
        saved = mlflow.versions.get(package.name, package.version)
        if package.version and saved != package.version:
            notes.append(f"{package.name} {saved} ships, which saved the model; {package.version} opened it here")
        packages.append(replace(package, version=saved))
    saved_python = ".".join(mlflow.python.split(".")[:2])
    return replace(
        read,
        columns=_typed(read.columns, mlflow),
        packages=tuple(packages),
        notes=tuple(notes),
        python=(saved_python or read.python) if read.python else "",
    )


def _typed(columns: tuple[Column, ...], mlflow: MlflowModel) -> tuple[Column, ...]:
    from bareboat.artifact.columns import inputs_from_mlflow

    declared = {column.name: column for column in inputs_from_mlflow(mlflow.inputs)}
    if not columns:
        return tuple(declared.values())
    return tuple(
        replace(column, dtype=declared[column.name].dtype, nullable=declared[column.name].nullable)
        if column.name in declared and column.values is None and column.dtype == "float"
        else column
        for column in columns
    )


def _named(model: ServedModel, read: Ensemble | Pipeline | ForeignModel, mlflow: MlflowModel | None) -> ServedModel:
    """Give columns that only have numbers the names of the MLflow signature."""
    if mlflow is None or model.features is not None or not all(map(_GENERIC.fullmatch, read.feature_names)):
        return model
    names = [str(each["name"]) for each in mlflow.inputs if "name" in each]
    if len(names) != len(read.feature_names) or not names:
        return model
    return replace(model, features=tuple(Feature(name) for name in names))


def _modules(modules: Sequence[OwnModule], home: Path, model: Path) -> dict[str, Path]:
    """Return the files of the user's own modules by their paths in the artifact.

    Raises:
        ConfigurationError: one lies elsewhere.
    """
    files: dict[str, Path] = {}
    for module in modules:
        file = Path(module.file).resolve() if module.file else None
        if file is None or not file.is_relative_to(home.resolve()) or file.suffix != ".py":
            raise ConfigurationError(
                f"the model needs the module {module.name}, which is of no package"
                + (f" and lies in {file}" if file is not None else ""),
                expected=f"a module in {home}, where it ships from",
                fix=f"move it there, so that `import {module.name}` finds it; or make a package of it",
                where=str(model),
            )
        inside = file.relative_to(home.resolve())
        files[inside.as_posix()] = file
        for parent in inside.parents:
            package = home / parent / "__init__.py"
            if parent != Path() and package.is_file():
                files[(parent / "__init__.py").as_posix()] = package
    return files
