"""`load: cold-start`: what the artifact says of a model that it does not hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bareboat.errors import ConfigurationError, Problem
from bareboat.pipeline.foreign.mlflow import is_mlflow_folder, read_mlflow_folder
from bareboat.service.model import Function, ModelFile, RemoteModel, StoredObject, local_file

if TYPE_CHECKING:
    from bareboat.artifact.models import EngineFile

_COMPILED = ("forest", "pipeline")


def stored_object(named: ModelFile, made: EngineFile) -> StoredObject | None:
    """Return the object that a cold start fetches, or None for a model that the artifact holds.

    Raises:
        ConfigurationError: what is in the store must be compiled or converted before it can be opened.
    """
    if not isinstance(named, RemoteModel) or named.load != "cold-start":
        return None
    home = local_file(named)
    file = read_mlflow_folder(home).file if is_mlflow_folder(home) else home
    found = next(each for each in named.objects if _is(each, named, file.relative_to(home) if file != home else None))
    if file.read_bytes()[:8] in _magic() or hashlib.sha256(made.data).hexdigest() == found.sha256:
        return found
    what = f".{made.engine} file" if made.engine in _COMPILED else f"file for the engine {made.engine}"
    target = named.source.rpartition("/")[0] or named.source
    name = file.stem if file.suffix else file.name
    fix = f"bareboat model push {file.name} {target}/{name}{made.suffix}, and that as source; or load: build"
    if made.engine not in _COMPILED:
        fix = "load: build, or engine: framework"
    raise ConfigurationError(
        f"load is cold-start, and {named.source} must be turned into a {what} first, which a cold start cannot do",
        expected="a model as its engine opens it",
        fix=fix,
        where=str(named.where),
    )


def fetched_objects(function: Function) -> list[dict[str, Any]]:
    """Return what a function fetches, as far as that is known without reading the models: no folders."""
    return [
        fetch_document(file.objects[0])
        for model in function.served_models
        for file in model.files
        if isinstance(file, RemoteModel) and file.load == "cold-start" and len(file.objects) == 1
    ]


def fetch_document(found: StoredObject) -> dict[str, Any]:
    """Return what the model document says of an object."""
    return {
        "source": found.source,
        "version_id": found.version_id,
        "sha256": found.sha256,
        "size_bytes": found.size_bytes,
    }


def room_problems(function: Function, fetches: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Yield a problem when /tmp cannot hold all models that a function fetches."""
    wanted = sum({each["sha256"]: each["size_bytes"] for each in fetches}.values())
    there = function.ephemeral_storage_mb << 20
    if wanted > there:
        enough = min(10_240, -(-wanted // (1 << 20)) + 64)
        yield Problem(
            f"functions.{function.name} fetches {wanted / 1e6:.1f} MB of models into /tmp, which has "
            f"{function.ephemeral_storage_mb} MiB",
            expected="room for all of them",
            fix=f"functions.{function.name}.ephemeralStorageSize: {enough}",
            where=str(function.where),
        )


def permissions(signature: Mapping[str, Any]) -> dict[str, Any]:
    """Return `permissions` of the manifest: for each function what its role must allow so that it can start."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, said in signature.items():
        for versions in said["models"].values():
            for document in versions.values():
                fetch = document.get("fetch")
                if fetch is None or not fetch["source"].startswith("s3://"):
                    continue
                one = {
                    "action": "s3:GetObjectVersion" if fetch["version_id"] else "s3:GetObject",
                    "resource": f"arn:aws:s3:::{fetch['source'][5:]}",
                }
                if one not in found.setdefault(name, []):
                    found[name].append(one)
    return {"permissions": found} if found else {}


def _is(found: StoredObject, named: RemoteModel, inside: Any) -> bool:
    return inside is None or found.source == f"{named.source}{inside.as_posix()}"


def _magic() -> tuple[bytes, ...]:
    from bareboat.forest.layout import MAGIC as FOREST
    from bareboat.pipeline.layout import MAGIC as PIPELINE

    return FOREST, PIPELINE
