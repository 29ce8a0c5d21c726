"""`package.artifact`: a zip that somebody else made -> Artifact, opened and checked."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from bareboat.artifact.beside import Beside, packages_in, refuse_over_limit_with_layers, sees_all_layers
from bareboat.artifact.handlers import check_handlers
from bareboat.artifact.inspection import inspect_ready
from bareboat.artifact.layer_archive import on_no_path
from bareboat.artifact.model import MODEL_HANDLER, Artifact, LayerArtifact
from bareboat.artifact.plan import Plan, handler_strings
from bareboat.artifact.reader import read_manifest
from bareboat.artifact.unpack import check_name
from bareboat.errors import ArtifactError, PackagingError, Problem
from bareboat.packaging.elf import is_elf, read_elf
from bareboat.service.model import Note


def ready_artifact(plan: Plan, path: Path, beside: Beside = Beside()) -> Artifact:  # noqa: B008 - frozen
    """Take a zip as it is, if Lambda can run it.

    Raises:
        ArtifactError: it is not there, no zip, damaged, has names that lead out of it, or files that would not load.
        ConfigurationError: a handler's file is not in it.
        PackagingError: it is over Lambda's limit.
    """
    zipped = _opened(path)
    unzipped = zipped.within(plan.limit_bytes)
    refuse_over_limit_with_layers(unzipped, beside, limit_bytes=plan.limit_bytes, where=str(path))
    found = inspect_ready(
        path, plan.target, limit_bytes=plan.limit_bytes, layers=[layer.path for layer in beside.layers]
    )
    if found.problems:
        problems = tuple(
            Problem(one.found, expected=one.expected, fix=one.fix, where=str(path)) for one in found.problems
        )
        raise ArtifactError(problems[0].found, problems=problems)
    importable = {info.filename for info in zipped.infos} | beside.modules()
    check_handlers(filter(sees_all_layers, plan.functions), importable, path.parent)
    return Artifact(
        path=path,
        digest=zipped.digest,
        functions=tuple(one.name for one in plan.functions),
        target=plan.target,
        handlers=handler_strings(plan.functions, MODEL_HANDLER),
        size_bytes=zipped.size_bytes,
        unzipped_bytes=unzipped,
        manifest=zipped.manifest,
        layers=beside.layers,
        notes=tuple(Note(note.level, note.text, str(path)) for note in found.notes),
    )


def ready_layer(name: str, path: Path, plan: Plan) -> LayerArtifact:
    """Take the zip of a layer as it is.

    Raises:
        ArtifactError: it is not there, no zip, damaged, or has names that lead out of it.
        PackagingError: it is over Lambda's limit.
    """
    zipped = _opened(path)
    unzipped = zipped.within(plan.limit_bytes)
    files: dict[str, dict[str, Any]] = {}
    elves: dict[str, Any] = {}
    with zipfile.ZipFile(path) as archive:
        for info in zipped.infos:
            data = archive.read(info)
            files[info.filename] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            if is_elf(data[:4]):
                try:
                    elves[info.filename] = msgspec.to_builtins(read_elf(data))
                except ValueError as error:
                    raise ArtifactError(
                        f"{info.filename} {error}", expected="a whole ELF file", where=str(path)
                    ) from error
    manifest = {
        "layer": name,
        "target": asdict(plan.target),
        "versions": {"packages": packages_in(files)},
        "unzipped_bytes": unzipped,
        "sizes": [],
        "files": files,
        "elves": elves,
    }
    return LayerArtifact(
        name=name,
        path=path,
        digest=zipped.digest,
        target=plan.target,
        size_bytes=zipped.size_bytes,
        unzipped_bytes=unzipped,
        manifest=manifest,
        notes=(Note("warning", unseen, str(path)),) if (unseen := on_no_path(name, files)) else (),
    )


@dataclass(frozen=True, slots=True)
class _Zip:
    path: Path
    infos: tuple[zipfile.ZipInfo, ...]
    manifest: Mapping[str, Any]
    digest: str
    size_bytes: int

    def within(self, limit_bytes: int) -> int:
        """Return what it weighs unzipped, if Lambda takes that."""
        unzipped = sum(info.file_size for info in self.infos)
        if unzipped > limit_bytes:
            raise PackagingError(
                f"unzipped the archive has {unzipped:,} bytes",
                expected=f"at most {limit_bytes:,}, Lambda's limit",
                where=str(self.path),
            )
        return unzipped


def _opened(path: Path) -> _Zip:
    where = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = tuple(info for info in archive.infolist() if not info.is_dir())
            for info in infos:
                check_name(info.filename, where)
            broken = archive.testzip()
            if broken is not None:
                raise ArtifactError(f"is damaged at {broken}", expected="a whole zip", where=where)
            manifest = read_manifest(archive, where) or {}
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, 2)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"is no zip, or is cut off: {error}", expected="a zip", where=where) from error
    except OSError as error:
        raise ArtifactError(f"cannot be read: {error.strerror or error}", where=where) from error
    return _Zip(path, infos, manifest, digest, size)
