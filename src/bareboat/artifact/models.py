"""A model function -> function.json, a document for each version of a model, and the files that the engines open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.artifact.model import FUNCTION
from bareboat.artifact.signature import describe_model, parts_for, signature_document
from bareboat.errors import ConfigurationError, ModelError, Problem
from bareboat.service.model import Function, Note, ServedModel

if TYPE_CHECKING:
    from bareboat.forest import Ensemble
    from bareboat.pipeline.ir import Pipeline

FORMAT = 2
MAX_ROWS = 10_000
FOLDER = ".bareboat/models"
_VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class EngineFile:
    """A model as an engine of the runtime opens it.

    Args:
        engine: one of those of runtime/models.py.
        suffix: of the file, with its dot.
        data: the file's bytes.
        kind: of the outputs: proba, decision, label or value.
        about: what the manifest says of the model.
        document: the engine's own keys of the model document.
        notes: what a person should know.
    """

    engine: str
    suffix: str
    data: bytes
    kind: str
    about: dict[str, Any]
    document: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What ships for a model function.

    Args:
        files: path in the artifact -> its bytes.
        signature: what the manifest says of the function's models.
        notes: what the readers have to say.
        uses: the engines, the protocol, and "several" for `models:`: what of the runtime must ship.
    """

    files: dict[str, Path | bytes]
    signature: dict[str, Any]
    notes: tuple[Note, ...]
    uses: frozenset[str]


def read_served(file: Path) -> Ensemble | Pipeline:
    """Read a model file as it is served.

    Raises:
        ModelError: it cannot be read, or compiled.
    """
    from bareboat.pipeline.reading import read_model

    return read_model(file)


def engine_file(read: Ensemble | Pipeline) -> EngineFile:
    """Return the file for what was read of a model."""
    from bareboat.forest import forest_bytes
    from bareboat.pipeline.file import pipeline_bytes
    from bareboat.pipeline.ir import Pipeline

    if isinstance(read, Pipeline):
        about, data = describe_model(read), pipeline_bytes(read)
        return EngineFile("pipeline", ".pipeline", data, read.kind, about, notes=read.notes)
    kind = "proba" if read.is_classifier else "value"
    data = forest_bytes(read, statistics=False)
    return EngineFile("forest", ".forest", data, kind, describe_model(read), notes=read.notes)


def model_files(function: Function, on_step: Callable[[str], None] = lambda _: None) -> ModelFiles:
    """Read the models of a function and make what ships.

    Raises:
        ConfigurationError: what is declared does not fit a model; every problem of every model at once.
        ModelError: a model file cannot be read.
    """
    files: dict[str, Path | bytes] = {}
    versions: dict[str, list[str]] = {}
    manifest: dict[str, dict[str, Any]] = {}
    notes: list[Note] = []
    stored: dict[str, str] = {}  # digest and suffix -> the file that holds it
    problems: list[Problem] = []
    for model, file in _each(function):
        on_step(f"Reading {file}")
        try:
            document, made = _read(model, file)
        except ConfigurationError as error:
            problems += error.problems
            continue
        digest = hashlib.sha256(made.data).hexdigest()
        version = digest[:_VERSION_DIGITS]
        if version in versions.setdefault(model.name, []):
            problems.append(_twice(model, file, version))
            continue
        versions[model.name].append(version)
        name = stored.setdefault(digest + made.suffix, f"{model.name}-{version}{made.suffix}")
        files[f"{FOLDER}/{name}"] = made.data
        document = {"engine": made.engine, "file": name, "kind": made.kind, **document, **made.document}
        files[f"{FOLDER}/{model.name}-{version}.json"] = _json(document, indent=None)
        about = {key: value for key, value in document.items() if key != "file"}
        manifest.setdefault(model.name, {})[version] = {**about, "model": made.about}
        notes += [Note("warning", text, str(file)) for text in made.notes]
    if problems:
        raise ConfigurationError(problems[0].found, problems=tuple(problems))
    default = function.served_models[0].name
    files[FUNCTION] = _json(
        {
            "format": FORMAT,
            "function": function.name,
            "protocol": function.protocol,
            "before": function.before,
            "after": function.after,
            "max_rows": MAX_ROWS,
            "cache_mb": function.cache_mb,
            "several": bool(function.models),
            "default": default,
            "models": versions,
        },
        indent=1,
    )
    signature = {"protocol": function.protocol, "default": default, "models": manifest}
    engines = {about["engine"] for each in manifest.values() for about in each.values()}
    uses = frozenset({*engines, function.protocol, *(("several",) if function.models else ())})
    uses = uses.union(*(parts_for(about) for each in manifest.values() for about in each.values()))
    return ModelFiles(files, signature, tuple(notes), uses)


def check_function(function: Function) -> None:
    """Read the models of a function and hold what is declared against them; raises as `model_files` does."""
    problems: list[Problem] = []
    kind: type[ModelError | ConfigurationError] = ModelError
    for model, file in _each(function):
        try:
            signature_document(model, read_served(file))
        except ModelError as error:
            problems += error.problems
        except ConfigurationError as error:
            problems += error.problems
            kind = ConfigurationError
    if problems:
        raise kind(problems[0].found, problems=tuple(problems))


def _each(function: Function) -> Iterator[tuple[ServedModel, Path]]:
    return ((model, file) for model in function.served_models for file in model.files)


def _read(model: ServedModel, file: Path) -> tuple[dict[str, Any], EngineFile]:
    read = read_served(file)
    return signature_document(model, read), engine_file(read)


def _twice(model: ServedModel, file: Path, version: str) -> Problem:
    return Problem(
        f"{model.key}: {file.name} holds the same model as another of its versions, {version}",
        expected="versions that differ",
        fix=f"take {file.name} away",
        where=str(model.where),
    )


def _json(document: dict[str, Any], *, indent: int | None) -> bytes:
    return (json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()
