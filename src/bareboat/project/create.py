"""Writes the folder of a new project: all of it, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError, ConfigurationError
from bareboat.project.templates import Template

if TYPE_CHECKING:
    from bareboat.project.around import Wish

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]+")
_YOURS = frozenset({"README.md", ".gitignore"})  # a folder may have its own, which is then left as it is
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Project:
    """A project that was created.

    Args:
        name: the service's.
        folder: absolute.
        files: what was written, relative to it. A README.md and a .gitignore that were there are left as they are.
        sample: a request body, as JSON text, for the function that answers; "" when the template does not tell.
        notes: what a person should know of the model's file.
    """

    name: str
    folder: Path
    files: tuple[str, ...]
    sample: str = ""
    notes: tuple[str, ...] = ()


def create_project(template: Template, folder: Path, *, name: str | None = None) -> Project:
    """Copy a template into a folder, which is made when it is missing.

    Args:
        name: of the service; None derives it from the folder's name.
    Raises:
        ConfigurationError: the name is none that AWS takes, or a file stands in the way (nothing is written then).
    """
    folder = folder.resolve()
    name = service_name(name, folder)
    return Project(name, folder, write_files(folder, template.files(name)))


def create_project_for_model(
    model: Path, folder: Path, *, name: str | None = None, wish: Wish | None = None
) -> Project:
    """Write a project around a model file: serverless.yml with its feature names, and a copy of the file.

    A model that already lies in `folder` stays where it is.

    Args:
        name: of the service; None derives it from the folder's name.
        wish: the sample and Lambda's Python and CPU, where they are not for bareboat to choose.
    Raises:
        ModelError: the model file cannot be read.
        ConfigurationError: as for `create_project`.
    """
    from bareboat.project.around import Wish, files_around  # a template needs no reader of models

    folder = folder.resolve()
    name = service_name(name, folder)
    files, sample = files_around(model, folder, name, wish or Wish())
    return Project(name, folder, write_files(folder, files), sample)


def service_name(name: str | None, folder: Path) -> str:
    """Check a service's name, or derive one from a folder's.

    Raises:
        ConfigurationError: it is none that AWS would take for a stack.
    """
    if name is None:
        return _derived(folder.name)
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is no name for a service",
            expected="letters, digits and hyphens, the first a letter, two at least",
            fix=f"--name {_derived(name)}",
        )
    return name


def _derived(text: str) -> str:
    name = _NO_NAME.sub("-", text).strip("-").lower()
    return name if _NAME.fullmatch(name) else f"service-{name}".rstrip("-")


def write_files(folder: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Write new files and return their names; what was made is taken away again when one of them fails.

    Raises:
        ConfigurationError: a file stands in the way (nothing is written then).
        BareboatError: the folder cannot be written.
    """
    there = check_free(folder, files)
    made: list[Path] = []
    new = {name: content for name, content in files.items() if name not in there}
    try:
        for name, content in new.items():
            path = folder / name
            for parent in [parent for parent in reversed(path.parents) if not parent.exists()]:
                parent.mkdir()
                made.append(parent)
            with path.open("xb") as file:
                made.append(path)
                file.write(content)
    except BaseException as error:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            raise BareboatError(
                f"{folder} cannot be written: {error.strerror}", fix="--path with another folder"
            ) from error
        raise
    return tuple(new)


def check_free(folder: Path, names: Iterable[str]) -> list[str]:
    """See that files can be written without overwriting any, and return those that are there and may stay.

    Raises:
        ConfigurationError: a file stands in the way.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file", expected="a folder, or nothing yet", fix="--path")
    there = [name for name in names if (folder / name).exists() or (folder / name).is_symlink()]
    in_the_way = [name for name in there if name not in _YOURS]
    if in_the_way:
        raise ConfigurationError(
            f"{folder} already has {_listed(in_the_way)}",
            expected="a folder without them: nothing is overwritten",
            fix="--path with another folder",
        )
    return there


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
