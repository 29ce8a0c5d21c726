"""A package of a lock (PEP 751) -> Pin: its exact file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.requirements import Requirements, canonical, demanded_hashes


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a resolution.

    Args:
        kind: "wheel" is installed as it is; the others are built here and must turn out to be plain Python.
        wheel: the wheel's file name, "" when there is none.
        sha256: of the wheel, of the source archive, or "" (folders; for git, the commit).
        block: the package as it stands in the lock (PEP 751).
    """

    name: str
    version: str
    kind: Literal["wheel", "sdist", "archive", "vcs", "directory"]
    wheel: str
    sha256: str
    block: str


def refuse_other_hashes(pins: tuple[Pin, ...], requirements: Requirements) -> None:
    """Check that each file is one of those that the requirements name by hash.

    Raises:
        PackagingError: another one was chosen; names all.
    """
    demanded = {**demanded_hashes(requirements.constraints), **demanded_hashes(requirements.text)}
    problems = [
        Problem(
            f"{pin.name} {pin.version}: the sha256 of {pin.wheel or 'its source'} is {pin.sha256}",
            expected=f"one of the {len(demanded[canonical(pin.name)])} hashes in the requirements",
            fix="write the hashes anew (pip-compile --generate-hashes); if the version is the same as before, the "
            "index serves another file than it did, which must not be trusted",
            where=requirements.place_of(pin.name),
        )
        for pin in pins
        if canonical(pin.name) in demanded and f"sha256:{pin.sha256}" not in demanded[canonical(pin.name)]
    ]
    if problems:
        raise PackagingError(problems[0].found, problems=tuple(problems))


def pin_of(package: dict[str, Any]) -> Pin:
    """Return the pin that a package's table (PEP 751) stands for: where two places have its wheel, the first.

    Raises:
        KeyError, TypeError, AttributeError: the table is not whole.
    """
    block = as_toml(package)
    name, version = package["name"], str(package.get("version", ""))
    if package.get("wheels"):
        wheel = package["wheels"][0]
        return Pin(name, version, "wheel", file_of(wheel), wheel.get("hashes", {}).get("sha256", ""), block)
    for kind in ("sdist", "archive"):
        if kind in package:
            source = package[kind]
            digest, file = source.get("hashes", {}).get("sha256", ""), file_of(source)
            return Pin(name, version, kind, file if file.endswith(".whl") else "", digest, block)
    if "vcs" in package:
        return Pin(name, version, "vcs", "", str(package["vcs"].get("commit-id", "")), block)
    return Pin(name, version, "directory", "", "", block)


def file_of(table: dict[str, Any]) -> str:
    """Return the file name of a wheel's or source archive's table (PEP 751)."""
    place = str(table.get("name") or table.get("url") or table.get("path", ""))
    return unquote(place.partition("#")[0].rpartition("/")[2])


_LEFT_OUT = {"upload-time", "size", "editable", "attestation-identities"}  # not needed, and differ between indexes
_ORDER = ("name", "version", "type", "url", "path", "requested-revision", "commit-id", "subdirectory", "hashes")


def as_toml(package: dict[str, Any]) -> str:
    """Return a package's table (PEP 751) as text that is the same on every machine: one file, no dates, no sizes."""
    lines = [f"{key} = {toml_text(package[key])}" for key in ("name", "version") if package.get(key)]
    kind = next((kind for kind in ("wheels", "sdist", "archive", "vcs", "directory") if package.get(kind)), "")
    if kind == "wheels":
        lines.append(f"wheels = [{_inline(package['wheels'][0])}]")
    elif kind:
        lines.append(f"{kind} = {_inline(package[kind])}")
    return "".join(f"{line}\n" for line in lines)


def _inline(table: dict[str, Any]) -> str:
    keys = sorted(table.keys() - _LEFT_OUT, key=lambda key: (_ORDER.index(key) if key in _ORDER else 99, key))
    parts = [f"{key} = {_inline(value) if isinstance(value, dict) else toml_text(value)}"
             for key in keys if (value := table[key]) is not None]  # fmt: skip
    return "{ " + ", ".join(parts) + " }"


def toml_text(text: object) -> str:
    """Return a string of TOML."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")
