"""`uv pip compile`: requirements in, packages (PEP 751) out, each with its file."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from bareboat.packaging.cache import cache_folder, scratch_folder
from bareboat.packaging.interpreters import find_python, nearest_python
from bareboat.packaging.pins import Pin, as_toml
from bareboat.packaging.requirements import Requirements
from bareboat.packaging.target import Target
from bareboat.packaging.uv import ask_uv

_MANYLINUX = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)  # those that uv 0.8 knows


@dataclass(frozen=True, slots=True)
class Answer:
    """What uv chose.

    Args:
        packages: tables of PEP 751; paths start at the project's folder.
        notes: what a person should know.
    """

    packages: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()


def is_known(glibc: tuple[int, int]) -> bool:
    """Whether uv has a name for the machines with a version of glibc."""
    return glibc[1] in _MANYLINUX or not _MANYLINUX[0] < glibc[1] < _MANYLINUX[-1]


def platform_args(target: Target, *, above: bool = False) -> list[str]:
    """Return uv's arguments that say which machine the wheels are for.

    uv knows no manylinux_2_26 (Amazon Linux 2) and the like: it is then held to the next older one that it knows.

    Args:
        above: the next newer one instead, for a caller that looks at the wheels itself.
    """
    if target.system == "linux":
        older = [minor for minor in _MANYLINUX if minor <= max(target.glibc[1], 17)]
        newer = [minor for minor in _MANYLINUX if minor >= target.glibc[1]]
        platform = f"{target.machine}-manylinux_2_{newer[0] if above and newer else older[-1]}"
    elif target.system == "macos":
        platform = "aarch64-apple-darwin" if target.architecture == "arm64" else "x86_64-apple-darwin"
    else:
        platform = "aarch64-pc-windows-msvc" if target.architecture == "arm64" else "x86_64-pc-windows-msvc"
    return ["--python-platform", platform, "--python-version", target.python]


def python_args(target: Target) -> list[str]:
    """Return uv's argument that names the interpreter it works with: the target's version if there is one."""
    interpreter = find_python(target.python) or nearest_python(target.python)
    return ["--python", str(interpreter.path)]


def ask_for_wheels(
    requirements: Requirements,
    target: Target,
    *,
    platform: Sequence[str],
    preferred: Sequence[Pin] = (),
    from_source: Collection[str] = (),
    constraints: Sequence[str] = (),
) -> Answer:
    """Let uv choose versions and wheels.

    Args:
        platform: from `platform_args`.
        preferred: an earlier choice, taken wherever it still fits.
        from_source: names of packages that may be built here.
        constraints: lines beside the requirements' own.
    Raises:
        UvError: there is no such choice, or an index does not answer.
    """
    with scratch_folder(cache_folder("work")) as scratch:
        wanted, held, lock = scratch / "requirements.in", scratch / "constraints.txt", scratch / "pylock.toml"
        _write_private(wanted, requirements.text)
        _write_private(held, "\n".join([requirements.constraints, *constraints, ""]))
        if preferred:
            lock.write_text(_preferences(preferred), encoding="utf-8")
        built = [part for name in from_source for part in ("--no-binary", name)]
        said = ask_uv(
            ["pip", "compile", str(wanted), "--constraints", str(held), "--only-binary", ":all:", *built,
             "--format", "pylock.toml", "--output-file", str(lock), "--no-header", "--no-annotate",
             "--resolution", "highest", *platform, *python_args(target)],
            cwd=requirements.folder,
            while_doing=f"{requirements.source} for {target}",
            warnings=True,
        )  # fmt: skip
        packages = tomllib.loads(lock.read_text(encoding="utf-8")).get("packages", [])
        placed = tuple(_placed(package, scratch, requirements.folder) for package in packages)
    return Answer(placed, tuple(_yanked(said.warnings)))


def _write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read: lines of requirements may hold an index's password."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _preferences(preferred: Sequence[Pin]) -> str:
    """An earlier choice as uv reads it: names and versions are enough."""
    blocks = (as_toml({"name": pin.name, "version": pin.version}) for pin in preferred if pin.version)
    return 'lock-version = "1.0"\ncreated-by = "bareboat"\n' + "".join(f"\n[[packages]]\n{block}" for block in blocks)


def _yanked(warnings: Sequence[str]) -> list[str]:
    found = (re.match(r"`([^`]+?)==([^`]+)` is yanked(?: \(reason: (.*)\))?$", line) for line in warnings)
    return [
        f"{match[1]} {match[2]} was taken back by its makers (yanked){f', saying {match[3]}' if match[3] else ''}: "
        "choose another version"
        for match in found
        if match is not None
    ]


def _placed(package: dict[str, Any], scratch: Path, folder: Path) -> dict[str, Any]:
    """Write paths from the project's folder on, and leave users and passwords out."""

    def mended(table: dict[str, Any]) -> dict[str, Any]:
        table = dict(table)
        url = urlsplit(table.get("url", ""))
        if url.scheme == "file":
            del table["url"]
            table["path"] = unquote(url.path).lstrip("/") if os.name == "nt" else unquote(url.path)
        elif "@" in url.netloc:
            table["url"] = urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))
        if "path" in table:
            table["path"] = _from(folder, scratch / table["path"])
        return table

    mended_package = dict(package)
    for key, value in package.items():
        if isinstance(value, dict):
            mended_package[key] = mended(value)
        elif isinstance(value, list) and key == "wheels":
            mended_package[key] = [mended(each) for each in value]
    return mended_package


def _from(folder: Path, path: Path) -> str:
    for one, start in ((os.path.normpath(path), folder), (os.path.realpath(path), os.path.realpath(folder))):
        try:
            relative = os.path.relpath(one, start)
        except ValueError:  # another drive of Windows
            return Path(one).as_posix()
        if not relative.startswith(".."):
            break
    return relative.replace(os.sep, "/")


def look_up(
    requirements: Requirements, wanted: Sequence[str], args: Sequence[str], target: Target
) -> tuple[dict[str, Any], ...]:
    """Return what the project's indexes have for single requirements, without what these pull in.

    Args:
        wanted: such as ["numpy<2.4"].
        target: whose Python uv works with.
        args: `platform_args`, or ["--universal", "--python-version", "3.11"] for the wheels of all machines.
    Raises:
        UvError: there is nothing that fits.
    """
    lines = [line for line in requirements.text.splitlines() if line.startswith("-") and line[:2] not in {"-e", "-c"}]
    with scratch_folder(cache_folder("work")) as scratch:
        asked = scratch / "requirements.in"
        _write_private(asked, "\n".join([*lines, *wanted, ""]))
        said = ask_uv(
            ["pip", "compile", str(asked), "--no-deps", "--only-binary", ":all:", "--no-header", "--format",
             "pylock.toml", *args, *python_args(target)],
            cwd=requirements.folder,
            while_doing=f"looking for wheels of {' and '.join(wanted)}",
        )  # fmt: skip
        packages = tomllib.loads(said.text).get("packages", [])
        return tuple(_placed(package, requirements.folder, requirements.folder) for package in packages)
