"""bareboat.lock <-> Lock: the exact packages of each Lambda target, and the digest of each model."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from bareboat.errors import PackagingError
from bareboat.packaging.cache import write_whole
from bareboat.packaging.pins import Pin, pin_of, toml_text

LOCK = "bareboat.lock"
_FORMAT = 1
_HEAD = """\
# The exact packages and models that `bareboat package` takes. Commit this file; bareboat writes it.
# `bareboat lock --upgrade` renews it.
"""
_CONFLICT = re.compile(rb"^(<{7}|={7}|>{7}|\|{7})( |\r?$)", re.MULTILINE)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LockedModel:
    """A model, pinned.

    Args:
        source: as serverless.yml has it: a path with `/` from the folder of serverless.yml on, or a URL.
        sha256: of the file; of a folder, as `model_cache.tree_digest` has it.
        version_id: of the object in a versioned bucket.
    """

    source: str
    sha256: str
    size_bytes: int
    version_id: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """The packages of one Lambda target.

    Args:
        name: what they are for: `project`, `functions.NAME` (a model that needs packages), `layers.NAME`.
        source: the file that asked for them.
        inputs: a digest of all that was asked; when it differs, the requirements have changed.
        requirements: what was asked, a line each, to say what changed; without hashes and passwords.
        notes: what a person should know, such as packages that an old image holds back.
        packages: sorted by name, each with the one file that is installed.
    """

    name: str
    python: str
    architecture: Literal["x86_64", "arm64"]
    source: str
    inputs: str
    requirements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    packages: tuple[Pin, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from the others of a lock."""
        return (self.name, self.python, self.architecture)


@dataclass(frozen=True, slots=True)
class Lock:
    """A whole bareboat.lock; environments and models are sorted."""

    environments: tuple[Environment, ...] = ()
    models: tuple[LockedModel, ...] = ()

    def environment(self, name: str, python: str, architecture: str) -> Environment | None:
        """Return what was locked for a target, if anything was."""
        return next((one for one in self.environments if one.key == (name, python, architecture)), None)

    def with_environment(self, environment: Environment) -> Lock:
        """Return the lock with an environment added, or put in the place of the one with the same key."""
        return replace(self, environments=_replaced(self.environments, environment, lambda one: one.key))

    def model(self, source: str) -> LockedModel | None:
        """Return what a model is pinned to, if it is."""
        return next((one for one in self.models if one.source == source), None)

    def with_model(self, model: LockedModel) -> Lock:
        """Return the lock with a model added, or put in the place of the one with the same source."""
        return replace(self, models=_replaced(self.models, model, lambda one: one.source))


def _replaced(these: Iterable[_T], new: _T, key: Callable[[_T], Any]) -> tuple[_T, ...]:
    return tuple(sorted((*(one for one in these if key(one) != key(new)), new), key=key))


def read_lock(path: Path) -> Lock:
    """Read bareboat.lock; an empty Lock when it is not there.

    Raises:
        PackagingError: it is damaged, has conflicts of a merge in it, or comes from a newer bareboat; with the line.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise PackagingError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return _parsed(path, data)


@lru_cache(maxsize=4)
def _parsed(path: Path, data: bytes) -> Lock:
    conflict = _CONFLICT.search(data)
    if conflict is not None:
        raise PackagingError(
            "has the marks of a merge that was not resolved",
            expected="one version of the lock",
            fix=f"take either side (git checkout --theirs {LOCK}), then: bareboat lock",
            where=f"{path}:{_line(data, conflict.start())}",
        )
    try:
        text = data.decode("utf-8")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise _damaged(f"byte {error.start} is not UTF-8", f"{path}:{_line(data, error.start)}") from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        where = f"{path}:{place[1]}:{place[2]}" if place else f"{path}:{max(1, len(text.splitlines()))}"
        raise _damaged(str(error).removesuffix(place[0] if place else " (at end of document)"), where) from error
    _refuse_newer(document, path, text)
    try:
        return _lock(msgspec.convert(document, _File))
    except (msgspec.ValidationError, ValueError) as error:
        reason, _, place_of = str(error).partition(" - at ")
        raise _damaged(reason, f"{path}:{_line_of(place_of, text)}") from error


def write_lock(path: Path, lock: Lock, *, by_way_of: Path | None = None) -> bool:
    """Write bareboat.lock, whole or not at all.

    Args:
        by_way_of: as for `write_whole`: what a killed build leaves half-written must not lie in the project, and ship.
    Returns:
        False when the file says the same already, and was left alone.
    Raises:
        PackagingError: the disk is full or the folder cannot be written to.
    """
    data = lock_text(lock).encode()
    try:
        if path.read_bytes() == data:
            return False
    except OSError:
        pass
    write_whole(path, data, by_way_of=by_way_of)
    return True


def lock_text(lock: Lock) -> str:
    """Return the text of bareboat.lock: sorted, without dates and paths of this machine."""
    parts = [f"{_HEAD}version = {_FORMAT}\n"]
    for one in lock.environments:
        parts.append(f"\n[[environments]]\nname = {toml_text(one.name)}\npython = {toml_text(one.python)}\n")
        parts.append(f"architecture = {toml_text(one.architecture)}\nsource = {toml_text(one.source)}\n")
        parts.append(f"inputs = {toml_text(one.inputs)}\n")
        parts += [_listed(key, lines) for key in ("requirements", "notes") if (lines := getattr(one, key))]
        parts += [f"\n[[environments.packages]]\n{pin.block}" for pin in sorted(one.packages, key=lambda pin: pin.name)]
    for model in lock.models:
        parts.append(f"\n[[models]]\nsource = {toml_text(model.source)}\n")
        if model.version_id:
            parts.append(f"version-id = {toml_text(model.version_id)}\n")
        parts.append(f"sha256 = {toml_text(model.sha256)}\nsize = {model.size_bytes}\n")
    return "".join(parts)


def _listed(key: str, lines: tuple[str, ...]) -> str:
    return f"{key} = [\n" + "".join(f"    {toml_text(line)},\n" for line in lines) + "]\n"


class _Model(msgspec.Struct, rename="kebab", forbid_unknown_fields=True):
    source: str
    sha256: str
    size: int
    version_id: str = ""


class _Environment(msgspec.Struct, rename="kebab", forbid_unknown_fields=True):
    name: str
    python: str
    architecture: Literal["x86_64", "arm64"]
    source: str
    inputs: str
    requirements: list[str] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)
    packages: list[dict[str, Any]] = msgspec.field(default_factory=list)


class _File(msgspec.Struct, rename="kebab", forbid_unknown_fields=True):
    version: int
    environments: list[_Environment] = msgspec.field(default_factory=list)
    models: list[_Model] = msgspec.field(default_factory=list)


def _lock(file: _File) -> Lock:
    environments = []
    for number, one in enumerate(file.environments):
        pins = tuple(_pin(package, f"$.environments[{number}].packages[{k}]") for k, package in enumerate(one.packages))
        said = (one.name, one.python, one.architecture, one.source, one.inputs)
        environments.append(Environment(*said, tuple(one.requirements), tuple(one.notes), pins))
    for number, model in enumerate(file.models):
        if not re.fullmatch(r"[0-9a-f]{64}", model.sha256):
            raise ValueError(f"sha256 is {model.sha256!r}, not 64 hexadecimal digits - at `$.models[{number}]`")
    models = [LockedModel(one.source, one.sha256, one.size, one.version_id) for one in file.models]
    return Lock(tuple(sorted(environments, key=lambda one: one.key)), tuple(sorted(models, key=lambda one: one.source)))


def _pin(package: dict[str, Any], place: str) -> Pin:
    try:
        pin = pin_of(package)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(f"a package cannot be read ({error!r}) - at `{place}`") from error
    if pin.kind in {"wheel", "sdist", "archive"} and not re.fullmatch(r"[0-9a-f]{64}", pin.sha256):
        raise ValueError(f"{pin.name} has no sha256 of 64 hexadecimal digits - at `{place}`")
    if pin.kind == "wheel" and not _is_of(pin):
        raise ValueError(f"{pin.name} {pin.version} names another version's file, {pin.wheel} - at `{place}.version`")
    return pin


def _is_of(pin: Pin) -> bool:
    """Tell whether a wheel's name has the version that it is locked as."""
    parts = pin.wheel.split("-")
    if len(parts) < 2 or parts[1].replace("_", "+") == pin.version:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(parts[1].replace("_", "+")) == Version(pin.version)
    except InvalidVersion:
        return False


def _refuse_newer(document: dict[str, Any], path: Path, text: str) -> None:
    version = document.get("version")
    if isinstance(version, int) and version > _FORMAT:
        line = next((n for n, line in enumerate(text.splitlines(), 1) if line.startswith("version")), 1)
        raise PackagingError(
            f"has format {version}, from a newer bareboat",
            expected=f"format {_FORMAT}, which this one writes",
            fix="upgrade bareboat; or delete the file, and `bareboat lock` chooses versions anew",
            where=f"{path}:{line}",
        )


def _damaged(reason: str, where: str) -> PackagingError:
    return PackagingError(
        f"is damaged: {reason}",
        expected="the lock as bareboat wrote it",
        fix=f"git checkout {LOCK}; or delete it, and `bareboat lock` chooses versions anew",
        where=where,
    )


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _line_of(place: str, text: str) -> int:
    """Return the line of the table that `$.environments[0].packages[2].version` lies in."""
    lines = text.splitlines()
    steps = [(name, int(number)) for name, number in re.findall(r"(\w+)\[(\d+)\]", place)]
    header, at = "", 0
    for name, number in steps:
        if name not in {"environments", "packages", "models"}:
            break
        header = f"{header}.{name}" if header else name
        found = [k for k, line in enumerate(lines) if k >= at and line.strip() == f"[[{header}]]"]
        if number >= len(found):
            break
        at = found[number]
    key = re.search(r"\.([\w-]+)(?:\[\.\.\.\]|\[\d+\])*`?$", place)
    if key is not None:
        for k in range(at, len(lines)):
            if k > at and lines[k].startswith("[["):
                break
            if re.match(rf"{re.escape(key[1])}\s*=", lines[k]):
                return k + 1
    return at + 1
