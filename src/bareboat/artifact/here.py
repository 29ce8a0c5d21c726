"""A service -> its artifacts for this machine: what `serve` and `invoke local` run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bareboat.artifact.build import build
from bareboat.artifact.host import local_target
from bareboat.artifact.model import Artifact
from bareboat.packaging.target import Target
from bareboat.service.model import Note, Service


def targets_here(service: Service, function: str | None = None) -> tuple[dict[str, Target], tuple[Note, ...]]:
    """Return for each function what to build it for so that it runs here, and what differs from Lambda, told once.

    Args:
        function: the only one that is wanted; None is all of them.
    Raises:
        PackagingError: no CPython runs here.
    """
    targets: dict[str, Target] = {}
    said: dict[str, Note] = {}
    for name in service.functions if function is None else (function,):
        targets[name], notes = local_target(service.functions[name])
        for note in notes:
            said.setdefault(note.text, note)
    return targets, tuple(said.values())


def build_here(
    service: Service, targets: Mapping[str, Target], *, on_step: Callable[[str], None] = lambda _: None
) -> dict[str, Artifact]:
    """Build the artifacts of functions for this machine; raises as `build` does.

    Args:
        targets: from `targets_here`.
        on_step: told what is under way.
    """
    if set(targets) == set(service.functions) and len(set(targets.values())) == 1:
        return build(service, target=next(iter(targets.values())), on_step=on_step)
    artifacts: dict[str, Artifact] = {}
    for name, target in targets.items():
        artifacts[name] = build(service, function=name, target=target, on_step=on_step)[name]
    return artifacts
