"""pyproject.toml, what of it says which packages a project needs."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareboat.errors import PackagingError


@dataclass(frozen=True, slots=True)
class Pyproject:
    """What pyproject.toml declares.

    Args:
        is_poetry: whether Poetry manages the project.
        dependencies: in pip's format; Poetry's own notation is translated.
        names: of the direct dependencies, in the same order.
    """

    path: Path
    is_poetry: bool
    dependencies: tuple[str, ...]
    names: tuple[str, ...]


def read_pyproject(path: Path) -> Pyproject | None:
    """Read pyproject.toml; None when there is none.

    Raises:
        PackagingError: it is not TOML, or its dependencies are no list of text.
    """
    document = read_toml(path)
    if document is None:
        return None
    project = document.get("project")
    project = project if isinstance(project, dict) else {}
    poetry = document.get("tool", {}).get("poetry")
    backend = str(document.get("build-system", {}).get("build-backend", ""))
    listed = project.get("dependencies", [])
    if not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
        raise PackagingError("project.dependencies is no list of text", expected='["lightgbm>=4"]', where=str(path))
    dependencies = list(listed)
    if isinstance(poetry, dict):
        dependencies += _poetry_dependencies(poetry.get("dependencies", {}), path)
    names = tuple(re.split(r"[^A-Za-z0-9._-]", entry.strip(), maxsplit=1)[0] for entry in dependencies)
    is_poetry = isinstance(poetry, dict) or backend.startswith("poetry")
    return Pyproject(path=path, is_poetry=is_poetry, dependencies=tuple(dependencies), names=names)


def read_toml(path: Path, *, fix: str = "") -> dict[str, Any] | None:
    """Read a TOML file; None when it is not there.

    Args:
        fix: the command that writes it.
    Raises:
        PackagingError: it is damaged, with the line.
    """
    try:
        data = path.read_bytes()
        return tomllib.loads(data.decode())
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"cannot be read: byte {error.start} is not UTF-8"
        raise PackagingError(found, expected="TOML", fix=fix, where=f"{path}:{line}") from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        raise PackagingError(
            f"cannot be read: {str(error).removesuffix(place[0]) if place else error}",
            expected="TOML, without the marks of a merge" if b"\n<<<<<<<" in b"\n" + data else "TOML",
            fix=fix,
            where=f"{path}:{place[1]}" if place else str(path),
        ) from error
    except OSError as error:
        raise PackagingError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _poetry_dependencies(table: Any, path: Path) -> list[str]:
    lines = []
    for name, wish in table.items() if isinstance(table, dict) else ():
        if name.lower() == "python":
            continue
        for one in wish if isinstance(wish, list) else [wish]:
            line = _poetry_line(name, {"version": one} if isinstance(one, str) else one, path)
            if line:
                lines.append(line)
    return lines


def _poetry_line(name: str, wish: Any, path: Path) -> str:
    if not isinstance(wish, dict):
        raise PackagingError(f"tool.poetry.dependencies.{name} is {wish!r}", expected="a version", where=str(path))
    if wish.get("optional"):
        return ""
    extras = f"[{','.join(wish['extras'])}]" if wish.get("extras") else ""
    markers = [f"({wish['markers']})"] if wish.get("markers") else []
    if wish.get("python"):
        markers += _python_markers(str(wish["python"]))
    if wish.get("platform"):
        markers.append(f"sys_platform == '{wish['platform']}'")
    marker = f" ; {' and '.join(markers)}" if markers else ""
    if "git" in wish:
        at = wish.get("rev") or wish.get("tag") or wish.get("branch")
        return f"{name}{extras} @ git+{wish['git']}{'@' + at if at else ''}{marker}"
    if "url" in wish:
        return f"{name}{extras} @ {wish['url']}{marker}"
    if "path" in wish:
        return f"{name}{extras} @ {(path.parent / wish['path']).resolve().as_uri()}{marker}"
    return f"{name}{extras}{poetry_version(str(wish.get('version', '*')))}{marker}"


def _python_markers(constraint: str) -> list[str]:
    """`^3.9` -> [`python_full_version >= '3.9'`, `python_full_version < '4'`]."""
    markers = []
    for part in filter(None, poetry_version(constraint).split(",")):
        operator = part[: len(part) - len(part.lstrip("<>=!~"))]
        version = part[len(operator) :].strip()
        name = "python_version" if version.endswith("*") else "python_full_version"
        markers.append(f"{name} {operator} '{version}'")
    return markers


def poetry_version(constraint: str) -> str:
    """Translate Poetry's notation: `^1.2` -> `>=1.2,<2`, `~1.2` -> `>=1.2,<1.3`, `1.*` -> `==1.*`, `*` -> ``.

    Source:
        https://python-poetry.org/docs/dependency-specification/
    """
    parts = []
    for raw in constraint.split(","):
        part = raw.strip()
        if part in {"", "*"}:
            continue
        if part[0] == "^":
            parts += [f">={part[1:]}", f"<{_caret(part[1:])}"]
        elif part[0] == "~" and not part.startswith("~="):
            numbers = part[1:].strip().split(".")
            upper = numbers[:2] if len(numbers) > 1 else numbers[:1]
            parts += [f">={part[1:].strip()}", f"<{_bump(upper, len(upper) - 1)}"]
        elif part[0] in "<>=!~":
            parts.append(part.replace(" ", ""))
        else:
            parts.append(f"=={part}")
    return ",".join(parts)


def _caret(version: str) -> str:
    """The first version that `^version` keeps out: the leftmost number that is not zero goes up."""
    numbers = re.split(r"[^0-9.]", version.strip(), maxsplit=1)[0].strip(".").split(".")
    for position, number in enumerate(numbers):
        if int(number) != 0 or position == len(numbers) - 1:
            return _bump(numbers, position)
    return _bump(numbers, 0)


def _bump(numbers: list[str], position: int) -> str:
    return ".".join([*numbers[:position], str(int(numbers[position]) + 1)])
