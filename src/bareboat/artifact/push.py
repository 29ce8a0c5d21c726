"""A model file -> a new version of an object in a store, compiled where it can be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import ConfigurationError, ModelError, PackagingError
from bareboat.packaging.store import Store, turn_on_versioning
from bareboat.service.model import StoredObject

_COMPILED = (".forest", ".pipeline")


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the store has now.

    Args:
        stored: the newest version.
        compiled: "forest" or "pipeline" where the file was compiled, else "".
        skipped: whether the newest version was the same already, and nothing was written.
        notes: why the file was not compiled, and what else a person should know.
    """

    stored: StoredObject
    compiled: str
    skipped: bool
    notes: tuple[str, ...] = ()


def push_model(
    file: Path,
    source: str,
    *,
    as_is: bool = False,
    statistics: bool = True,
    metadata: Mapping[str, str] | None = None,
    unversioned: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[Pushed, ...]:
    """Write a model to a bucket as a new version; what is there already is not written again.

    Args:
        file: a model file, or the folder of an MLflow model, whose files are written as they are.
        source: `s3://bucket/key`; after a `/` the name is the file's, or that of what it compiles into.
        as_is: write the file's own bytes, whatever they are.
        statistics: whether a compiled file keeps covers and gains, which importances and SHAP values need.
        metadata: text by name.
        unversioned: write also where the bucket keeps no versions, over what is there.
    Returns:
        one for a file, one for each file of a folder.
    Raises:
        ConfigurationError: the source is no object of S3.
        ModelError: the file cannot be read, or is no model.
        PackagingError: the bucket keeps no versions, or boto3 is not installed.
        RemoteError: S3 refuses.
    """
    from bareboat.artifact.fetch import remote_of
    from bareboat.pipeline.foreign.mlflow import is_mlflow_folder

    remote = remote_of(source)
    if not remote.source.startswith("s3://") or remote.version_id or remote.sha256:
        raise ConfigurationError(f"{source} is not where a model can be written", expected="s3://BUCKET/KEY")
    is_folder = is_mlflow_folder(file)
    if is_folder and not remote.source.endswith("/"):
        raise ConfigurationError(
            f"{file} is the folder of an MLflow model", expected="a folder to write to", fix=f"{remote.source}/"
        )
    store = Store()
    notes = _versioning(store, remote.source, unversioned=unversioned)
    said = dict(metadata or {})
    if is_folder:
        home = file if file.is_dir() else file.parent
        paths = [each for each in sorted(home.rglob("*")) if each.is_file()]
        names = [f"{remote.source}{each.relative_to(home).as_posix()}" for each in paths]
        return tuple(_put(store, each, name, said, "", notes, on_step) for each, name in zip(paths, names, strict=True))
    data, suffix, why = (file, "", ()) if as_is else _compiled(file, statistics=statistics, on_step=on_step)
    target = remote.source
    if target.endswith("/"):
        target += f"{file.stem}{suffix}" if suffix else file.name
    said.setdefault("file", file.name)
    return (_put(store, data, target, said, suffix.removeprefix("."), (*notes, *why), on_step),)


def _compiled(
    file: Path, *, statistics: bool, on_step: Callable[[str], None]
) -> tuple[Path | bytes, str, tuple[str, ...]]:
    """Return what to write: the bytes of a compiled file with its suffix, or the file itself, with the reason."""
    from bareboat.forest import forest_bytes
    from bareboat.forest.layout import MAGIC as FOREST
    from bareboat.pipeline.file import pipeline_bytes
    from bareboat.pipeline.foreign.torch_file import is_torch
    from bareboat.pipeline.ir import Pipeline
    from bareboat.pipeline.layout import MAGIC as PIPELINE
    from bareboat.pipeline.reading import inspect_model, model_head

    head = model_head(file)
    if head[:8] in (FOREST, PIPELINE):
        inspect_model(file)  # a damaged one is refused here, and not at a cold start
        return file, "", ()
    if is_torch(file):
        return file, "", (f"{file.name} is a PyTorch model, which is written as it is",)
    on_step(f"Compiling {file.name}")
    try:
        found = inspect_model(file, cwd=file.absolute().parent)
    except ModelError as error:
        if file.suffix != ".onnx":
            raise
        return file, "", (f"{file.name} is written as it is: {error.problems[0].found}",)
    if found.model is None:
        assert found.refusal is not None
        steps = "; ".join(found.refusal.steps) or found.refusal.problems[0].found
        return file, "", (f"{file.name} is written as it is, since it cannot be compiled: {steps}",)
    if isinstance(found.model, Pipeline):
        return pipeline_bytes(found.model, statistics=statistics), ".pipeline", found.model.notes
    return forest_bytes(found.model, statistics=statistics), ".forest", found.model.notes


def _versioning(store: Store, source: str, *, unversioned: bool) -> tuple[str, ...]:
    versioned = store.is_versioned(source)
    if versioned:
        return ()
    bucket = source[5:].partition("/")[0]
    if versioned is None:
        return (f"whether {bucket} keeps versions cannot be seen: allow s3:GetBucketVersioning",)
    if unversioned:
        return (f"{bucket} keeps no versions: what was there is gone",)
    raise PackagingError(
        f"{bucket} keeps no versions: a new model would take the place of the old one for good",
        expected="a bucket with versioning",
        fix=f"{turn_on_versioning(source)}; or --unversioned",
        where=source,
    )


def _put(
    store: Store,
    data: Path | bytes,
    source: str,
    metadata: Mapping[str, str],
    compiled: str,
    notes: tuple[str, ...],
    on_step: Callable[[str], None],
) -> Pushed:
    if isinstance(data, bytes):
        digest = hashlib.sha256(data).hexdigest()
    else:
        try:
            with data.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelError(f"cannot be read: {error.strerror or error}", where=str(data)) from error
    newest = store.newest(source)
    if newest is not None and newest.sha256 == digest:
        stored = StoredObject(source, newest.version_id, digest, newest.size_bytes)
        return Pushed(stored, compiled, True, notes)
    on_step(f"Writing {source}")
    put = store.put(data, source, digest, metadata)
    return Pushed(StoredObject(source, put.version_id, digest, put.size_bytes), compiled, False, notes)
