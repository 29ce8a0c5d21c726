"""Service -> images for Lambda's image package type: a base, a layer of dependencies, a layer of code, the handler."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bareboat.artifact.build import build
from bareboat.artifact.locking import Locking, locked_resolution, name_within
from bareboat.artifact.model import Artifact
from bareboat.artifact.opt import unpack_layers
from bareboat.artifact.unpack import unpack
from bareboat.container.base import Base, open_base
from bareboat.container.build import mode_of
from bareboat.container.documents import Descriptor, linux_platform
from bareboat.container.image import LAMBDA_BYTES, Image, Settings, make_image, make_index, refuse_over_limit
from bareboat.container.layer import Entry, Layer, folders_above, large_ones, write_layer
from bareboat.container.site import check_site, lay_site
from bareboat.container.store import Store
from bareboat.container.surroundings import ImagePython, python_of, target_of
from bareboat.errors import ArtifactError
from bareboat.packaging.interpreters import find_python
from bareboat.packaging.lambda_image import TASK_ROOT
from bareboat.packaging.native import refuse
from bareboat.packaging.target import Target
from bareboat.service.model import Note, Service

LAMBDA_BASE = "public.ecr.aws/lambda/python:{python}"
_CLIENT = "awslambdaric"  # AWS's Lambda Runtime Interface Client, which its own base images bring
_OPT = "/opt"
_LARGE_BYTES = 5_000_000
_MOST_LARGE = 12
Architecture = Literal["x86_64", "arm64"]


@dataclass(frozen=True, slots=True)
class FunctionImage:
    """An image of the functions that share an archive.

    Args:
        name: in the store, with its tag.
        handlers: function -> its handler; the image's command is that of the first.
        images: one for each architecture.
        base: as it was named.
    """

    name: str
    descriptor: Descriptor
    functions: tuple[str, ...]
    handlers: Mapping[str, str]
    images: tuple[Image, ...]
    base: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a function is put: a base, and the machine that packages are chosen for."""

    base: Base
    target: Target
    python: ImagePython
    is_lambdas: bool


def build_function_images(  # noqa: PLR0913 - each a flag of the command
    service: Service,
    store: Store,
    *,
    function: str | None = None,
    base: str | None = None,
    architectures: Sequence[Architecture] = (),
    name: str | None = None,
    locking: Locking | None = None,
    insecure: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[FunctionImage, ...]:
    """Build an image for each function, or for those that share an archive, and keep it in the store.

    Args:
        function: only the image that serves it.
        base: None is AWS's own image of each function's Python.
        architectures: over each function's own; of several the image is an index.
        name: NAME or NAME:TAG, where there is only one image; else the service's and the function's name.
        locking: how bareboat.lock is treated.
    Raises:
        ConfigurationError, ModelError, PackagingError: as for an archive.
        ArtifactError: the base does not fit, or the image is over Lambda's limit.
        RemoteError: the base's registry refuses.
    """
    locking = locking or Locking()
    chosen = {key: one for key, one in service.functions.items() if function in {None, key}}
    found: dict[tuple[str, ...], list[tuple[Artifact, Image, list[Note]]]] = {}
    places: dict[tuple[str, str], _Place] = {}
    with store.adding() as layout:
        for key, one in chosen.items():
            for architecture in architectures or (one.architecture,):
                where = (one.python, architecture)
                if where not in places:
                    text = base or LAMBDA_BASE.format(python=one.python)
                    places[where] = _place(text, one.python, architecture, store, insecure, on_step)
                place = places[where]
                artifact = build(
                    service, function=key, target=place.target, on_step=on_step, locking=locking,
                    limit_bytes=LAMBDA_BYTES,
                )[key]  # fmt: skip
                made = found.setdefault((key,) if artifact.functions == (key,) else artifact.functions, [])
                if all(there.path != artifact.path for there, _, _ in made):
                    image, notes = _image(service, artifact, place, locking, on_step)
                    made.append((artifact, image, notes))
        if name is not None and len(found) > 1:
            raise ArtifactError(
                f"{name} cannot name {len(found)} images: {'; '.join(', '.join(names) for names in found)}",
                expected="one image, or no name",
                fix=f"package one function: -f {next(iter(found))[0]}",
            )
        images = []
        for names, parts in found.items():
            descriptor = make_index(layout, [image for _, image, _ in parts])
            tagged = store.tag(name or _name(service, names, alone=len(found) == 1), descriptor)
            first = parts[0][0]
            images.append(
                FunctionImage(
                    tagged.name, descriptor, names, first.handlers, tuple(image for _, image, _ in parts),
                    parts[0][1].base, tuple(dict.fromkeys(note for _, _, notes in parts for note in notes)),
                )
            )  # fmt: skip
    return tuple(images)


def _name(service: Service, functions: tuple[str, ...], *, alone: bool) -> str:
    text = service.name if alone else f"{service.name}-{functions[0]}"
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._") or "service"


def _place(
    text: str, python: str, architecture: Architecture, store: Store, insecure: bool, on_step: Callable[[str], None]
) -> _Place:
    base = open_base(text, linux_platform(architecture), store, on_step=on_step, insecure=insecure)
    found = python_of(base, python)
    is_lambdas = "lambda-entrypoint.sh" in base.tree and found.path.startswith("/var/lang/")
    target = Target(python, architecture) if is_lambdas else target_of(base, found)
    return _Place(base, target, found, is_lambdas)


def _image(
    service: Service, artifact: Artifact, place: _Place, locking: Locking, on_step: Callable[[str], None]
) -> tuple[Image, list[Note]]:
    base = place.base
    notes = list(artifact.notes)
    client = () if place.is_lambdas else _client(service, place, locking, on_step)
    layers = [*client, *_layers(artifact, base, on_step)]
    refuse_over_limit(base, layers)
    if len(artifact.functions) > 1:
        others = ", ".join(f"{name} {artifact.handlers[name]}" for name in artifact.functions[1:])
        text = (
            f"{', '.join(artifact.functions)} share an image, whose command is the handler of {artifact.functions[0]}; "
            f"the others' go into ImageConfig.Command: {others}"
        )
        notes.append(Note("info", text))
    handler = artifact.handlers[artifact.functions[0]]
    settings = Settings(cmd=[handler], workdir=TASK_ROOT, env={} if place.is_lambdas else _environment(artifact, base))
    if not place.is_lambdas:
        settings = Settings(
            env=settings.env, cmd=settings.cmd, workdir=TASK_ROOT, entrypoint=[place.python.path, "-m", _CLIENT]
        )
    return make_image(base, layers, settings, title=service.name), notes


def _environment(artifact: Artifact, base: Base) -> dict[str, str]:
    """Return what AWS's own images set and handlers count on."""
    libraries = [f"{TASK_ROOT}/lib", f"{_OPT}/lib", base.env.get("LD_LIBRARY_PATH", "")]
    env = {"LAMBDA_TASK_ROOT": TASK_ROOT, "LD_LIBRARY_PATH": ":".join(filter(None, libraries))}
    if artifact.layers:
        env["PYTHONPATH"] = ":".join(filter(None, [f"{_OPT}/python", base.env.get("PYTHONPATH", "")]))
    return env


def _client(service: Service, place: _Place, locking: Locking, on_step: Callable[[str], None]) -> tuple[Layer, ...]:
    """Lay AWS's runtime client beside a base's Python."""
    from bareboat.packaging.requirements import RequirementRules, given_requirements

    target = place.target
    requirements = given_requirements(
        [_CLIENT], origins=[""], source=_CLIENT, folder=service.folder, rules=RequirementRules()
    )
    resolution = locked_resolution(
        requirements, target, name=name_within(_CLIENT, target), declared=target, folder=service.folder,
        locking=locking, on_step=on_step,
    ).resolution  # fmt: skip
    site = lay_site(
        place.base.layout, resolution, place.python, place.base.tree, find_python(target.python), on_step=on_step
    )
    refuse(check_site(site, resolution), target, where=place.base.name)
    return site.layers


def _layers(artifact: Artifact, base: Base, on_step: Callable[[str], None]) -> list[Layer]:
    """Return dependencies and code in layers of their own, so that a change of the code moves the code alone."""
    shares: list[tuple[str, list[Entry]]] = []
    opt = unpack_layers(artifact.layers)
    if opt is not None:
        files: dict[str, Any] = {path: {} for path in _below(opt)}
        shares.append((", ".join(f"layer {one.name}" for one in artifact.layers), _entries(opt, files, _OPT)))
    task = unpack(artifact)
    said = artifact.manifest.get("files") or {}
    entries = {path: said.get(path, {}) for path in _below(task)}
    owners = _owners(task, entries)
    by_package: dict[str, dict[str, Any]] = {}
    for path, facts in entries.items():
        by_package.setdefault(owners.get(path.split("/")[0], ""), {})[path] = facts
    code = by_package.pop("", {})
    sizes = {name: sum((task / path).stat().st_size for path in package) for name, package in by_package.items()}
    large = large_ones(sizes, at_least=_LARGE_BYTES, at_most=_MOST_LARGE)
    shares += [(name, _entries(task, by_package[name], TASK_ROOT)) for name in large]
    rest = {path: facts for name, package in by_package.items() if name not in large for path, facts in package.items()}
    if rest:
        shares.append(("dependencies", _entries(task, rest, TASK_ROOT)))
    shares.append(("code", _entries(task, code, TASK_ROOT)))
    return [
        write_layer(
            base.layout,
            [*entries, *folders_above([entry.path for entry in entries], base.tree.__contains__)],
            name=name,
            on_step=on_step,
        )
        for name, entries in shares
    ]


def _below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _entries(folder: Path, files: Mapping[str, Any], home: str) -> list[Entry]:
    return [
        Entry(
            posixpath.join(home.strip("/"), path), folder / path, mode_of(folder / path), sha256=facts.get("sha256", "")
        )
        for path, facts in files.items()
    ]


def _owners(task: Path, files: Mapping[str, Any]) -> dict[str, str]:
    """Return, for each name at the top of the archive that a package brought, the package.

    A wrong guess would only put a file into another layer of the same image.
    """
    owners: dict[str, str] = {}
    tops = {path.split("/")[0] for path in files}
    for info in sorted(name for name in tops if name.endswith(".dist-info")):
        package = re.sub(r"[-_.]+", "-", info.removesuffix(".dist-info").rpartition("-")[0]).lower()
        owners[info] = package
        for top in _tops_of(task / info):
            if top in tops:
                owners.setdefault(top, package)
        for libraries in (f"{info.rpartition('-')[0]}.libs", f"{package.replace('-', '_')}.libs", f"{package}.libs"):
            if libraries in tops:
                owners[libraries] = package
    return owners


def _tops_of(info: Path) -> set[str]:
    found: set[str] = set()
    record, names = info / "RECORD", info / "top_level.txt"
    if record.is_file():
        for line in record.read_text(encoding="utf-8", errors="replace").splitlines():
            found.add(line.partition(",")[0].partition("/")[0].strip('"'))
    if names.is_file():
        for line in names.read_text(encoding="utf-8", errors="replace").split():
            found |= {line, f"{line}.py"}
    return found
