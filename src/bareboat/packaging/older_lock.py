"""Another tool's lock, and the file it was made from -> whether that file has changed since."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.names import canonical
from bareboat.packaging.pyproject import Pyproject

FIXES = {name: f"{name.removesuffix('.lock').lower()} lock" for name in ("uv.lock", "poetry.lock", "pdm.lock")}
FIXES["Pipfile.lock"] = "pipenv lock"


@dataclass(frozen=True, slots=True)
class Differing:
    """A requirement that a lock does not answer to.

    Args:
        asked: as the project has it; "" when the project no longer asks.
        version: what the lock holds; "" when it has none.
    """

    name: str
    asked: str
    version: str


def differing(
    asked: Iterable[str], held: Mapping[str, Collection[str]], *, free: Collection[str] = ()
) -> Iterator[Differing]:
    """Yield the requirements of a project that its lock does not answer to.

    Args:
        asked: in pip's format.
        held: normalised name -> versions in the lock.
        free: normalised names whose versions the project overrides elsewhere.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for line in asked:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue  # uv says what is wrong with it
        name = canonical(wanted.name)
        versions = sorted(held.get(name, ()))
        if not versions:
            if wanted.marker is None:
                yield Differing(wanted.name, line, "")
            continue
        fits = any(wanted.specifier.contains(version, prereleases=True) for version in versions)
        if not fits and wanted.url is None and name not in free:
            yield Differing(wanted.name, line, ", ".join(versions))


def older_note(lock: str, project: str, found: Iterable[Differing]) -> tuple[str, ...]:
    """Return what to say of a lock whose packages ship although the project asks otherwise; () when it does not."""
    said = [_said(one, lock, project) for one in found]
    if not said:
        return ()
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    return (f"{lock} is older than {project}, and what {lock} says ships: {'; '.join(said[:3])}{more}. {_fix(lock)}",)


def refuse_other_versions(lock: Path, project: Path, found: Iterable[Differing]) -> tuple[str, ...]:
    """Raise for versions that the project rules out; return what to say of packages that the lock lacks.

    Raises:
        PackagingError: with the line of the project's file.
    """
    missing, problems = [], []
    for one in found:
        if not one.version:
            missing.append(one.name)
            continue
        problem = Problem(
            f"{lock.name} is older than {project.name}: {_said(one, lock.name, project.name)}",
            expected=f"{lock.name} made from this {project.name}",
            fix=FIXES[lock.name],
            where=f"{project}:{_line_of(one.name, project)}",
        )
        problems.append(problem)
    if problems:
        raise PackagingError(problems[0].found, problems=tuple(problems))
    if not missing:
        return ()
    text = (
        f"{lock.name} is older than {project.name}: it lacks {', '.join(missing)}, so that the newest version is taken"
    )
    return (f"{text}. {_fix(lock.name)}",)


def older_uv(document: dict[str, Any], pyproject: Pyproject | None, table: dict[str, Any]) -> tuple[str, ...]:
    """Return what to say of a uv.lock that is older than pyproject.toml.

    Args:
        document: uv.lock.
        table: `tool.uv` of pyproject.toml.
    """
    packages = document.get("package", [])
    held: dict[str, set[str]] = {}
    for package in packages:
        held.setdefault(canonical(package["name"]), set()).add(str(package.get("version", "0")))
    asked = pyproject.dependencies if pyproject is not None else ()
    overridden = {_name(line) for line in table.get("override-dependencies", ()) if isinstance(line, str)}
    free = {*overridden, *map(canonical, table.get("sources", {}))}
    found = list(differing(asked, held, free=free))
    own = (one for one in packages if one.get("source", {}) in ({"virtual": "."}, {"editable": "."}))
    known = {_name(line) for line in asked}
    direct = [str(one["name"]) for package in own for one in package.get("dependencies", ())]
    found += [Differing(name, "", "") for name in direct if canonical(name) not in known and pyproject is not None]
    return older_note("uv.lock", "pyproject.toml", found)


def older_pipfile(pipfile: dict[str, Any], lock: dict[str, Any]) -> tuple[str, ...]:
    """Return what to say of a Pipfile.lock that was not made from this Pipfile, as its own digest of it tells.

    Source:
        plette (https://github.com/sarugaku/plette): Pipfile.get_hash.
    """
    locked = lock.get("_meta", {}).get("hash", {}).get("sha256")
    if locked is None or locked == _pipfile_digest(pipfile):
        return ()
    held: dict[str, list[str]] = {canonical(name): [str(entry.get("version", "")).removeprefix("==")]
            for name, entry in lock["default"].items()}  # fmt: skip
    asked = [f"{name}{wish if wish != '*' else ''}" for name, wish in pipfile.get("packages", {}).items()
             if isinstance(wish, str)]  # fmt: skip
    found = list(differing(asked, held))
    if found:
        return older_note("Pipfile.lock", "Pipfile", found)
    return (f"Pipfile.lock is older than Pipfile, and what Pipfile.lock says ships. {_fix('Pipfile.lock')}",)


def _pipfile_digest(pipfile: dict[str, Any]) -> str:
    data = {
        "_meta": {"sources": pipfile.get("source", {}), "requires": pipfile.get("requires", {})},
        "default": pipfile.get("packages", {}),
        "develop": pipfile.get("dev-packages", {}),
    }
    apart = {"source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv", "default", "develop"}
    data.update({key: value for key, value in pipfile.items() if key not in apart})
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _name(line: str) -> str:
    return canonical(re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0])


def _said(one: Differing, lock: str, project: str) -> str:
    if not one.asked:
        return f"{lock} has {one.name}, which {project} no longer asks for"
    return f"{project} asks for {one.asked}, and {lock} has {one.version or 'none'}"


def _fix(lock: str) -> str:
    return f"Make it anew with: {FIXES[lock]}"


def _line_of(name: str, path: Path) -> int:
    begins = re.compile(rf"""(^|["'])\s*{re.escape(name)}\b""", re.IGNORECASE)
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if begins.search(line)), 1)
