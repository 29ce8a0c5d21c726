"""Lock files of other tools -> requirements in pip's format: Pipfile.lock, poetry.lock, uv.lock."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bareboat.errors import PackagingError
from bareboat.packaging.pyproject import Pyproject, read_toml
from bareboat.packaging.uv import run_uv


@dataclass(frozen=True, slots=True)
class Locked:
    """What one source says.

    Args:
        lines: requirements, one a line.
        constraints: lines that pin what the requirements pull in.
        files: what was read.
        origins: for each line its `file:line`, where that can be said.
    """

    source: str
    lines: list[str]
    constraints: list[str] = field(default_factory=list)
    files: tuple[Path, ...] = ()
    origins: list[str] = field(default_factory=list)


def from_pipenv(pipfile: Path, lock: Path) -> Locked:
    """Read the `default` packages of Pipfile.lock.

    Raises:
        PackagingError: the lock is missing or damaged.
    """
    if not lock.is_file():
        raise PackagingError(
            "Pipfile has no lock beside it",
            expected="Pipfile.lock, which holds the versions",
            fix="pipenv lock; or set custom.pythonRequirements.usePipenv to false",
            where=str(pipfile),
        )
    try:
        document = json.loads(lock.read_bytes())
        sources = document.get("_meta", {}).get("sources", [])
        lines = [f"--extra-index-url {os.path.expandvars(s['url'])}" for s in sources if s.get("name") != "pypi"]
        lines += [_pipenv_line(name, entry, lock.parent) for name, entry in sorted(document["default"].items())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackagingError(
            f"cannot be read as Pipfile.lock: {error!r}", fix="pipenv lock", where=str(lock)
        ) from error
    return Locked("Pipfile.lock", lines, files=(pipfile, lock) if pipfile.is_file() else (lock,))


def _pipenv_line(name: str, entry: dict[str, Any], folder: Path) -> str:
    extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
    marker = f" ; {entry['markers']}" if entry.get("markers") else ""
    if "git" in entry:
        return f"{name}{extras} @ git+{entry['git']}@{entry['ref']}{marker}"
    if "file" in entry:
        return f"{name}{extras} @ {entry['file']}{marker}"
    if "path" in entry:
        return f"{name}{extras} @ {(folder / entry['path']).resolve().as_uri()}{marker}"
    hashes = "".join(f" --hash={digest}" for digest in entry.get("hashes", ()))
    version = entry.get("version", "")
    return f"{name}{extras}{'' if version == '*' else version}{marker}{hashes}"


def from_poetry(pyproject: Pyproject, lock: Path) -> Locked:
    """Read a Poetry project: its direct dependencies, held to the versions of poetry.lock.

    The lock's packages become constraints, so that groups and optional packages that nothing asks for stay out,
    whichever of its formats Poetry wrote.

    Raises:
        PackagingError: the lock is damaged.
    """
    document = read_toml(lock)
    if document is None:
        return Locked("pyproject.toml", list(pyproject.dependencies), files=(pyproject.path,))
    constraints = []
    try:
        packages = document.get("package", [])
        times = Counter(package["name"] for package in packages)
        for package in packages:
            elsewhere = package.get("source", {}).get("type") in {"git", "url", "file", "directory"}
            if elsewhere or (times[package["name"]] > 1 and not _poetry_marker(package)):
                continue  # two versions of one package without a rule for choosing: uv chooses
            constraints.append(f"{package['name']}=={package['version']}{_poetry_marker(package)}")
    except (KeyError, TypeError, AttributeError) as error:
        raise PackagingError(f"cannot be read as poetry.lock: {error!r}", fix="poetry lock", where=str(lock)) from error
    return Locked("poetry.lock", list(pyproject.dependencies), constraints, files=(pyproject.path, lock))


def _poetry_marker(package: dict[str, Any]) -> str:
    markers = package.get("markers")
    if isinstance(markers, dict):  # one for each group, lock format 2.1
        markers = markers.get("main")
    return f" ; {markers}" if isinstance(markers, str) else ""


def from_uv(lock: Path) -> Locked:
    """Let uv write out uv.lock, without the project itself and without development groups.

    Raises:
        PackagingError: uv refuses the lock, or there is no pyproject.toml beside it.
    """
    text = run_uv(
        ["export", "--frozen", "--offline", "--no-dev", "--no-emit-project", "--no-annotate", "--no-header",
         "--format", "requirements.txt", "--directory", str(lock.parent)],
        while_doing="reading uv.lock",
    )  # fmt: skip
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [line for line in joined.splitlines() if line.strip()]
    return Locked("uv.lock", lines, files=(lock, lock.with_name("pyproject.toml")))
