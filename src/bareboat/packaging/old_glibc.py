"""Wheels for an image whose glibc uv has no name for, such as Amazon Linux 2 (2.26), chosen by their tags.

uv is asked as if the image were a little newer (2.28), and each wheel that it names is looked at. Where one wants a
newer glibc than there is, the other wheels of that version are looked at, then older versions, until one loads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from bareboat.packaging.compile import Answer, look_up, platform_args
from bareboat.packaging.pins import file_of
from bareboat.packaging.requirements import Requirements
from bareboat.packaging.target import Target
from bareboat.packaging.uv import UvError
from bareboat.packaging.wheels import best, fits

_ROUNDS = 12  # each one settles at least one package; more than a few never came up
_STEPS = 40  # versions of one package that are looked at

Ask = Callable[[Sequence[str], Sequence[str]], Answer]


def choose_wheels(requirements: Requirements, target: Target, ask: Ask) -> Answer:
    """Choose versions whose wheels load on the target's glibc, the newest such ones.

    Args:
        ask: uv, given arguments for the platform and further constraints.
    Raises:
        UvError: there is no such choice, as uv says when it is held to the next older glibc that it knows.
    """
    held: dict[str, str] = {}
    newest: dict[str, str] = {}
    for _ in range(_ROUNDS):
        try:
            answer = ask(platform_args(target, above=True), [f"{name}{rule}" for name, rule in held.items()])
        except UvError:
            break
        packages, unfit = [], []
        for package in answer.packages:
            settled = _settled(package, requirements, target)
            packages.append(settled or package)
            if settled is None:
                unfit.append(package)
        if not unfit:
            notes = _held_back(packages, newest, target)
            return Answer(tuple(packages), (*answer.notes, *notes))
        for package in unfit:
            name, version = canonicalize_name(package["name"]), str(package["version"])
            newest.setdefault(name, version)
            found = newest_that_fits(package["name"], version, requirements, target)
            held[name] = f"<={found}" if found else f"<{version}"
    return ask(platform_args(target), ())


def newest_that_fits(name: str, below: str, requirements: Requirements, target: Target) -> str:
    """Return the newest version older than `below` ("" is any) that has a wheel for the target; "" if there is none.

    Goes down by minor versions first, then one by one between the last that did not fit and the first that did:
    makers change the age of the glibc that they build for between releases, and not back.
    """
    last = below
    found = ""
    for version, wheels in _down(name, below, requirements, target, by_series=True):
        if best(wheels, target) is not None:
            found = version
            break
        last = version
    if not found:
        return ""
    for version, wheels in _down(name, last, requirements, target, above=found):
        if best(wheels, target) is not None:
            return version
    return found


def wheels_of(name: str, rule: str, requirements: Requirements, target: Target) -> tuple[str, dict[str, Any]] | None:
    """Return the newest version that fits a rule such as `<2.4`, and its wheels of all machines: file name -> table."""
    args = ["--universal", "--python-version", target.python]
    try:
        packages = look_up(requirements, [f"{name}{rule}"], args, target)
    except UvError:
        return None
    for package in packages:
        if _holds(package.get("marker"), target) and package.get("version"):
            return str(package["version"]), {file_of(wheel): wheel for wheel in package.get("wheels", ())}
    return None


def _settled(package: dict[str, Any], requirements: Requirements, target: Target) -> dict[str, Any] | None:
    """Return the package with a wheel that loads, or None; what is no wheel of an index is left as it is."""
    wheels = package.get("wheels")
    if not wheels:
        return package
    for wheel in wheels:
        if fits(file_of(wheel), target):
            return {**package, "wheels": [wheel]}
    found = wheels_of(package["name"], f"=={package['version']}", requirements, target)
    name = best(found[1], target) if found is not None else None
    return {**package, "wheels": [found[1][name]]} if found is not None and name is not None else None


def _down(
    name: str, below: str, requirements: Requirements, target: Target, *, by_series: bool = False, above: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield versions with their wheels, newest first."""
    for _ in range(_STEPS):
        rule = f"<{below}" if below else ""
        if by_series and below:
            try:
                version = Version(below)
            except InvalidVersion:
                return
            rule = f"<{version.epoch}!{version.major}.{version.minor}"
        found = wheels_of(name, f"{rule},>{above}" if above else rule, requirements, target)
        if found is None:
            return
        below = found[0]
        yield found


def _holds(marker: str | None, target: Target) -> bool:
    if not marker:
        return True
    try:
        return Marker(marker).evaluate(
            {
                "python_version": target.python,
                "python_full_version": f"{target.python}.0",
                "sys_platform": "linux",
                "platform_system": "Linux",
                "os_name": "posix",
                "platform_machine": target.machine,
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
            }
        )
    except InvalidMarker:
        return False


def _held_back(packages: Sequence[dict[str, Any]], newest: dict[str, str], target: Target) -> Iterator[str]:
    glibc = ".".join(map(str, target.glibc))
    for package in packages:
        newer = newest.get(canonicalize_name(package["name"]))
        if newer is not None and newer != package.get("version"):
            yield (
                f"{package['name']} is held at {package['version']}: the wheels of {newer} need a newer glibc than the "
                f"{glibc} of python{target.image or target.python}; python3.12 and later have 2.34"
            )
