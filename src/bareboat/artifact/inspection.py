"""Anybody's zip or folder -> what would fail on Lambda, told before the upload."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bareboat.artifact.beside import OPT, sees_all_layers
from bareboat.artifact.contents import Contents, opened
from bareboat.artifact.handlers import module_files
from bareboat.artifact.model import MANIFEST
from bareboat.artifact.names import name_notes, name_problems, some
from bareboat.artifact.native_files import TAG, Native, for_other_pythons, loading, native_files
from bareboat.artifact.parts import Parts
from bareboat.artifact.stale import bytecode_notes
from bareboat.errors import ArtifactError, Problem
from bareboat.packaging.native import importable
from bareboat.packaging.sizes import DIRECT_BYTES, UNZIPPED_BYTES
from bareboat.packaging.target import Target
from bareboat.service.model import Architecture, Function, Note, Service

_VERSION = re.compile(r"3\.\d{1,3}")
_TMP_BYTES = 512 * 1024 * 1024  # Lambda's /tmp, unless a function has more


@dataclass(slots=True)
class Inspection:
    """What there is to know of an artifact.

    Args:
        target: what it is checked for, and `origin`, where that is known from.
        problems: what would fail.
        notes: what is good to know.
        native: how many native files were looked at.
    """

    path: Path
    target: Target
    origin: str
    size_bytes: int | None
    unzipped_bytes: int
    files: int
    native: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def inspect_artifact(
    path: Path,
    *,
    python: str = "",
    architecture: Architecture | None = None,
    service: Service | None = None,
    layers: Sequence[Path] = (),
) -> Inspection:
    """Look an artifact through.

    Args:
        path: a zip or a folder, made by bareboat or by anybody.
        python, architecture: of the function; by default what the manifest, serverless.yml, or the native files say.
        service: whose handlers must be in it.
        layers: zips or folders that lie at /opt, in order; by default those of serverless.yml that were built.
    Raises:
        ArtifactError: it is neither a zip nor a folder, or cannot be read.
    """
    with ExitStack() as stack:
        parts = Parts(stack.enter_context(opened(path)))
        parts.open_inner(stack)
        native = native_files(parts.within())
        manifest = _manifest(parts.own)
        target, origin = _target(python, architecture, manifest, service, parts, native)
        notes: list[Note] = []
        functions = () if _is_built_layer(path, manifest, service) else _functions(manifest, service)
        if not layers and service is not None:
            layers, notes = _built_layers(service, functions, target)
        for layer in layers:
            parts.open_layer(layer, stack)
        found = _inspected(path, parts, native, target, origin, UNZIPPED_BYTES)
        found.notes += notes
        _handlers(found, parts, manifest, functions)
        found.notes += bytecode_notes(parts.own, target)
        _unchanged(found, parts.own, manifest)
    return found


def inspect_ready(path: Path, target: Target, *, limit_bytes: int, layers: Sequence[Path] = ()) -> Inspection:
    """Look a zip through that is packaged as it is; its handlers are serverless.yml's matter.

    Raises:
        ArtifactError: it cannot be read.
    """
    with ExitStack() as stack:
        parts = Parts(stack.enter_context(opened(path)))
        parts.open_inner(stack)
        for layer in layers:
            parts.open_layer(layer, stack)
        native = native_files(parts.within())
        found = _inspected(path, parts, native, target, "serverless.yml", limit_bytes)
        found.notes += bytecode_notes(parts.own, target)
    return found


def _inspected(path: Path, parts: Parts, native: Native, target: Target, origin: str, limit_bytes: int) -> Inspection:
    own = parts.own
    found = Inspection(
        path=path,
        target=target,
        origin=origin,
        size_bytes=own.zipped_bytes,
        unzipped_bytes=own.unzipped_bytes,
        files=len(own.entries),
        problems=[*name_problems(own), *parts.problems],
        notes=name_notes(own),
    )
    if not own.entries:
        problem = Problem("it holds no file", expected="the handler and what it imports: Lambda takes no empty zip")
        found.problems.append(problem)
    names = parts.names()
    _sizes(found, parts, limit_bytes)
    _nested(found, parts)
    if target.system == "linux":
        beside = native_files((OPT, layer) for layer in parts.layers)
        found.native = len(native.elves)
        found.problems += [*native.problems, *beside.problems]
        problems, notes = loading(names, parts, {**native.elves, **beside.elves}, target)
        found.problems += [*problems, *for_other_pythons(names, target, origin)]
        found.notes += notes
    return found


def _manifest(contents: Contents) -> Mapping[str, Any] | None:
    if not any(entry.path == MANIFEST for entry in contents.entries):
        return None
    import msgspec

    try:
        said = msgspec.json.decode(contents.read(MANIFEST))
    except msgspec.MsgspecError as error:
        raise ArtifactError(f"{MANIFEST} is no JSON: {error}", fix="bareboat package", where=MANIFEST) from error
    return said if isinstance(said, dict) else None


def _target(
    python: str,
    architecture: Architecture | None,
    manifest: Mapping[str, Any] | None,
    service: Service | None,
    parts: Parts,
    native: Native,
) -> tuple[Target, str]:
    """Return what the artifact is for: as the flags say, its manifest, serverless.yml, its own native files."""
    said = manifest.get("target") if manifest is not None else None
    if isinstance(said, dict) and _VERSION.fullmatch(str(said.get("python"))):
        known, origin = (str(said["python"]), str(said.get("architecture", "x86_64"))), "its manifest"
    elif service is not None and service.functions:
        first = next(iter(service.functions.values()))
        known, origin = (first.runtime.removeprefix("python"), first.architecture), service.path.name
    else:
        known = _guessed(parts, native)
        named = any(TAG.search(entry.path) for _, contents in parts.within() for entry in contents.entries)
        unknown = "the names of its native files" if named else "nothing: --runtime and --architecture say it"
        origin = "its native files" if native.elves else unknown
    if python or architecture:
        origin = "the flags" if python and architecture else f"the flags and {origin}"
    machine = architecture or ("arm64" if known[1] == "arm64" else "x86_64")
    image = str(said.get("image", "")) if isinstance(said, dict) and not python else ""
    image = image if _VERSION.fullmatch(image) else ""
    return Target(python.removeprefix("python") or known[0], machine, image=image), origin


def _guessed(parts: Parts, native: Native) -> tuple[str, str]:
    from collections import Counter

    paths = (entry.path for _, contents in parts.within() for entry in contents.entries)
    versions = Counter(match[1] for path in paths if (match := TAG.search(path)))
    machines = Counter(elf.machine for elf in native.elves.values())
    version = f"3.{versions.most_common(1)[0][0]}" if versions else "3.13"
    return version, "arm64" if machines and machines.most_common(1)[0][0] == "aarch64" else "x86_64"


def _sizes(found: Inspection, parts: Parts, limit_bytes: int) -> None:
    layers = sum(layer.unzipped_bytes for layer in parts.layers)
    total = found.unzipped_bytes + layers
    if total > limit_bytes:
        share = f", {layers:,} of them its layers'" if layers else ""
        found.problems.append(
            Problem(
                f"unzipped it has {total:,} bytes{share}",
                expected=f"at most {limit_bytes:,}, Lambda's limit, layers included",
                fix="leave out what no function imports, package --slim max, or an image (package --image, 10 GB)",
            )
        )
    zipped = parts.own.zipped_bytes
    if zipped is not None and zipped > DIRECT_BYTES and limit_bytes == UNZIPPED_BYTES:
        text = f"the zip has {zipped / 1e6:.1f} MB: above {DIRECT_BYTES / 1e6:.1f} MB Lambda takes it "
        found.notes.append(Note("info", text + "from S3 only, not by direct upload"))


def _nested(found: Inspection, parts: Parts) -> None:
    """Say what the zip of requirements costs that `zip: true` leaves, which is unpacked at each cold start."""
    for path, inner in parts.inner.items():
        size = inner.unzipped_bytes
        text = (
            f"{path} (zip: true) is unpacked to /tmp at every cold start, {size / 1e6:.1f} MB, and compiled "
            "again: 89 times the start of an empty handler was measured. bareboat package needs no such zip"
        )
        found.notes.append(Note("warning", text))
        if size > _TMP_BYTES:
            found.problems.append(
                Problem(
                    f"{path} unpacks to {size:,} bytes",
                    expected=f"at most {_TMP_BYTES:,}, the size of /tmp unless ephemeralStorageSize says more",
                )
            )


def _handlers(
    found: Inspection, parts: Parts, manifest: Mapping[str, Any] | None, functions: Sequence[Function]
) -> None:
    paths = {entry.path for entry in parts.own.entries}
    paths |= {importable(OPT + entry.path) for layer in parts.layers for entry in layer.entries}
    elsewhere = {function.name for function in functions if not sees_all_layers(function)}
    for name, handler in _named_handlers(manifest, functions):
        files = module_files(handler)
        stem = files[0].removesuffix(".py")
        if (
            name not in elsewhere
            and not any(one in paths for one in files)
            and not any(one.startswith(f"{stem}.") and one.endswith(".so") for one in paths)
        ):
            found.problems.append(
                Problem(
                    f"functions.{name}.handler is {handler}, and there is no {files[0]} in the artifact",
                    expected=f"{files[0]} or {files[1]}",
                )
            )


def _named_handlers(manifest: Mapping[str, Any] | None, functions: Sequence[Function]) -> Iterator[tuple[str, str]]:
    said = manifest.get("functions") if manifest is not None else None
    if isinstance(said, dict):
        for name, about in said.items():
            if isinstance(about, dict) and isinstance(about.get("handler"), str):
                yield str(name), about["handler"]
    else:
        yield from ((function.name, function.handler) for function in functions if function.handler is not None)


def _is_built_layer(path: Path, manifest: Mapping[str, Any] | None, service: Service | None) -> bool:
    """Tell whether this is a layer that `bareboat package` made: it has no handler, and no manifest in it."""
    named = service is not None and any(path.name.startswith(f"{service.name}-layer.{one}-") for one in service.layers)
    return manifest is None and named


def _functions(manifest: Mapping[str, Any] | None, service: Service | None) -> tuple[Function, ...]:
    """Return those of the functions of serverless.yml that the artifact says it serves, else all."""
    if service is None:
        return ()
    said = manifest.get("functions") if manifest is not None else None
    named = [one for name, one in service.functions.items() if isinstance(said, dict) and name in said]
    return tuple(named or service.functions.values())


def _built_layers(
    service: Service, functions: Sequence[Function], target: Target
) -> tuple[tuple[Path, ...], list[Note]]:
    """Return the zips of the functions' layers as they were built last, and what to say of others."""
    from bareboat.artifact.layers import last_built

    zips: dict[str, Path] = {}
    notes = []
    for function in functions:
        for ref in function.layers:
            path = last_built(service, ref.name, target) if ref.name else None
            if path is not None:
                zips[ref.name] = path
            else:
                what = f"{ref.name}, which is not built for {target}" if ref.name else str(ref.written)
                cure = "--layer FILE names its zip" + (", and bareboat package builds it" if ref.name else "")
                text = f"functions.{function.name} has the layer {what}: what lies in it does not count here; {cure}"
                notes.append(Note("warning", text))
    return tuple(zips.values()), notes


def _unchanged(found: Inspection, contents: Contents, manifest: Mapping[str, Any] | None) -> None:
    """Hold what bareboat built against its manifest."""
    files = manifest.get("files") if manifest is not None else None
    if not isinstance(files, dict):
        return
    import hashlib

    there = {entry.path for entry in contents.entries} - {MANIFEST}
    changed = []
    for path in sorted(there & set(files)):
        try:
            if hashlib.sha256(contents.read(path)).hexdigest() != files[path].get("sha256"):
                changed.append(path)
        except (ArtifactError, AttributeError):
            changed.append(path)
    for kind, paths in (
        ("changed since it was built", changed),
        ("is not in the artifact, though its manifest names it", sorted(set(files) - there)),
        ("is not in the artifact's manifest", sorted(there - set(files))),
    ):
        if paths:
            found.problems.append(Problem(f"{some(paths)} {kind}", fix="bareboat package"))
