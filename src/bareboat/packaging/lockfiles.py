"""Lock files of other tools -> requirements in pip's format: Pipfile.lock, poetry.lock, pdm.lock, uv.lock, pylock."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bareboat.errors import PackagingError
from bareboat.packaging.names import canonical
from bareboat.packaging.older_lock import differing, older_pipfile, older_uv, refuse_other_versions
from bareboat.packaging.pyproject import Pyproject, read_pyproject, read_toml
from bareboat.packaging.uv import run_uv


@dataclass(frozen=True, slots=True)
class Locked:
    """What one source says.

    Args:
        lines: requirements, one a line.
        constraints: lines that pin what the requirements pull in.
        files: what was read.
        origins: for each line its `file:line`, where that can be said.
        notes: what a person should know: a lock that is older than its project.
    """

    source: str
    lines: list[str]
    constraints: list[str] = field(default_factory=list)
    files: tuple[Path, ...] = ()
    origins: list[str] = field(default_factory=list)
    notes: tuple[str, ...] = ()


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
        notes = older_pipfile(read_toml(pipfile) or {}, document) if pipfile.is_file() else ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackagingError(
            f"cannot be read as Pipfile.lock: {error!r}", fix="pipenv lock", where=str(lock)
        ) from error
    return Locked("Pipfile.lock", lines, files=(pipfile, lock) if pipfile.is_file() else (lock,), notes=notes)


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
        PackagingError: the lock is damaged, or holds versions that pyproject.toml rules out.
    """
    document = read_toml(lock, fix="poetry lock")
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
            constraints.append(f"{package['name']}=={package['version']}{_poetry_marker(package)}{_hashes(package)}")
        held = _held(packages)
    except (KeyError, TypeError, AttributeError) as error:
        raise PackagingError(f"cannot be read as poetry.lock: {error!r}", fix="poetry lock", where=str(lock)) from error
    notes = refuse_other_versions(lock, pyproject.path, differing(pyproject.dependencies, held))
    return Locked("poetry.lock", list(pyproject.dependencies), constraints, files=(pyproject.path, lock), notes=notes)


def _held(packages: list[dict[str, Any]]) -> dict[str, set[str]]:
    held: dict[str, set[str]] = {}
    for package in packages:
        held.setdefault(canonical(package["name"]), set()).add(str(package["version"]))
    return held


def _poetry_marker(package: dict[str, Any]) -> str:
    markers = package.get("markers")
    if isinstance(markers, dict):  # one for each group, lock format 2.1
        markers = markers.get("main")
    return f" ; {markers}" if isinstance(markers, str) else ""


def from_pdm(pyproject: Pyproject | None, lock: Path) -> Locked:
    """Read a PDM project: its direct dependencies, held to the versions of pdm.lock.

    Raises:
        PackagingError: the lock is damaged or holds versions that pyproject.toml rules out, or there is no
            pyproject.toml beside it.
    """
    if pyproject is None:
        raise PackagingError(
            "pdm.lock has no pyproject.toml beside it", expected="the project that it locks", where=str(lock)
        )
    document = read_toml(lock, fix="pdm lock") or {}
    constraints = []
    try:
        for package in document.get("package", []):
            if package.keys() & {"git", "url", "path"}:
                continue  # pyproject.toml says where it comes from
            marker = f" ; {package['marker']}" if package.get("marker") else ""
            constraints.append(f"{package['name']}=={package['version']}{marker}{_hashes(package)}")
        held = _held(document.get("package", []))
    except (KeyError, TypeError, AttributeError) as error:
        raise PackagingError(f"cannot be read as pdm.lock: {error!r}", fix="pdm lock", where=str(lock)) from error
    lines = list(pyproject.dependencies)
    notes = refuse_other_versions(lock, pyproject.path, differing(lines, held, free=_overridden(pyproject.path)))
    return Locked("pdm.lock", lines, list(dict.fromkeys(constraints)), files=(pyproject.path, lock), notes=notes)


def _overridden(pyproject: Path) -> list[str]:
    """Return the names whose versions `tool.pdm.resolution.overrides` sets, whatever the dependencies say."""
    tool = (read_toml(pyproject) or {}).get("tool", {})
    return [canonical(name) for name in tool.get("pdm", {}).get("resolution", {}).get("overrides", {})]


def _hashes(package: dict[str, Any]) -> str:
    """The sha256 of the files that poetry.lock or pdm.lock name, as pip writes them."""
    hashes = sorted({str(file["hash"]) for file in package.get("files", ()) if "hash" in file})
    return "".join(f" --hash={digest}" for digest in hashes if digest.startswith("sha256:"))


def from_pylock(lock: Path) -> Locked:
    """Read pylock.toml (PEP 751), whoever wrote it: its default groups, without extras.

    Raises:
        PackagingError: it is damaged, or of a format that is not known.
    """
    document = read_toml(lock, fix="write it anew with the tool it comes from") or {}
    version = str(document.get("lock-version", ""))
    if not version.startswith("1."):
        raise PackagingError(
            f"has lock-version {version or 'none'}", expected="1.0, the format of PEP 751", where=str(lock)
        )
    groups = frozenset(document.get("default-groups", ()))
    try:
        listed = document.get("packages", [])
        packages = [one for one in listed if one.get("directory", {}).get("path") != "."]  # that is the project itself
        lines = [_pylock_line(package, groups, lock.parent) for package in packages]
        indexes = {str(package["index"]) for package in packages if package.get("index")}
    except (KeyError, TypeError, AttributeError) as error:
        raise PackagingError(
            f"cannot be read as pylock.toml: {error!r}",
            fix="write it anew with the tool it comes from",
            where=str(lock),
        ) from error
    extra = [f"--extra-index-url {url}" for url in sorted(indexes) if "://pypi.org/" not in url]
    return Locked("pylock.toml", [*extra, *lines], files=(lock,))


def _pylock_line(package: dict[str, Any], groups: frozenset[str], folder: Path) -> str:
    name, marker = package["name"], package.get("marker", "")
    for found in re.finditer(_GROUP, marker):
        holds = (found[2] in groups and found[4] == "dependency_groups") is not bool(found[3])
        marker = marker.replace(found[0], "python_version > '0'" if holds else "python_version < '0'")
    said = f" ; {marker}" if marker else ""
    if "vcs" in package:
        source = package["vcs"]
        inside = f"#subdirectory={source['subdirectory']}" if source.get("subdirectory") else ""
        place = source.get("url") or (folder / source["path"]).resolve().as_uri()
        return f"{name} @ {source['type']}+{place}@{source['commit-id']}{inside}{said}"
    for kind in ("directory", "archive"):
        if kind in package:
            source = package[kind]
            return f"{name} @ {source.get('url') or (folder / source['path']).resolve().as_uri()}{said}"
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    digests = sorted({file["hashes"]["sha256"] for file in files if "sha256" in file.get("hashes", {})})
    return f"{name}=={package['version']}{said}" + "".join(f" --hash=sha256:{digest}" for digest in digests)


_GROUP = r"""(["'])([^"']+)\1\s+(not\s+)?in\s+(extras|dependency_groups)"""


def from_uv(lock: Path) -> Locked:
    """Let uv write out uv.lock, without the project itself and without development groups.

    Raises:
        PackagingError: uv refuses the lock, or there is no pyproject.toml beside it.
    """
    document = read_toml(lock, fix="uv lock") or {}
    text = run_uv(
        ["export", "--frozen", "--offline", "--no-dev", "--no-emit-project", "--no-annotate", "--no-header",
         "--format", "requirements.txt", "--directory", str(lock.parent)],
        while_doing="reading uv.lock",
    )  # fmt: skip
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [line for line in joined.splitlines() if line.strip()]
    project = lock.with_name("pyproject.toml")
    try:
        settings = (read_toml(project) or {}).get("tool", {}).get("uv", {})
        notes = older_uv(document, read_pyproject(project), settings)
    except (KeyError, TypeError, AttributeError):
        notes = ()  # uv took it, so that it is another of its formats
    return Locked("uv.lock", lines, files=(lock, project), notes=notes)
