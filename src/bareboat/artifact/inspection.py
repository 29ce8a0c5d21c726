"""Anybody's zip or folder -> what would fail on Lambda, told before the upload."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bareboat.artifact.contents import Contents, Entry, opened, opened_within
from bareboat.artifact.handlers import module_files
from bareboat.artifact.model import MANIFEST
from bareboat.artifact.names import name_notes, name_problems
from bareboat.artifact.python_code import PythonCode
from bareboat.artifact.stale import bytecode_notes
from bareboat.errors import ArtifactError, Problem
from bareboat.packaging.elf import Elf, is_elf, read_elf
from bareboat.packaging.native import check_native, native_problems
from bareboat.packaging.redistributable import is_redistributable
from bareboat.packaging.sizes import DIRECT_BYTES, UNZIPPED_BYTES
from bareboat.packaging.target import Target
from bareboat.service.model import Architecture, Note, Service

_TAG = re.compile(r"\.cpython-3(\d+)[a-z]*-")
_VERSION = re.compile(r"3\.\d{1,3}")
_NESTED = re.compile(r"(^|/)\.?requirements\.zip$")
_MACH_O = {b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"}
_TMP_BYTES = 512 * 1024 * 1024  # Lambda's /tmp, unless a function has more
_SHOWN = 3


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
    path: Path, *, python: str = "", architecture: Architecture | None = None, service: Service | None = None
) -> Inspection:
    """Look an artifact through.

    Args:
        path: a zip or a folder, made by bareboat or by anybody.
        python, architecture: of the function; by default what the manifest, serverless.yml, or the native files say.
        service: whose handlers must be in it.
    Raises:
        ArtifactError: it is neither a zip nor a folder, or cannot be read.
    """
    with opened(path) as contents:
        elves, problems = _elves(contents)
        manifest = _manifest(contents)
        target, origin = _target(python, architecture, manifest, service, contents, elves)
        found = Inspection(
            path=path,
            target=target,
            origin=origin,
            size_bytes=contents.zipped_bytes,
            unzipped_bytes=contents.unzipped_bytes,
            files=len(contents.entries),
            native=len(elves),
            problems=[*name_problems(contents), *problems],
            notes=name_notes(contents),
        )
        _sizes(found, contents)
        _nested(found, contents, elves)
        _native(found, contents, elves)
        _tags(found, [entry.path for entry in contents.entries], target)
        _handlers(found, contents, manifest, service)
        found.notes += bytecode_notes(contents, target)
        _unchanged(found, contents, manifest)
    return found


def _elves(contents: Contents, prefix: str = "") -> tuple[dict[str, Elf], list[Problem]]:
    elves: dict[str, Elf] = {}
    problems: list[Problem] = []
    for entry in contents.entries:
        if entry.link or not _may_be_native(entry):
            continue
        path = prefix + entry.path
        try:
            data = contents.read(entry.path)
            if data[:4] in _MACH_O and entry.path.endswith((".so", ".dylib")):
                problems.append(Problem(f"{path} was compiled for macOS", expected="a file for Linux", where=path))
            if not is_elf(data[:4]):
                continue
            elf = read_elf(data)
        except ArtifactError as error:
            problems += error.problems
            continue
        except ValueError as error:
            if ".so" in PurePosixPath(path).name:
                problems.append(Problem(f"{path} {error}", expected="a whole ELF file", where=path))
            continue
        if elf is not None:
            elves[path] = elf
    return elves, problems


def _may_be_native(entry: Entry) -> bool:
    name = entry.path.rpartition("/")[2]
    return ".so" in name or entry.path.endswith(".dylib") or bool(entry.mode & 0o111 and "." not in name)


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
    contents: Contents,
    elves: Mapping[str, Elf],
) -> tuple[Target, str]:
    """Return what the artifact is for: as the flags say, its manifest, serverless.yml, its own native files."""
    said = manifest.get("target") if manifest is not None else None
    if isinstance(said, dict) and _VERSION.fullmatch(str(said.get("python"))):
        known, origin = (str(said["python"]), str(said.get("architecture", "x86_64"))), "its manifest"
    elif service is not None and service.functions:
        first = next(iter(service.functions.values()))
        known, origin = (first.runtime.removeprefix("python"), first.architecture), service.path.name
    else:
        known = _guessed(contents, elves)
        origin = "its native files" if elves else "nothing: --runtime and --architecture say it"
    if python or architecture:
        origin = "the flags" if python and architecture else f"the flags and {origin}"
    machine = architecture or ("arm64" if known[1] == "arm64" else "x86_64")
    image = str(said.get("image", "")) if isinstance(said, dict) and not python else ""
    image = image if _VERSION.fullmatch(image) else ""
    return Target(python.removeprefix("python") or known[0], machine, image=image), origin


def _guessed(contents: Contents, elves: Mapping[str, Elf]) -> tuple[str, str]:
    from collections import Counter

    versions = Counter(match[1] for entry in contents.entries if (match := _TAG.search(entry.path)))
    machines = Counter(elf.machine for elf in elves.values())
    version = f"3.{versions.most_common(1)[0][0]}" if versions else "3.13"
    return version, "arm64" if machines and machines.most_common(1)[0][0] == "aarch64" else "x86_64"


def _sizes(found: Inspection, contents: Contents) -> None:
    if found.unzipped_bytes > UNZIPPED_BYTES:
        found.problems.append(
            Problem(
                f"unzipped it has {found.unzipped_bytes:,} bytes",
                expected=f"at most {UNZIPPED_BYTES:,}, Lambda's limit, layers included",
                fix="bareboat package --slim max, layers, or an image (bareboat package --image)",
            )
        )
    if contents.zipped_bytes is not None and contents.zipped_bytes > DIRECT_BYTES:
        text = f"the zip has {contents.zipped_bytes / 1e6:.1f} MB: above {DIRECT_BYTES / 1e6:.1f} MB Lambda takes it "
        found.notes.append(Note("info", text + "from S3 only, not by direct upload"))


def _nested(found: Inspection, contents: Contents, elves: dict[str, Elf]) -> None:
    """Look into the zip of requirements that `zip: true` leaves, which is unpacked at each cold start."""
    for entry in contents.entries:
        if not _NESTED.search(entry.path):
            continue
        try:
            with opened_within(contents, entry.path) as inner:
                more, problems = _elves(inner, f"{entry.path}/")
                size, paths = inner.unzipped_bytes, [one.path for one in inner.entries]
        except ArtifactError as error:
            found.problems += error.problems
            continue
        elves.update(more)
        found.problems += problems
        found.native += len(more)
        _tags(found, [f"{entry.path}/{path}" for path in paths], found.target)
        text = (
            f"{entry.path} (zip: true) is unpacked to /tmp at every cold start, {size / 1e6:.1f} MB, and compiled "
            "again: 89 times the start of an empty handler was measured. bareboat package needs no such zip"
        )
        found.notes.append(Note("warning", text))
        if size > _TMP_BYTES:
            found.problems.append(
                Problem(
                    f"{entry.path} unpacks to {size:,} bytes",
                    expected=f"at most {_TMP_BYTES:,}, the size of /tmp unless ephemeralStorageSize says more",
                )
            )


def _native(found: Inspection, contents: Contents, elves: Mapping[str, Elf]) -> None:
    names = [entry.path for entry in contents.entries]
    code = PythonCode(names, contents.read)
    report = check_native(elves, found.target, names, code)
    for problem in native_problems(report, found.target):
        library = problem.found.partition(" ")[0]
        if is_redistributable(library, found.target):
            fix = f"bareboat package puts {library} into lib/ by itself; or put one for the target there"
            problem = Problem(problem.found, expected=problem.expected, fix=fix)  # noqa: PLW2901
        found.problems.append(problem)
    found.notes += [
        Note("info", f"{path} does not load, since Lambda has no {library}: {why}")
        for path, library, why in report.optional
    ]


def _tags(found: Inspection, paths: Iterable[str], target: Target) -> None:
    """Name packages whose modules were compiled for another Python."""
    wanted = target.python.rpartition(".")[2]
    others: dict[str, tuple[str, str]] = {}
    fitting = set()
    for path in paths:
        match = _TAG.search(path)
        if match is None:
            if ".so" in path:
                fitting.add(path.partition(".abi3.so")[0].removesuffix(".so"))
        elif match[1] == wanted:
            fitting.add(path[: match.start()])
        else:
            others.setdefault(path[: match.start()], (path, match[1]))
    wrong: dict[tuple[str, str], list[str]] = {}
    for stem, (path, version) in others.items():
        if stem not in fitting:
            package = path.split("/")[0] if "requirements.zip" not in path else "/".join(path.split("/")[:2])
            wrong.setdefault((package, version), []).append(path)
    for (package, version), files in sorted(wrong.items()):
        found.problems.append(
            Problem(
                f"{package} was compiled for python3.{version}: {_some(files)}",
                expected=f"modules for python{target.python} (known from {found.origin})",
                fix=f"install it for python{target.python}, as bareboat package does, or change the runtime",
            )
        )


def _handlers(
    found: Inspection, contents: Contents, manifest: Mapping[str, Any] | None, service: Service | None
) -> None:
    paths = {entry.path for entry in contents.entries}
    for name, handler in _named_handlers(manifest, service):
        files = module_files(handler)
        stem = files[0].removesuffix(".py")
        if not any(one in paths for one in files) and not any(
            one.startswith(f"{stem}.") and one.endswith(".so") for one in paths
        ):
            found.problems.append(
                Problem(
                    f"functions.{name}.handler is {handler}, and there is no {files[0]} in the artifact",
                    expected=f"{files[0]} or {files[1]}",
                )
            )


def _named_handlers(manifest: Mapping[str, Any] | None, service: Service | None) -> Iterator[tuple[str, str]]:
    said = manifest.get("functions") if manifest is not None else None
    if isinstance(said, dict):
        for name, about in said.items():
            if isinstance(about, dict) and isinstance(about.get("handler"), str):
                yield str(name), about["handler"]
    elif service is not None:
        for function in service.functions.values():
            if function.handler is not None:
                yield function.name, function.handler


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
            found.problems.append(Problem(f"{_some(paths)} {kind}", fix="bareboat package"))


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
