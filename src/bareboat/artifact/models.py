"""A model function -> function.json, a document for each version of a model, and the files that the engines open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.artifact.cold_start import fetch_document, room_problems, stored_object
from bareboat.artifact.fetch import remote_notes, told_by_source
from bareboat.artifact.model import FUNCTION
from bareboat.artifact.signature import describe_model, parts_for, signature_document
from bareboat.errors import ConfigurationError, Problem
from bareboat.service.model import Function, ModelFile, Note, RemoteModel, ServedModel, local_file

if TYPE_CHECKING:
    from bareboat.artifact.engines import Served
    from bareboat.pipeline.foreign.model import Package

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
        packages: what the engine must have beside it.
        modules: the user's own modules that the model needs: path in the artifact -> file.
        python: the minor version of the Python that the file is bound to, or "".
        holds_code: whether no other minor version can open it.
    """

    engine: str
    suffix: str
    data: bytes
    kind: str
    about: dict[str, Any]
    document: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()
    modules: Mapping[str, Path] = field(default_factory=dict)
    python: str = ""
    holds_code: bool = False


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What ships for a model function.

    Args:
        files: path in the artifact -> its bytes.
        signature: what the manifest says of the function's models.
        notes: what the readers have to say.
        uses: the engines, the protocol, and "several" for `models:`: what of the runtime must ship.
        packages: what the engines must have beside them, each with the model file that needs it.
        modules: the user's own modules that models need: path in the artifact -> file.
        fetched: what a cold start fetches: the path that it would have in the artifact -> the copy on this machine.
    """

    files: dict[str, Path | bytes]
    signature: dict[str, Any]
    notes: tuple[Note, ...]
    uses: frozenset[str]
    packages: tuple[tuple[Package, Path], ...] = ()
    modules: Mapping[str, Path] = field(default_factory=dict)
    fetched: Mapping[str, Path | bytes] = field(default_factory=dict)


def engine_file(served: Served) -> EngineFile:
    """Return the file for what was read of a model."""
    from bareboat.pipeline.foreign.model import ForeignModel
    from bareboat.pipeline.ir import Pipeline

    read = served.read
    notes = (*served.notes, *read.notes)
    if isinstance(read, ForeignModel):
        return EngineFile(
            read.engine,
            read.suffix,
            read.data,
            read.kind,
            describe_model(read),
            {**read.keys, "n_outputs": read.n_outputs},
            notes,
            read.packages,
            served.modules,
            read.python,
            read.holds_code,
        )
    if isinstance(read, Pipeline):
        from bareboat.pipeline.file import pipeline_bytes

        return EngineFile("pipeline", ".pipeline", pipeline_bytes(read), read.kind, describe_model(read), notes=notes)
    from bareboat.forest import forest_bytes

    kind = "proba" if read.is_classifier else "value"
    data = forest_bytes(read, statistics=False)
    return EngineFile("forest", ".forest", data, kind, describe_model(read), notes=notes)


def model_files(
    function: Function,
    on_step: Callable[[str], None] = lambda _: None,
    *,
    folder: Path = Path(),
    python: str = "",
) -> ModelFiles:
    """Read the models of a function and make what ships.

    Args:
        folder: of serverless.yml, from which the user's own modules can be imported.
        python: the minor version that it will run on; "" for the declared one.
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
    packages: list[tuple[Package, Path]] = []
    modules: dict[str, Path] = {}
    fetched: dict[str, Path | bytes] = {}
    for model, named in each_model(function):
        file = local_file(named)
        try:
            with told_by_source(named):
                on_step(_opening(file) or f"Reading {named.source if isinstance(named, RemoteModel) else named}")
                document, made = _read(model, file, function, folder)
                _check_python(made, python or function.python, function, file)
            remote = stored_object(named, made)
        except ConfigurationError as error:
            problems += error.problems
            continue
        digest = hashlib.sha256(made.data).hexdigest() if remote is None else remote.sha256
        version = digest[:_VERSION_DIGITS]
        if version in versions.setdefault(model.name, []):
            problems.append(_twice(model, file, version))
            continue
        versions[model.name].append(version)
        name = stored.setdefault(digest + made.suffix, f"{model.name}-{version}{made.suffix}")
        if remote is None:
            files[f"{FOLDER}/{name}"] = made.data
        else:
            fetched[f"{FOLDER}/{name}"] = made.data
            document = {**document, "fetch": fetch_document(remote)}
        document = {"engine": made.engine, "file": name, "kind": made.kind, **document, **made.document}
        files[f"{FOLDER}/{model.name}-{version}.json"] = _json(document, indent=None)
        about = {key: value for key, value in document.items() if key != "file"}
        manifest.setdefault(model.name, {})[version] = {**about, "model": made.about}
        notes += _notes(made, python or function.python, named)
        packages += [(package, file) for package in made.packages]
        modules.update(made.modules)
    fetches = [about["fetch"] for each in manifest.values() for about in each.values() if "fetch" in about]
    problems += room_problems(function, fetches)
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
    uses = uses.union(*(("remote", "s3") if each["source"].startswith("s3://") else ("remote",) for each in fetches))
    return ModelFiles(files, signature, tuple(notes), uses, tuple(packages), modules, fetched)


def check_model(model: ServedModel, named: ModelFile, function: Function, folder: Path) -> tuple[Note, ...]:
    """Read one model and hold what is declared against it; raises as `model_files` does.

    Returns:
        what the readers have to say.
    """
    file = local_file(named)
    with told_by_source(named):
        _, made = _read(model, file, function, folder)
        _check_python(made, function.python, function, file)
        opening = _opening(file)
    stored_object(named, made)
    return (*_notes(made, function.python, named), *((Note("info", opening, str(file)),) if opening else ()))


def _notes(made: EngineFile, python: str, named: ModelFile) -> tuple[Note, ...]:
    where = named.pin if isinstance(named, RemoteModel) else str(named)
    notes = tuple(Note("warning", text, where) for text in (*made.notes, *_python_notes(made, python)))
    return (*notes, *remote_notes(named)) if isinstance(named, RemoteModel) else notes


def each_model(function: Function) -> Iterator[tuple[ServedModel, ModelFile]]:
    """Yield each model of a function with each file of it: a file is a version."""
    return ((model, file) for model in function.served_models for file in model.files)


def _read(model: ServedModel, file: Path, function: Function, folder: Path) -> tuple[dict[str, Any], EngineFile]:
    from bareboat.artifact.engines import read_served
    from bareboat.artifact.samples import sample_documents, sample_rows

    served = read_served(
        model,
        file,
        folder,
        rows=lambda read: sample_rows(function, signature_document(model, read)),
        samples=lambda: sample_documents(function),
    )
    return signature_document(served.model, served.read), engine_file(served)


def _python_notes(made: EngineFile, python: str) -> Iterator[str]:
    if made.python and made.python != python:
        yield (
            f"Python {made.python} saved or opened it, and the function runs on Python {python}: most pickles load on "
            "another version"
        )


def _check_python(made: EngineFile, python: str, function: Function, file: Path) -> None:
    """Refuse a file that holds code where it runs on another Python, whose interpreter may crash on it."""
    if made.holds_code and made.python != python:
        raise ConfigurationError(
            f"functions or classes of the model stand in the file as code of Python {made.python} (cloudpickle), and "
            f"the function {function.name} runs on Python {python}, which cannot run it",
            expected=f"runtime: python{made.python}",
            fix=f"functions.{function.name}.runtime: python{made.python}; or save the model with that code in a module "
            "of your own beside serverless.yml",
            where=str(file),
        )


def _twice(model: ServedModel, file: Path, version: str) -> Problem:
    return Problem(
        f"{model.key}: {file.name} holds the same model as another of its versions, {version}",
        expected="versions that differ",
        fix=f"take {file.name} away",
        where=str(model.where),
    )


def _json(document: dict[str, Any], *, indent: int | None) -> bytes:
    return (json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _opening(file: Path) -> str:
    """Return what opening a pickle means, or "" for a file that runs nothing."""
    from bareboat.pipeline.reading import opening_note

    return opening_note(file) or ""
