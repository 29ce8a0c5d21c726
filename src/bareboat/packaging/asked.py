"""Requirements -> what they ask, in words that are the same on every machine: to tell whether a lock still answers."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bareboat.packaging.requirements import Requirements

_USER = re.compile(r"(?<=://)[^/\s@]+@")
_HASH = re.compile(r"\s*--hash[= ]\s*\w+:[0-9A-Fa-f]+")
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


def asked_lines(requirements: Requirements) -> tuple[str, ...]:
    """Return the requirements a line each, sorted, without hashes, passwords and paths of this machine."""
    lines = {_HASH.sub("", line).strip() for line in _lines(requirements, requirements.text)}
    lines |= {f"not {name}" for name in requirements.no_deploy if name != "bareboat"}
    return tuple(sorted(lines - {""}))


def asked_digest(requirements: Requirements) -> str:
    """Return a digest of all that was asked: requirements, constraints, and the files and folders that they name."""
    digest = hashlib.sha256()
    for text in (requirements.text, requirements.constraints, "\n".join(sorted(requirements.no_deploy))):
        for line in _lines(requirements, text):
            digest.update(f"{line}\n".encode("utf-8", "surrogateescape"))
            for path in _named(line, requirements.folder):
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update(b"\0")
    return digest.hexdigest()


def credentials(text: str) -> dict[str, str]:
    """Return the users and passwords that requirements name: host -> `user:password`."""
    found = re.findall(r"://([^/\s@]+)@([^/\s]+)", text)
    return {host: os.path.expandvars(user) for user, host in found}


def _lines(requirements: Requirements, text: str) -> Iterator[str]:
    folder = str(requirements.folder)
    for line in text.splitlines():
        plain = _USER.sub("", line)
        yield re.sub(rf"(?:file://)?(?<![\w.:-]){re.escape(folder)}(?=[/\\\s]|$)", ".", plain)


def _named(line: str, folder: Path) -> Iterator[Path]:
    """Yield the files that a line names and whose content counts: a wheel, a constraints file, a folder's metadata."""
    said = re.sub(r"^(-e|--editable|-c|--constraint)[\s=]*", "", line.partition(" ;")[0].strip())
    place = said.rpartition(" @ ")[2].strip()
    if place.startswith("file:"):
        place = unquote(urlsplit(place).path)
    elif "://" in place or place.startswith("-") or not re.search(r"[./\\]", place):
        return
    path = folder / place.partition("[")[0].partition("#")[0].strip()
    try:
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (path / name for name in _PROJECT_FILES if (path / name).is_file())
    except (OSError, ValueError):  # too long for a path, so none
        return
