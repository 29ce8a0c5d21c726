"""Recipe -> image: base opened, packages resolved, checked and laid, files added, settings written."""

from __future__ import annotations

import platform as this_machine
import posixpath
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.container.base import Base, open_base
from bareboat.container.cuda import DRIVER_LIBRARIES
from bareboat.container.documents import DEFAULT_PATH, Descriptor, Platform, linux_platform
from bareboat.container.gpu import GpuReport, check_gpu, check_linked, refuse
from bareboat.container.image import Image, Settings, make_image, make_index
from bareboat.container.layer import Entry, Layer, folders_above, write_layer
from bareboat.container.recipe import Recipe
from bareboat.container.site import Site, check_site, lay_site
from bareboat.container.store import Store
from bareboat.container.surroundings import ImagePython, baseline_of, python_of, target_of
from bareboat.errors import BareboatError, ConfigurationError, PackagingError, Problem
from bareboat.packaging.folder import select_files
from bareboat.packaging.interpreters import find_python
from bareboat.packaging.lock import LOCK
from bareboat.packaging.patterns import Matcher
from bareboat.packaging.requirements import RequirementRules, Requirements
from bareboat.packaging.target import Target
from bareboat.service.model import Note

if TYPE_CHECKING:
    from bareboat.packaging.resolve import Resolution

_FIND_LINKS = re.compile(r"^(-f|--find-links)[\s=]+(?!\w+://)(\S+)")


@dataclass(frozen=True, slots=True)
class Built:
    """An image that was built.

    Args:
        name: what it is called in the store, with its tag.
        descriptor: of the image, or of the index of several machines' images.
        images: one for each machine.
    """

    name: str
    descriptor: Descriptor
    images: tuple[Image, ...]
    notes: tuple[Note, ...] = ()
    gpu: GpuReport = field(default_factory=GpuReport)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is decided before anything is built, for one machine.

    Args:
        python: None where there are no packages and no Python is asked for.
        files: (path in the image, file), sorted.
        index_lines: of the requirements, those that name a package index.
    """

    base: Base
    python: ImagePython | None
    target: Target | None
    resolution: Resolution | None
    files: tuple[tuple[str, Path], ...]
    settings: Settings
    index_lines: tuple[str, ...]
    gpu: GpuReport
    notes: tuple[Note, ...]


def host_platform() -> Platform:
    """Return Linux on this machine's CPU."""
    return linux_platform(this_machine.machine().lower())


def build_image(
    recipe: Recipe,
    store: Store,
    *,
    platforms: Sequence[Platform] = (),
    upgrade: bool = False,
    insecure: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Built:
    """Build what image.yml says, and keep it in the store under its name.

    Args:
        platforms: over the recipe's; without any this machine's.
        upgrade: choose packages anew and renew bareboat.lock, and ask the registry for the base anew.
        insecure: speak HTTP with the base's registry.
    Raises:
        ConfigurationError: a command of the recipe is not in the image.
        PackagingError: requirements, native libraries, CUDA and cuDNN that do not agree, the disk.
        ArtifactError: the base.
        RemoteError: its registry.
    """
    machines = tuple(platforms) or recipe.platforms or (host_platform(),)
    images: list[Image] = []
    notes: list[Note] = []
    gpu = GpuReport()
    with store.adding() as layout:
        for machine in machines:
            prepared = prepare(recipe, store, machine, upgrade=upgrade, insecure=insecure, on_step=on_step)
            image, more = _build(recipe, prepared, on_step)
            images.append(image)
            notes += [*prepared.notes, *more]
            gpu = prepared.gpu if prepared.gpu.uses_gpu else gpu
        descriptor = make_index(layout, images)
        named = store.tag(recipe.name, descriptor)
    return Built(named.name, descriptor, tuple(images), tuple(dict.fromkeys(notes)), gpu)


def prepare(
    recipe: Recipe,
    store: Store,
    machine: Platform,
    *,
    upgrade: bool = False,
    insecure: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Open the base, choose the packages, compare CUDA's versions; call it within `store.adding()`."""
    from bareboat.artifact.locking import Locking, locked_resolution

    with _at(recipe.where("base")):
        base = open_base(
            recipe.base, machine, store, on_step=on_step, insecure=insecure, pull=upgrade and _is_remote(recipe)
        )
    requirements = _requirements(recipe)
    python = target = resolution = None
    notes: list[Note] = []
    gpu = GpuReport()
    if not requirements.empty or recipe.python is not None:
        with _at(recipe.where("python" if recipe.python is not None else "base")):
            python = python_of(base, recipe.python)
            target = target_of(base, python, more=DRIVER_LIBRARIES if recipe.gpu is not False else ())
        resolution = locked_resolution(
            requirements,
            target,
            name=f"image.{recipe.path.stem}",
            declared=target,
            folder=recipe.folder,
            locking=Locking(upgrade=upgrade),
            on_step=on_step,
        ).resolution
        notes += [Note("warning", text, requirements.source) for text in resolution.notes]
        if recipe.gpu is not False:
            assert target.baseline is not None
            gpu = check_gpu(
                resolution.pins, base, target.baseline.libraries - DRIVER_LIBRARIES,
                wanted=recipe.gpu is True, host_driver=recipe.host_driver,
            )  # fmt: skip
            refuse(_placed(gpu.problems, recipe.where("requirements")))
            notes += [Note("warning", text, recipe.where("base")) for text in gpu.notes]
    elif recipe.gpu is True:
        libraries = baseline_of(base).libraries if base.layers else frozenset[str]()
        gpu = check_gpu((), base, libraries, wanted=True, host_driver=recipe.host_driver)
        refuse(_placed(gpu.problems, recipe.where("gpu")))
    with _at(recipe.where("files")):
        files, about_files = _files(recipe)
    notes += about_files
    settings = _settings(recipe, base, python, resolution, gpu)
    index_lines = tuple(line for line in requirements.text.splitlines() if line.startswith("-") and line[:2] != "-e")
    return Prepared(base, python, target, resolution, files, settings, index_lines, gpu, tuple(notes))


def _build(recipe: Recipe, prepared: Prepared, on_step: Callable[[str], None]) -> tuple[Image, list[Note]]:
    base, python, resolution = prepared.base, prepared.python, prepared.resolution
    site = Site()
    notes: list[Note] = []
    if python is not None and resolution is not None:
        interpreter = find_python(python.version)
        site = lay_site(base.layout, resolution, python, base.tree, interpreter, on_step=on_step)
        notes += _about_packages(recipe, prepared, site)
        if interpreter is None and resolution.pins:
            text = (
                f"no python{python.version} is installed here to make bytecode with, so packages have none: every "
                f"start of a container compiles them. Install it with: uv python install {python.version}"
            )
            notes.append(Note("warning", text))
    layers = [*site.layers, *_file_layer(prepared, on_step)]
    _check_commands(recipe, prepared, site)
    return make_image(base, layers, prepared.settings, title=recipe.name), notes


def _is_remote(recipe: Recipe) -> bool:
    return recipe.base != "scratch" and not Path(recipe.base).exists()


def _requirements(recipe: Recipe) -> Requirements:
    from bareboat.packaging.requirements import given_requirements, read_requirements, read_requirements_file

    said, rules = recipe.requirements, RequirementRules()
    if said is None:
        return read_requirements(recipe.folder, rules)
    if isinstance(said, str):
        return read_requirements_file(recipe.folder / said, rules)
    origins = [recipe.where(f"requirements[{number}]") for number in range(len(said))]
    lines = [_FIND_LINKS.sub(lambda match: f"{match[1]} {(recipe.folder / match[2]).resolve()}", line) for line in said]
    return given_requirements(lines, origins=origins, source=recipe.path.name, folder=recipe.folder, rules=rules)


def _placed(problems: Iterable[Problem], where: str) -> list[Problem]:
    return [
        Problem(problem.found, expected=problem.expected, fix=problem.fix, where=problem.where or where)
        for problem in problems
    ]


@contextmanager
def _at(where: str) -> Iterator[None]:
    """Say of problems without a place where in image.yml they come from."""
    try:
        yield
    except BareboatError as error:
        error.problems = tuple(_placed(error.problems, where))
        raise


def _files(recipe: Recipe) -> tuple[tuple[tuple[str, Path], ...], list[Note]]:
    """Return the project's files and where they go; without patterns all but what configures the build."""
    whole = all(pattern.startswith("!") for pattern in recipe.patterns)
    configures = {recipe.path.name, LOCK, "Dockerfile", ".dockerignore", ".containerignore"}
    chosen = select_files(recipe.folder, recipe.patterns, whole=whole, also_not=frozenset(configures), key="files")
    home = recipe.workdir.strip("/")
    notes = [Note("warning", text) for text in chosen.notes]
    notes += _matching_nothing(recipe, {found.path for found in chosen.files})
    return tuple((posixpath.join(home, found.path), found.source) for found in chosen.files), notes


def _matching_nothing(recipe: Recipe, paths: set[str]) -> Iterator[Note]:
    """Warn of globs that match no file; a name that is none is refused."""
    for number, pattern in enumerate(recipe.patterns):
        if pattern.startswith("!") or any(map(Matcher([pattern]).last_match, paths)):
            continue
        if select_files(recipe.folder, [pattern], whole=False, key="files").files:
            continue  # a later pattern takes it away
        where = recipe.where(f"files[{number}]")
        if not re.search(r"[*?\[{(]", pattern):
            folder = (recipe.folder / pattern).is_dir()
            raise ConfigurationError(
                f"there is no file {pattern}" + (": it is a folder" if folder else ""),
                expected="a file of the project, or a glob",
                fix=f"{pattern.rstrip('/')}/** for all that is in it" if folder else "",
                where=where,
            )
        yield Note("warning", f"{pattern} matches no file", where)


def mode_of(source: Path) -> int:
    """Return the rights of a file in the image: those that start programs, else those of text."""
    try:
        runs = source.stat().st_mode & stat.S_IXUSR
        with source.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise PackagingError(f"cannot be read: {error.strerror}", where=str(source)) from error
    return 0o755 if runs or head[:2] == b"#!" or head == b"\x7fELF" else 0o644


def _file_layer(prepared: Prepared, on_step: Callable[[str], None]) -> list[Layer]:
    tree = prepared.base.tree
    entries = [Entry(tree.resolve(path), source, mode_of(source)) for path, source in prepared.files]
    paths = [entry.path for entry in entries]
    workdir = tree.resolve(prepared.settings.workdir or "")
    folders = folders_above([*paths, f"{workdir}/."] if workdir else paths, tree.__contains__)
    if not entries and not folders:
        return []
    return [write_layer(prepared.base.layout, [*entries, *folders], name="project", on_step=on_step)]


def _settings(
    recipe: Recipe, base: Base, python: ImagePython | None, resolution: Resolution | None, gpu: GpuReport
) -> Settings:
    env = dict(recipe.env)
    if python is not None:
        folders = (base.env.get("PATH") or DEFAULT_PATH).split(":")
        if python.scripts not in folders:
            env.setdefault("PATH", ":".join([python.scripts, *folders]))
    if gpu.uses_gpu:
        # NVIDIA Container Toolkit, "Specialized configurations": which GPUs and which of the driver's libraries it adds
        for name, value in (("NVIDIA_VISIBLE_DEVICES", "all"), ("NVIDIA_DRIVER_CAPABILITIES", "compute,utility")):
            if name not in base.env:
                env.setdefault(name, value)
        folders = _cuda_folders(python, resolution)
        if folders:
            before = env.get("LD_LIBRARY_PATH", base.env.get("LD_LIBRARY_PATH", ""))
            env["LD_LIBRARY_PATH"] = ":".join(filter(None, [before, *folders]))
    return Settings(
        env=env,
        entrypoint=recipe.entrypoint,
        cmd=recipe.cmd,
        workdir=recipe.workdir,
        user=recipe.user,
        ports=recipe.ports,
        labels=recipe.labels,
        volumes=recipe.volumes,
    )


# Packages that look for CUDA as the loader does; torch, jax and tensorflow[and-cuda] find NVIDIA's wheels themselves.
_BY_LOADER = ("onnxruntime-gpu", "cupy-cuda", "nvidia-dali", "faiss-gpu", "lightgbm")


def _cuda_folders(python: ImagePython | None, resolution: Resolution | None) -> list[str]:
    """Return where NVIDIA's wheels put their libraries, if a package needs the loader to look there."""
    if python is None or resolution is None:
        return []
    names = [pin.name for pin in resolution.pins]
    if not any(name.startswith(_BY_LOADER) for name in names):
        return []
    folders = {
        "cuda-runtime": "cuda_runtime", "cuda-nvrtc": "cuda_nvrtc", "cublas": "cublas", "cudnn": "cudnn",
        "cufft": "cufft", "curand": "curand", "cusolver": "cusolver", "cusparse": "cusparse", "nvjitlink": "nvjitlink",
    }  # fmt: skip
    stems = {name.removeprefix("nvidia-").rpartition("-cu")[0] for name in names if name.startswith("nvidia-")}
    return [f"{python.site}/nvidia/{folder}/lib" for stem, folder in sorted(folders.items()) if stem in stems]


def _about_packages(recipe: Recipe, prepared: Prepared, site: Site) -> list[Note]:
    """Compare installed native files with the base; what cannot load is refused, what may not be used is noted."""
    assert prepared.resolution is not None
    assert prepared.python is not None
    assert prepared.target is not None
    assert prepared.target.baseline is not None
    where = recipe.where("requirements")
    if prepared.gpu.uses_gpu:
        libraries = prepared.target.baseline.libraries
        refuse(_placed(check_linked(site.elves, libraries, prepared.python.site), where))
    report = check_site(site, prepared.resolution)
    wrong = [
        Problem(f"{path} was compiled for {machine}", expected=prepared.target.machine, where=where)
        for path, machine in report.wrong_machine[:10]
    ]
    wrong += [
        Problem(f"{path} needs {version} of {library}", expected=f"at most {newest}, which {prepared.base.name} has",
                fix="a newer base, or an older release of the package", where=where)
        for path, version, library, newest in report.too_new[:10]
    ]  # fmt: skip
    if wrong:
        raise PackagingError(wrong[0].found, problems=tuple(wrong))
    notes = []
    for library, files in list(report.missing.items())[:10]:
        others = f" and {len(files) - 1} more" if len(files) > 1 else ""
        text = (
            f"{library} is not in {prepared.base.name}; {posixpath.basename(files[0])}{others} will not load without it"
        )
        notes.append(Note("warning", text, where))
    return notes


def _check_commands(recipe: Recipe, prepared: Prepared, site: Site) -> None:
    """Refuse an entry point or a command that is not in the image: the first word, looked up as the runtime does."""
    entrypoint = recipe.entrypoint or tuple(prepared.base.settings.get("Entrypoint") or ())
    key, words = ("entrypoint", recipe.entrypoint) if recipe.entrypoint else ("cmd", recipe.cmd)
    if not words or (key == "cmd" and entrypoint):
        return
    command = words[0]
    tree = prepared.base.tree
    ours = {path for path, _ in prepared.files}
    scripts = prepared.python.scripts.strip("/") if prepared.python is not None else ""
    ours |= {f"{scripts}/{name}" for name in site.commands}
    env: Mapping[str, str] = {**prepared.base.env, **prepared.settings.env}
    folders = env.get("PATH", DEFAULT_PATH).split(":")
    places = [posixpath.join(recipe.workdir, command)] if "/" in command else [f"{one}/{command}" for one in folders]
    if any(tree.resolve(place) in ours or place.strip("/") in ours or place in tree for place in places):
        return
    names = {name for folder in folders if tree.is_folder(folder) for name in tree.names(folder)} | set(site.commands)
    from difflib import get_close_matches

    near = get_close_matches(command, sorted(names), n=1)
    raise ConfigurationError(
        f"{key} begins with {command!r}, and the image has no such command",
        expected="a path in the image, or a command in one of " + ":".join(folders),
        fix=f"write {near[0]}" if near and "/" not in command else "",
        where=recipe.where(key),
    )
