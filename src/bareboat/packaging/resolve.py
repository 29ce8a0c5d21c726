"""Requirements + Target -> Resolution: the exact wheel of each package, as uv chose it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bareboat.errors import PackagingError, Problem
from bareboat.packaging.asked import credentials
from bareboat.packaging.compile import Answer, ask_for_wheels, is_known, platform_args
from bareboat.packaging.pins import Pin, pin_of, refuse_other_hashes
from bareboat.packaging.requirements import Requirements, canonical
from bareboat.packaging.target import Target
from bareboat.packaging.uv import UvError


@dataclass(frozen=True, slots=True)
class Resolution:
    """What to install for a target.

    Args:
        folder: where relative paths of the pins start.
        notes: what a person should know, such as packages that an old image holds back.
        users: host -> `user:password` of package indexes, which no lock holds.
        asked: the requirements that it answers, to say where they stand.
    """

    target: Target
    folder: Path
    pins: tuple[Pin, ...]
    notes: tuple[str, ...] = ()
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    asked: Requirements | None = field(default=None, repr=False, compare=False)


def resolve(
    requirements: Requirements,
    target: Target,
    *,
    preferred: Sequence[Pin] = (),
    on_step: Callable[[str], None] = lambda _: None,
) -> Resolution:
    """Choose a version and a wheel for each requirement and for what it pulls in.

    Args:
        preferred: an earlier choice: its versions are taken wherever they still fit.
    Raises:
        PackagingError: a requirement does not exist, conflicts, or has nothing that runs on the target; each named.
            Or an index serves another file under a name that was chosen before.
    """
    if requirements.empty:
        return Resolution(target, requirements.folder, ())
    on_step(f"Resolving {requirements.source} for {target}")
    answer = _compile(requirements, target, preferred)
    pins = tuple(pin_of(package) for package in answer.packages)
    kept = tuple(pin for pin in pins if canonical(pin.name) not in requirements.no_deploy)
    _refuse_changed(kept, preferred, requirements.source)
    return resolution_of(kept, requirements, target, notes=answer.notes)


def resolution_of(
    pins: Sequence[Pin], requirements: Requirements, target: Target, *, notes: Sequence[str] = ()
) -> Resolution:
    """Return what to install, of pins that were chosen for these requirements.

    Raises:
        PackagingError: a file is not one of those that the requirements name by hash.
    """
    refuse_other_hashes(tuple(pins), requirements)
    users = credentials(requirements.text)
    return Resolution(target, requirements.folder, tuple(pins), tuple(notes), users, requirements)


def _compile(requirements: Requirements, target: Target, preferred: Sequence[Pin]) -> Answer:
    """Ask uv for wheels alone; let it build what has no wheel at all and may be plain Python."""
    from bareboat.packaging import refusals

    from_source: list[str] = []
    while True:
        try:
            return _choose(requirements, target, preferred, from_source)
        except UvError as error:
            wheelless = [each for each in refusals.without_wheels(error) if each[0] not in from_source]
            for name, version in wheelless:
                refusals.refuse_native(name, version, requirements, target, error)
            if not wheelless:
                raise refusals.explained(error, requirements, target) from error
            from_source += [name for name, _ in wheelless]


def _choose(
    requirements: Requirements, target: Target, preferred: Sequence[Pin], from_source: Collection[str]
) -> Answer:
    def ask(platform: Sequence[str], more: Sequence[str]) -> Answer:
        return ask_for_wheels(
            requirements, target, platform=platform, preferred=preferred, from_source=from_source, constraints=more
        )

    if target.system != "linux" or is_known(target.glibc):
        return ask(platform_args(target), ())
    from bareboat.packaging.old_glibc import choose_wheels

    return choose_wheels(requirements, target, ask)


def _refuse_changed(pins: Sequence[Pin], before: Sequence[Pin], source: str) -> None:
    """Raise if an index serves another file than the one that was locked under the same name."""
    known = {pin.wheel: pin for pin in before if pin.kind == "wheel" and pin.wheel}
    problems = [
        Problem(
            f"{pin.wheel} has sha256 {pin.sha256[:16]}..., and {known[pin.wheel].sha256[:16]}... is locked",
            expected="the same file under the same name, for ever",
            fix=f"if you know why it changed: bareboat lock --upgrade-package {pin.name}; else do not trust the index",
            where=source,
        )
        for pin in pins
        if pin.kind == "wheel" and pin.wheel in known and known[pin.wheel].sha256 != pin.sha256
    ]
    if problems:
        raise PackagingError(problems[0].found, problems=tuple(problems))
