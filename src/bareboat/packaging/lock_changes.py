"""Two locks -> what changed from one to the other, package by package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bareboat.packaging.lock import Environment, Lock


@dataclass(frozen=True, slots=True)
class Change:
    """One package or model that is not what it was.

    Args:
        where: the environment, such as `project on python3.13 arm64`; "models".
        name: of the package or model.
        before, after: its version, or the beginning of its digest; "" where it was or is not there.
    """

    where: str
    name: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"+ {self.name} {self.after}"
        if not self.after:
            return f"- {self.name} {self.before}"
        return f"{self.name} {self.before} -> {self.after}"


def changes(before: Lock, after: Lock) -> tuple[Change, ...]:
    """Return what changed, in the order of the lock."""
    return tuple(_changes(before, after))


def described(environment: Environment) -> str:
    """Return an environment in words."""
    return f"{environment.name} on python{environment.python} {environment.architecture}"


def _changes(before: Lock, after: Lock) -> Iterator[Change]:
    for key in sorted({one.key for one in (*before.environments, *after.environments)}):
        old, new = before.environment(*key), after.environment(*key)
        one = new or old
        assert one is not None
        old_versions, new_versions = _versions(old), _versions(new)
        for name in sorted(old_versions.keys() | new_versions.keys()):
            was, now = old_versions.get(name, ("", "")), new_versions.get(name, ("", ""))
            if was != now:
                same = was[0] == now[0]  # another file of the same version
                yield Change(described(one), name, *(_digest(*was), _digest(*now)) if same else (was[0], now[0]))
    for source in sorted({model.source for model in (*before.models, *after.models)}):
        pinned, pins = before.model(source), after.model(source)
        if pinned != pins:
            yield Change("models", source, pinned.sha256[:12] if pinned else "", pins.sha256[:12] if pins else "")


def _versions(environment: Environment | None) -> dict[str, tuple[str, str]]:
    pins = environment.packages if environment is not None else ()
    return {pin.name: (pin.version or "here", pin.sha256) for pin in pins}


def _digest(version: str, sha256: str) -> str:
    return f"{version} (sha256 {sha256[:12]})"
