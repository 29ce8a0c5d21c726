"""What an earlier build left beside its archive: how an unchanged build is recognised without building."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from bareboat import __version__
from bareboat.artifact.model import Artifact
from bareboat.artifact.plan import Plan
from bareboat.packaging.cache import write_whole
from bareboat.packaging.folder import Found
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.target import Target
from bareboat.service.model import Note

_FORMAT = 2


class Record(msgspec.Struct, frozen=True):
    """One build.

    Args:
        fingerprint: of everything that went in.
        more_files: files that went in and that only the build itself knew of (requirements that name others).
        in_lock: whether bareboat.lock held all that was installed, and the models.
        archive: the zip's name, beside the record; with its size and time of change.
    """

    fingerprint: str
    more_files: tuple[str, ...]
    archive: str
    size_bytes: int
    mtime_ns: int
    digest: str
    unzipped_bytes: int
    handlers: dict[str, str]
    manifest: dict[str, Any]
    notes: tuple[tuple[str, str, str], ...]
    in_lock: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a build depends on, as far as it is known without building.

    Args:
        settings: JSON-like.
        found: the project's files that ship.
        files: further files; one that is missing counts too.
    """

    settings: Mapping[str, Any]
    found: tuple[Found, ...]
    files: tuple[Path, ...]

    def fingerprint(self, more_files: Iterable[str], lock: str) -> str:
        """Return a digest of settings, names, sizes and times of change.

        Args:
            lock: what bareboat.lock says, from `lock_state`.
        """
        digest = hashlib.sha256(json.dumps([_FORMAT, __version__, self.settings, lock], default=str).encode())
        for one in self.found:
            digest.update(f"{one.path}\0{one.size}\0{one.mtime_ns}\n".encode())
        for path in (*self.files, *map(Path, more_files)):
            try:
                stat = path.stat()
                digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
            except OSError:
                digest.update(f"{path}\0-\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def settings_of(plan: Plan, interpreter: Interpreter | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the settings that changes what is built."""
    functions = [
        [one.name, one.handler, one.served_models, one.protocol, one.cache_mb, one.before, one.after]
        for one in plan.functions
    ]
    # what a proof of slimmed packages runs with
    runs = [[dict(one.environment), one.samples, one.timeout_s, one.memory_mb] for one in plan.functions]
    return {
        "functions": functions,
        "runs": runs,
        "target": _target(plan),
        "patterns": plan.patterns,
        "whole": plan.whole,
        "limit_bytes": plan.limit_bytes,
        "bytecode": [interpreter.path, interpreter.release] if interpreter is not None else None,
        **more,
    }


def _target(plan: Plan) -> dict[str, Any]:
    target = asdict(plan.target)
    baseline = target.pop("baseline")
    return {**target, "baseline": {**baseline, "libraries": sorted(baseline["libraries"])} if baseline else None}


def read_record(folder: Path, plan: Plan) -> Record | None:
    """Return the record of the last build of a plan, if it is there and its archive is untouched."""
    try:
        record = msgspec.json.decode((folder / f"{plan.stem}.json").read_bytes(), type=Record)
        stat = (folder / record.archive).stat()
    except (OSError, msgspec.MsgspecError):
        return None
    return record if (stat.st_size, stat.st_mtime_ns) == (record.size_bytes, record.mtime_ns) else None


def write_record(
    folder: Path, plan: Plan, artifact: Artifact, fingerprint: str, more_files: tuple[str, ...], *, in_lock: bool
) -> None:
    """Keep what the next build needs to recognise this one."""
    stat = artifact.path.stat()
    record = Record(
        fingerprint=fingerprint,
        more_files=more_files,
        archive=artifact.path.name,
        size_bytes=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        digest=artifact.digest,
        unzipped_bytes=artifact.unzipped_bytes,
        handlers=dict(artifact.handlers),
        manifest=dict(artifact.manifest),
        notes=tuple((note.level, note.text, note.where) for note in artifact.notes),
        in_lock=in_lock,
    )
    write_whole(folder / f"{plan.stem}.json", msgspec.json.encode(record))


def recorded_artifact(folder: Path, record: Record, target: Target) -> Artifact:
    """Return the artifact of an earlier build."""
    return Artifact(
        path=folder / record.archive,
        digest=record.digest,
        functions=tuple(record.handlers),
        target=target,
        handlers=record.handlers,
        size_bytes=record.size_bytes,
        unzipped_bytes=record.unzipped_bytes,
        manifest=record.manifest,
        reused=True,
        notes=tuple(Note(level, text, where) for level, text, where in record.notes),  # type: ignore[arg-type]
    )
