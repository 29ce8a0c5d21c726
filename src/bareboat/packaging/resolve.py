"""Requirements + Target -> Resolution: the exact wheel of each package, as uv chose it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.cache import cache_folder, scratch_folder, write_whole
from bareboat.packaging.interpreters import find_python, nearest_python
from bareboat.packaging.pins import BLOCK, Pin, read_pins
from bareboat.packaging.requirements import Requirements, canonical
from bareboat.packaging.target import Target
from bareboat.packaging.uv import UvError, run_uv

_NOTE = "# note: "
_NO_WHEEL = re.compile(r"(?:all versions of )?([A-Za-z0-9][\w.-]*?)(?:==(\S+))? (?:has|have) no (?:usable )?wheels")


_MANYLINUX = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)  # those that uv 0.8 knows


@dataclass(frozen=True, slots=True)
class Resolution:
    """What to install for a target.

    Args:
        folder: where relative paths of the lock start.
        lock: the same as a pylock.toml.
        notes: what a person should know, such as packages that an old runtime holds back.
    """

    target: Target
    folder: Path
    pins: tuple[Pin, ...]
    lock: str
    notes: tuple[str, ...] = ()


def resolve(
    requirements: Requirements,
    target: Target,
    *,
    lock: Path | None = None,
    upgrade: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Resolution:
    """Choose a version and a wheel for each requirement and for what it pulls in.

    Args:
        lock: where the resolution is kept. It is honoured as long as the requirements stay the same, so that a build
            today and one next month take the same wheels.
        upgrade: resolve anew even so.
    Raises:
        PackagingError: a requirement does not exist, conflicts, or has nothing that runs on the target; each named.
    """
    if requirements.empty:
        return Resolution(target, requirements.folder, (), "")
    stamp = f"# bareboat: resolved from {requirements.source}, inputs {_inputs(requirements, target)}\n"
    if lock is not None and not upgrade:
        try:
            kept = lock.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            kept = ""
        if kept.startswith(stamp) and "\ndirectory = " not in kept:
            return _resolution(kept, requirements, target, lock)
    on_step(f"Resolving {requirements.source} for {target}")
    resolved = _compile(requirements, target)
    held_back = "".join(f"{_NOTE}{note}\n" for note in _held_back(resolved, requirements, target))
    text = stamp + held_back + resolved
    if lock is not None:
        lock.parent.mkdir(parents=True, exist_ok=True)
        write_whole(lock, text.encode())
    return _resolution(text, requirements, target, lock)


def _resolution(text: str, requirements: Requirements, target: Target, lock: Path | None) -> Resolution:
    head = text.partition(BLOCK)[0]
    notes = tuple(line.removeprefix(_NOTE) for line in head.splitlines() if line.startswith(_NOTE))
    return Resolution(target, requirements.folder, read_pins(text, requirements, lock), text, notes)


def platform_args(target: Target, *, newest: bool = False) -> list[str]:
    """Return uv's arguments that say which machine the wheels are for.

    uv knows no manylinux_2_26, so for Amazon Linux 2 (glibc 2.26) it is held to manylinux_2_17 (manylinux2014).

    Args:
        newest: as if the image were the newest, to see what an older one holds back.
    """
    if target.system == "linux":
        minor = max(known for known in _MANYLINUX if (2, known) <= max(target.glibc, (2, 34) if newest else (2, 17)))
        platform = f"{target.machine}-manylinux_2_{minor}"
    elif target.system == "macos":
        platform = "aarch64-apple-darwin" if target.architecture == "arm64" else "x86_64-apple-darwin"
    else:
        platform = "aarch64-pc-windows-msvc" if target.architecture == "arm64" else "x86_64-pc-windows-msvc"
    return ["--python-platform", platform, "--python-version", target.python]


def python_args(target: Target) -> list[str]:
    """Return uv's argument that names the interpreter it works with: the target's version if there is one."""
    interpreter = find_python(target.python) or nearest_python(target.python)
    return ["--python", str(interpreter.path)]


def _inputs(requirements: Requirements, target: Target) -> str:
    digest = hashlib.sha256(f"{target}\n{requirements.text}\n{requirements.constraints}\n".encode())
    digest.update("\n".join(sorted(requirements.no_deploy)).encode())
    for path in requirements.files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _compile(requirements: Requirements, target: Target) -> str:
    """Ask uv for wheels alone; let it build what has no wheel at all and may be plain Python."""
    from_source: list[str] = []
    while True:
        try:
            return _ask(requirements, target, from_source)
        except UvError as error:
            _refuse_unreadable(requirements, error)
            wheelless = [name for name, _ in _without_wheels(error) if name not in from_source]
            if not wheelless:
                raise
            for name, version in _without_wheels(error):
                _refuse_native(name, version, requirements, target, error)
            from_source += wheelless


def _refuse_unreadable(requirements: Requirements, error: UvError) -> None:
    """Raise with the requirement's own place if uv could not read it."""
    said = re.search(r"Couldn't parse requirement in `[^`]*` at position (\d+) (.*)", error.reason)
    if said is None:
        return
    number = requirements.text[: int(said[1])].count("\n")
    line = requirements.text.splitlines()[number] if requirements.text else ""
    raise PackagingError(
        f"{line!r} is no requirement: {said[2].split(line)[0].strip() if line else said[2]}",
        expected="name, version and markers as pip has them, such as lightgbm>=4.6,<5",
        where=(requirements.origins[number] if number < len(requirements.origins) else "") or requirements.source,
    ) from error


def _held_back(resolved: str, requirements: Requirements, target: Target) -> list[str]:
    """Say which packages are older than they would be on a newer image, where the image is an old one."""
    if target.system != "linux" or target.glibc >= (2, 34):
        return []
    try:
        newer = _ask(requirements, target, [], newest=True)
    except UvError:
        return []
    versions = {pin.name: pin.version for pin in read_pins(newer, requirements, None)}
    return [
        f"{pin.name} is held at {pin.version}: the wheels of {versions[pin.name]} need a newer glibc than the "
        f"{_dotted(target)} of python{target.python}; python3.12 and later have 2.34"
        for pin in read_pins(resolved, requirements, None)
        if versions.get(pin.name, pin.version) != pin.version
    ]


def _ask(requirements: Requirements, target: Target, from_source: list[str], *, newest: bool = False) -> str:
    with scratch_folder(cache_folder("work")) as scratch:
        wanted, held = scratch / "requirements.in", scratch / "constraints.txt"
        wanted.write_text(requirements.text, encoding="utf-8")
        held.write_text(requirements.constraints, encoding="utf-8")
        built = [part for name in from_source for part in ("--no-binary", name)]
        return run_uv(
            ["pip", "compile", str(wanted), "--constraints", str(held), "--only-binary", ":all:", *built,
             "--format", "pylock.toml", "--no-header", "--no-annotate", "--resolution", "highest",
             *platform_args(target, newest=newest), *python_args(target)],
            cwd=requirements.folder,
            while_doing=f"{requirements.source} for {target}",
        )  # fmt: skip


def _without_wheels(error: UvError) -> list[tuple[str, str]]:
    found = {canonical(name): version or "" for name, version in _NO_WHEEL.findall(error.reason)}
    for hint in error.hints:
        for name in re.findall(r"Wheels are (?:required|available) for `([^`]+)`", hint):
            found.setdefault(canonical(name), "")
    return sorted((name, version.rstrip(",.")) for name, version in found.items())


def _refuse_native(name: str, version: str, requirements: Requirements, target: Target, error: UvError) -> None:
    """Raise if other machines or Pythons have wheels of it: then its source is no plain Python, and a build is vain."""
    pinned = f"{name}=={version}" if version else name
    if not _native_wheels(pinned, requirements, target):
        return
    newest = _newest_with_wheel(name, requirements, target)
    model = requirements.pinned.get(name, "")
    fixes = []
    if model:
        fixes = _other_runtimes(pinned, requirements, target)
        other = f"{name}=={newest}" if newest and newest != version else "a version"
        fixes.append(f"save {model} again with {other} that has one, and package with that Python (BAREBOAT_PYTHON)")
    elif newest and newest != version:
        fixes = [f"ask for {name}=={newest}, the newest that has one"]
    fixes.append("name a wheel of your own in the requirements (./wheels/NAME.whl)")
    fixes.append(f"if the function works without it, list {name} in custom.pythonRequirements.noDeploy")
    problem = Problem(
        f"{pinned}{f', which {model} was saved with,' if model else ''} has no wheel for {target}",
        expected=f"a wheel for Python {target.python} and manylinux up to glibc {_dotted(target)}"
        if target.system == "linux"
        else f"a wheel for Python {target.python}",
        fix="; or ".join(fixes),
        where=requirements.source,
    )
    raise PackagingError(problem.found, problems=(problem,)) from error


def _other_runtimes(pinned: str, requirements: Requirements, target: Target) -> list[str]:
    """Say on which of Lambda's Pythons a version could ship, the one that new projects get first."""
    for python in ("3.13", "3.12", "3.14", "3.11"):
        other = replace(target, python=python, image="")
        if python == target.python:
            continue
        try:
            _alone(pinned, requirements, platform_args(other))
        except UvError:
            continue
        return [f"runtime: python{python} in serverless.yml, which has one"]
    return []


def _dotted(target: Target) -> str:
    return ".".join(map(str, target.glibc))


def _native_wheels(pinned: str, requirements: Requirements, target: Target) -> bool:
    """Whether any Python on any machine has a compiled wheel of it."""
    for python in dict.fromkeys((target.python, "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")):
        try:
            text = _alone(pinned, requirements, ["--universal", "--python-version", python])
        except UvError:
            continue  # this Python is none that the package supports
        return any(not name.endswith("-any.whl") for name in re.findall(r"([^/\"]+\.whl)", text))
    return False


def _newest_with_wheel(name: str, requirements: Requirements, target: Target) -> str:
    try:
        found = tomllib.loads(_alone(name, requirements, platform_args(target)))
    except UvError:
        return ""
    return next((str(p.get("version", "")) for p in found.get("packages", []) if canonical(p["name"]) == name), "")


def _alone(requirement: str, requirements: Requirements, args: list[str]) -> str:
    index_lines = [line for line in requirements.text.splitlines() if line.startswith("-") and line[:2] != "-e"]
    with scratch_folder(cache_folder("work")) as scratch:
        wanted = scratch / "requirements.in"
        wanted.write_text("\n".join([*index_lines, requirement, ""]), encoding="utf-8")
        return run_uv(
            ["pip", "compile", str(wanted), "--no-deps", "--only-binary", ":all:", "--no-header", "--format",
             "pylock.toml", *args],
            cwd=requirements.folder,
            while_doing=f"looking for wheels of {requirement}",
        )  # fmt: skip
