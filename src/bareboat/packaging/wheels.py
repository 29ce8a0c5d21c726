"""A wheel's file name -> whether it loads on a target, and which of several is the best."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from bareboat.packaging.target import Target

_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}  # PEP 600


def fits(wheel: str, target: Target) -> bool:
    """Whether a Linux target loads a wheel, as far as its name tells."""
    return _rank(wheel, target) is not None


def best(wheels: Iterable[str], target: Target) -> str | None:
    """Return the name of the wheel that pip would choose on a Linux target; None when none fits."""
    ranked = [(rank, name) for name in wheels if (rank := _rank(name, target)) is not None]
    return min(ranked)[1] if ranked else None


def _rank(wheel: str, target: Target) -> int | None:
    try:
        tags = parse_wheel_filename(wheel)[3]
    except InvalidWheelFilename:
        return None
    ranks = _ranks(target.python, target.machine, target.glibc)
    return min((rank for tag in tags if (rank := ranks.get(tag)) is not None), default=None)


@cache
def _ranks(python: str, machine: str, glibc: tuple[int, int]) -> dict[Tag, int]:
    version = tuple(map(int, python.split(".")))
    oldest = 5 if machine == "x86_64" else 17
    platforms = []
    for minor in range(glibc[1], oldest - 1, -1):
        platforms.append(f"manylinux_2_{minor}_{machine}")
        if minor in _OLD_NAMES:
            platforms.append(f"{_OLD_NAMES[minor]}_{machine}")
    platforms.append(f"linux_{machine}")
    interpreter = f"cp{''.join(map(str, version))}"
    tags = [
        *cpython_tags(version, abis=[interpreter], platforms=platforms),
        *compatible_tags(version, interpreter=interpreter, platforms=platforms),
    ]
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}
