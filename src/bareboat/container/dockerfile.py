"""Recipe -> a Dockerfile that builds the same image, for those who must build with docker or buildah."""

from __future__ import annotations

import json
import posixpath
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bareboat.container.build import Prepared, host_platform, mode_of, prepare
from bareboat.container.documents import Platform
from bareboat.container.recipe import Recipe
from bareboat.container.store import Store
from bareboat.container.surroundings import ImagePython
from bareboat.errors import ConfigurationError, PackagingError
from bareboat.packaging.cache import write_whole
from bareboat.packaging.resolve import Resolution
from bareboat.service.model import Note

_WRITTEN = b"# Written by "  # how both files begin
_UV = "ghcr.io/astral-sh/uv"


@dataclass(frozen=True, slots=True)
class WrittenDockerfile:
    """What was written.

    Args:
        files: beside the Dockerfile, which it needs.
    """

    path: Path
    files: tuple[Path, ...]
    notes: tuple[Note, ...]


def write_dockerfile(
    recipe: Recipe,
    store: Store,
    path: Path,
    *,
    platforms: Sequence[Platform] = (),
    upgrade: bool = False,
    insecure: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> WrittenDockerfile:
    """Write a Dockerfile and the pinned requirements that it installs, for one machine.

    The build's context is the project's folder. Layers differ from ours, which have no dates; files, environment and
    commands do not.

    Raises:
        ConfigurationError: the Dockerfile would lie outside of the project's folder, or over a file that is not ours.
        PackagingError, ArtifactError, RemoteError: as for a build.
    """
    machine = (tuple(platforms) or recipe.platforms or (host_platform(),))[0]
    place = path.resolve()
    if not place.is_relative_to(recipe.folder):
        raise ConfigurationError(
            f"{place} lies outside of the project",
            expected="a file in the project's folder, which is the context of a build",
            fix=f"--dockerfile {recipe.folder / 'Dockerfile'}",
        )
    requirements = place.with_name(f"{place.name}.requirements.txt")
    for file in (place, requirements):
        _refuse_others(file)
    for key, said in (("env", recipe.env), ("labels", recipe.labels)):
        for name, value in said.items():
            if "\n" in value:
                raise ConfigurationError(
                    f"{key}.{name} has a line break, which a Dockerfile cannot say",
                    expected="one line, or `bareboat image build` without --dockerfile",
                    where=recipe.where(key),
                )
    with store.adding():
        prepared = prepare(recipe, store, machine, upgrade=upgrade, insecure=insecure, on_step=on_step)
    files: list[Path] = []
    if prepared.resolution is not None and prepared.resolution.pins:
        write_whole(requirements, requirements_text(prepared.resolution, prepared.index_lines).encode())
        files.append(requirements)
    name = requirements.relative_to(recipe.folder).as_posix()
    write_whole(place, dockerfile_text(recipe, prepared, name).encode())
    return WrittenDockerfile(place, tuple(files), prepared.notes)


def _refuse_others(file: Path) -> None:
    """Refuse to write over what a person wrote."""
    try:
        with file.open("rb") as there:
            head = there.read(len(_WRITTEN))
    except FileNotFoundError:
        return
    except OSError as error:
        raise PackagingError(f"cannot be read: {error.strerror}", where=str(file)) from error
    if head != _WRITTEN:
        raise ConfigurationError(
            "is there, and bareboat did not write it",
            expected="no file, or one of an earlier --dockerfile",
            fix="another name, or remove it",
            where=str(file),
        )


def dockerfile_text(recipe: Recipe, prepared: Prepared, requirements: str) -> str:
    """Return the Dockerfile.

    Args:
        requirements: the pinned requirements, from the project's folder on.
    """
    base, settings = prepared.base, prepared.settings
    pinned = base.reference
    if base.descriptor is not None and pinned and "@" not in pinned:
        pinned = f"{pinned}@{base.descriptor.digest}"
    lines = [
        f"# Written by `bareboat image build --dockerfile` from {recipe.path.name}; for {base.platform}.",
        f"FROM {pinned or base.name}",
    ]
    if base.manifest is not None and not pinned:
        lines.insert(1, f"# {base.name} is no image of a registry: load it under this name first.")
    if prepared.resolution is not None and prepared.resolution.pins:
        assert prepared.python is not None
        lines += _install(prepared, prepared.python, requirements)
    lines += [f"ENV {name}={_quoted(value)}" for name, value in settings.env.items()]
    lines += [f"LABEL {_quoted(name)}={_quoted(value)}" for name, value in settings.labels.items()]
    lines.append(f"WORKDIR {settings.workdir}")
    lines += _copies(prepared, recipe)
    lines += [f"EXPOSE {port}" for port in settings.ports]
    if settings.volumes:
        lines.append(f"VOLUME {json.dumps(list(settings.volumes))}")
    if settings.user is not None:
        lines.append(f"USER {settings.user}")
    if settings.entrypoint is not None:
        lines.append(f"ENTRYPOINT {json.dumps(list(settings.entrypoint))}")
    if settings.cmd is not None:
        lines.append(f"CMD {json.dumps(list(settings.cmd))}")
    return "\n".join(lines) + "\n"


def requirements_text(resolution: Resolution, index_lines: Sequence[str]) -> str:
    """Return a resolution as pip reads it: the exact versions, with the digests of their files.

    Args:
        index_lines: which package indexes have them.
    Raises:
        PackagingError: a package is a folder or comes from git, which a build elsewhere does not have.
    """
    lines = ["# Written by bareboat; exact, dependencies included.", *index_lines]
    for pin in resolution.pins:
        package: Mapping[str, Any] = tomllib.loads(pin.block)
        source = (package.get("wheels") or [package.get("sdist") or package.get("archive") or {}])[0]
        if pin.kind in {"directory", "vcs"} or not str(source.get("url", "")).startswith(("http://", "https://")):
            raise PackagingError(
                f"{pin.name} comes from {'a file or folder of this machine' if pin.kind != 'vcs' else 'git'}",
                expected="packages of an index, which a build elsewhere can fetch",
                fix="publish it, or build with `bareboat image build`, which needs no Dockerfile",
            )
        lines.append(f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}")
    return "\n".join(lines) + "\n"


def _install(prepared: Prepared, python: ImagePython, requirements: str) -> list[str]:
    """Install with the base's pip; a base without one borrows uv."""
    there = "/tmp/requirements.txt"  # noqa: S108 - in the image, while the command runs
    bound = f"RUN --mount=type=bind,source={requirements},target={there}"
    tree = prepared.base.tree
    homes = (python.site, f"/usr/lib/python{python.version}/dist-packages", "/usr/lib/python3/dist-packages")
    common = f"--no-deps --only-binary :all: --require-hashes -r {there}"
    if any(f"{home}/pip" in tree for home in homes):
        debians = python.prefix == "/usr/local" and not python.path.startswith("/usr/local/")
        over = " --break-system-packages --root-user-action=ignore" if debians else ""
        return [f"{bound} {python.path} -m pip install --no-cache-dir{over} {common}"]
    target = f" --target {python.site}" if python.prefix == "/usr/local" else ""
    borrowed = f"--mount=from={_UV}:{version('uv')},source=/uv,target=/usr/local/bin/uv"  # the one that chose them
    install = f"uv pip install --python {python.path} --break-system-packages --no-cache{target} {common}"
    return [f"{bound} {borrowed} {install}"]


def _copies(prepared: Prepared, recipe: Recipe) -> list[str]:
    """Copy the files folder by folder, so that no other file of the context comes in."""
    groups: dict[tuple[str, int], list[str]] = {}
    for path, source in prepared.files:
        folder = f"/{posixpath.dirname(path)}".rstrip("/") + "/"
        inside = posixpath.relpath(f"/{path}", recipe.workdir)
        groups.setdefault((folder, mode_of(source)), []).append(inside)
    return [
        f"COPY --chmod={mode:04o} {json.dumps([*names, folder], ensure_ascii=False)}"
        for (folder, mode), names in sorted(groups.items())
    ]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
