"""Packs -> the archive: native libraries completed, sizes checked, manifest written, zip made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareboat.artifact.beside import Beside, refuse_over_limit_with_layers, sees_all_layers
from bareboat.artifact.handlers import check_handlers
from bareboat.artifact.libraries import complete_libraries
from bareboat.artifact.manifest import make_manifest, manifest_bytes, shipped
from bareboat.artifact.model import MANIFEST, MODEL_HANDLER, Artifact
from bareboat.artifact.plan import Plan, handler_strings
from bareboat.packaging.archive import chosen_members, write_named_archive
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.packs import Contents, Pack, make_packs
from bareboat.packaging.sizes import DIRECT_BYTES, measure, refuse_over_limit, shed_bytecode
from bareboat.packaging.slim import UNUSED
from bareboat.service.model import Note, Service

_MANIFEST_BYTES = 220  # a line of the manifest, at most on the average


@dataclass(frozen=True, slots=True)
class Parts:
    """What an archive is made of.

    Args:
        packs: the first that brings a path wins.
        wanted_libraries: names of libraries that serverless.yml asks for (`dockerExtraFiles`).
        signature: for each model function, for the manifest.
        beside: the layers of the functions.
        proof: what was proved of the slimmed packages, for the manifest.
    """

    packs: tuple[Pack, ...]
    interpreter: Interpreter | None
    wanted_libraries: tuple[str, ...]
    signature: Mapping[str, Any]
    notes: tuple[Note, ...]
    beside: Beside = Beside()  # noqa: RUF009 - frozen
    proof: Mapping[str, Any] | None = None


def assemble(
    service: Service, plan: Plan, parts: Parts, scratch: Path, folder: Path, on_step: Callable[[str], None]
) -> Artifact:
    """Write the archive into `folder`, under a name that holds its digest, whole or not at all.

    Raises:
        PackagingError: a native library is missing or does not fit, the archive is over Lambda's limit, or the disk
            is full.
        ConfigurationError: a handler's file does not ship.
    """
    libraries, bundled, notes = complete_libraries(
        service, plan, parts.packs, parts.wanted_libraries, scratch, on_step, beside=parts.beside
    )
    packs = (*parts.packs, *libraries)
    members, contested = chosen_members(packs)
    importable = {member.path for member, _ in members} | parts.beside.modules()
    check_handlers(filter(sees_all_layers, plan.functions), importable, service.folder)
    reserve_bytes = _MANIFEST_BYTES * (len(members) + 100) + parts.beside.unzipped_bytes
    members, shed = shed_bytecode(members, reserve_bytes=reserve_bytes, limit_bytes=plan.limit_bytes)
    sizes = measure(members, packs)
    manifest = make_manifest(
        plan,
        members,
        sizes,
        service=service,
        interpreter=parts.interpreter,
        signature=parts.signature,
        bundled=bundled,
        shed=shed,
    )
    manifest["proof"] = parts.proof
    if parts.beside.layers:
        manifest["layers"] = parts.beside.document()
    (about,) = make_packs([Contents("manifest", "", {MANIFEST: manifest_bytes(shipped(manifest))})], None, scratch)
    refuse_over_limit(
        sizes,
        more_bytes=about.members[0].size,
        where=str(service.path),
        limit_bytes=plan.limit_bytes,
        level=service.slim,
    )
    own_bytes = manifest["unzipped_bytes"] + about.members[0].size
    refuse_over_limit_with_layers(own_bytes, parts.beside, limit_bytes=plan.limit_bytes, where=str(service.path))
    everything = sorted([*members, *((member, about) for member in about.members)], key=lambda entry: entry[0].path)
    on_step(f"Writing {plan.stem}")
    path, written = write_named_archive(folder, plan.stem, everything, scratch)
    return Artifact(
        path=path,
        digest=written.digest,
        functions=tuple(one.name for one in plan.functions),
        target=plan.target,
        handlers=handler_strings(plan.functions, MODEL_HANDLER),
        size_bytes=written.size_bytes,
        unzipped_bytes=own_bytes,
        manifest=manifest,
        layers=parts.beside.layers,
        notes=(*parts.notes, *notes, *_more_notes(plan, parts, written.size_bytes, contested, shed)),
    )


def _bringing(path: str, packs: Sequence[Pack]) -> str:
    first, *others = (pack.name for pack in packs if any(member.path == path for member in pack.members))
    return f"{path} comes with {first} and with {' and '.join(others)}: that of {first}"


def _more_notes(plan: Plan, parts: Parts, size_bytes: int, contested: Sequence[str], shed: Sequence[str]) -> list[Note]:
    notes = []
    python = plan.target.python
    if parts.interpreter is None:
        text = (
            f"no python{python} is installed here to make bytecode with, so the archive has none: a cold start takes "
            f"up to three times as long. Install it with: uv python install {python}"
        )
        notes.append(Note("warning", text))
    if shed:
        text = (
            f"the bytecode of {', '.join(shed)} is left out to stay under Lambda's limit; importing it takes "
            "two to three times as long"
        )
        notes.append(Note("warning", text))
    dropped = sorted({pack.name for pack in parts.packs for one in pack.removed if one.reason == UNUSED})
    if dropped:
        text = (
            f"of {', '.join(dropped)} only what the samples used ships: a request that takes another way fails with "
            "ModuleNotFoundError or FileNotFoundError; give a sample for each way (docs/slimming.md)"
        )
        notes.append(Note("warning", text))
    if size_bytes > DIRECT_BYTES and not plan.for_image:
        text = (
            f"the zip has {size_bytes / 1e6:.1f} MB; above {DIRECT_BYTES / 1e6:.1f} MB Lambda takes it from S3 only, "
            "not by direct upload"
        )
        notes.append(Note("info", text))
    return notes + [Note("warning", f"{_bringing(path, parts.packs)} is taken") for path in contested[:5]]
