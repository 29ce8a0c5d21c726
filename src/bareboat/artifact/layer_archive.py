"""A layer's folder and packages -> its zip: packages below python/, libraries in lib/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bareboat.artifact.beside import packages_in
from bareboat.artifact.dependencies import Dependencies, slimming_of
from bareboat.artifact.libraries import complete_libraries
from bareboat.artifact.manifest import make_manifest
from bareboat.artifact.model import Artifact
from bareboat.artifact.output import OUTPUT
from bareboat.artifact.plan import Plan
from bareboat.artifact.proof.layers import layer_slimming
from bareboat.errors import PackagingError
from bareboat.packaging.archive import chosen_members, write_named_archive
from bareboat.packaging.dependencies import dependency_packs
from bareboat.packaging.folder import Selection
from bareboat.packaging.interpreters import Interpreter
from bareboat.packaging.packs import Contents, Pack, make_packs
from bareboat.packaging.placing import placed
from bareboat.packaging.sizes import PackageSize, measure, shed_bytecode
from bareboat.service.layer import Layer
from bareboat.service.model import Note, Service

_ON_A_PATH = frozenset({"python", "lib", "bin", "extensions"})
PYTHON = "python/"
"""Lambda puts /opt/python on sys.path."""


@dataclass(frozen=True, slots=True)
class LayerParts:
    """What a layer is made of.

    Args:
        interpreter: of the target's version, for bytecode; None for none.
    """

    selection: Selection
    dependencies: Dependencies
    interpreter: Interpreter | None


def write_layer(
    service: Service, layer: Layer, plan: Plan, parts: LayerParts, scratch: Path, on_step: Callable[[str], None]
) -> Artifact:
    """Write the zip of a layer into `.bareboat/`, under a name that holds its digest, whole or not at all.

    Raises:
        PackagingError: uv refused, the layer alone is over Lambda's limit, or the disk is full.
    """
    packs = _packs(service, parts, scratch, on_step)
    # what it lacks beyond that, another layer or the function may bring: the functions with it are checked as a whole
    libraries, bundled, notes = complete_libraries(service, plan, packs, (), scratch, on_step, refusing=False)
    packs = (*packs, *libraries)
    members, contested = chosen_members(packs)
    members, shed = shed_bytecode(members, reserve_bytes=0, limit_bytes=plan.limit_bytes)
    sizes = measure(members, packs)
    _refuse_large(layer, sizes, plan.limit_bytes)
    manifest = make_manifest(
        plan,
        members,
        sizes,
        service=service,
        interpreter=parts.interpreter,
        signature={},
        bundled=bundled,
        shed=shed,
    )
    manifest["layer"] = layer.name
    manifest["versions"]["packages"] = {
        **packages_in(member.path for member, _ in members),
        **manifest["versions"]["packages"],
    }
    manifest["elves"] = {
        member.path: msgspec.to_builtins(elf)
        for member, pack in members
        if (elf := pack.elves.get(member.path)) is not None
    }
    on_step(f"Writing {plan.stem}")
    path, written = write_named_archive(service.folder / OUTPUT, plan.stem, members, scratch)
    return Artifact(
        path=path,
        digest=written.digest,
        functions=(),
        target=plan.target,
        handlers={},
        size_bytes=written.size_bytes,
        unzipped_bytes=manifest["unzipped_bytes"],
        manifest=manifest,
        notes=(*notes, *_notes(layer, plan, parts, contested, shed)),
    )


def _packs(service: Service, parts: LayerParts, scratch: Path, on_step: Callable[[str], None]) -> tuple[Pack, ...]:
    files = {found.path: found.source for found in parts.selection.files}
    importable: dict[str, Path | bytes] = {path: file for path, file in files.items() if path.startswith(PYTHON)}
    others: dict[str, Path | bytes] = {path: file for path, file in files.items() if path not in importable}
    packs = make_packs([Contents("folder", "", importable)], parts.interpreter, scratch) if importable else ()
    if others:
        packs = (*packs, *make_packs([Contents("other files", "", others)], None, scratch))
    if parts.dependencies.resolution is None:
        return packs
    slimming = layer_slimming(slimming_of(service))
    found = dependency_packs(parts.dependencies.resolution, slimming, parts.interpreter, on_step=on_step)
    return (*packs, *(placed(pack, PYTHON) for pack in found))


def _refuse_large(layer: Layer, sizes: Sequence[PackageSize], limit_bytes: int) -> None:
    total = sum(size.unzipped_bytes for size in sizes)
    if total <= limit_bytes:
        return
    largest = ", ".join(f"{size.name} {size.unzipped_bytes / 1e6:.1f} MB" for size in sizes[:5])
    raise PackagingError(
        f"unzipped the layer {layer.name} has {total:,} bytes; the largest: {largest}",
        expected=f"at most {limit_bytes:,} bytes, Lambda's limit for a function and all of its layers together",
        fix="a layer raises no limit: take out what no function imports, serve a model with `model:` instead of its "
        "framework, or make the function an image, which may have 10 GB",
        where=str(layer.where),
    )


def on_no_path(layer: str, paths: Iterable[str]) -> str:
    """Return what to say of a layer whose files lie where neither Python nor the loader looks; "" of any other."""
    tops = {path.partition("/")[0] for path in paths}
    if not tops or not _ON_A_PATH.isdisjoint(tops):
        return ""
    return (
        f"the layer {layer} has no folder python, lib or bin: Lambda lays it to /opt, and what lies in "
        f"{', '.join(sorted(tops)[:3])} is found by its path only"
    )


def _notes(
    layer: Layer, plan: Plan, parts: LayerParts, contested: Sequence[str], shed: Sequence[str]
) -> tuple[Note, ...]:
    where, python = str(layer.where), plan.target.python
    notes = [Note("warning", text, where) for text in parts.selection.notes]
    unseen = on_no_path(layer.name, (found.path for found in parts.selection.files))
    if unseen and parts.dependencies.resolution is None:
        notes.append(Note("warning", unseen, where))
    if not parts.selection.files and layer.path is not None:
        notes.append(Note("warning", f"the folder of the layer {layer.name} has no file", where))
    notes += parts.dependencies.notes
    if parts.interpreter is None:
        text = (
            f"no python{python} is installed here to make bytecode with, so the layer {layer.name} has none: a cold "
            f"start takes up to three times as long. Install it with: uv python install {python}"
        )
        notes.append(Note("warning", text, where))
    if shed:
        text = (
            f"the bytecode of {', '.join(shed)} is left out of the layer {layer.name} to stay under Lambda's limit; "
            "importing it takes two to three times as long"
        )
        notes.append(Note("warning", text, where))
    notes += [
        Note("warning", f"the layer {layer.name} gets {path} more than once; the first one is taken", where)
        for path in contested[:5]
    ]
    return tuple(notes)
