"""The text of a lock (PEP 751) -> Pins: the exact file of each package."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.requirements import Requirements, canonical, demanded_hashes

BLOCK = "\n[[packages]]\n"


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


def read_pins(text: str, requirements: Requirements, lock: Path | None) -> tuple[Pin, ...]:
    """Read the packages of a lock that uv wrote; `noDeploy` leaves some out.

    Args:
        lock: where the text lies, for messages.
    Raises:
        PackagingError: it cannot be read, or a file is not one of those that the requirements name by hash.
    """
    blocks = text.split(BLOCK)[1:]
    try:
        packages = tomllib.loads(text).get("packages", [])
        pins = [pin_of(package, block) for package, block in zip(packages, blocks, strict=True)]
    except (tomllib.TOMLDecodeError, ValueError, KeyError, TypeError) as error:
        raise PackagingError(
            f"the resolution cannot be read: {error!r}", fix="delete the file", where=str(lock or "")
        ) from error
    kept = tuple(pin for pin in pins if canonical(pin.name) not in requirements.no_deploy)
    _refuse_other_hashes(kept, requirements)
    return kept


def _refuse_other_hashes(pins: tuple[Pin, ...], requirements: Requirements) -> None:
    """Raise if a file that was chosen is not one of those that the requirements name by hash."""
    demanded = demanded_hashes(requirements.text)
    problems = [
        Problem(
            f"{pin.name} {pin.version}: the sha256 of {pin.wheel or 'its source'} is {pin.sha256}",
            expected=f"one of the {len(demanded[canonical(pin.name)])} hashes in the requirements",
            fix="write the hashes anew (pip-compile --generate-hashes); if the version is the same as before, the "
            "index serves another file than it did, which must not be trusted",
            where=requirements.source,
        )
        for pin in pins
        if canonical(pin.name) in demanded and f"sha256:{pin.sha256}" not in demanded[canonical(pin.name)]
    ]
    if problems:
        raise PackagingError(problems[0].found, problems=tuple(problems))


def pin_of(package: dict[str, Any], block: str) -> Pin:
    """Return the pin that a package's table (PEP 751) stands for.

    Args:
        block: the same as text.
    Raises:
        KeyError, TypeError, AttributeError: the table is not whole.
    """
    name, version = package["name"], str(package.get("version", ""))
    if package.get("wheels"):
        wheel = package["wheels"][0]
        file = wheel.get("name") or (wheel.get("url") or wheel.get("path", "")).rpartition("/")[2]
        digest = wheel.get("hashes", {}).get("sha256", "")
        if len(package["wheels"]) > 1:  # two places have it: take the first, so that the digest is of what is installed
            block = as_toml({**package, "wheels": [wheel]})
        return Pin(name, version, "wheel", file, digest, block)
    for kind in ("sdist", "archive"):
        if kind in package:
            source = package[kind]
            digest = source.get("hashes", {}).get("sha256", "")
            file = (source.get("url") or source.get("path", "")).partition("#")[0].rpartition("/")[2]
            return Pin(name, version, kind, file if file.endswith(".whl") else "", digest, block)
    if "vcs" in package:
        return Pin(name, version, "vcs", "", str(package["vcs"].get("commit-id", "")), block)
    return Pin(name, version, "directory", "", "", block)


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
