"""Service -> bareboat.lock: the packages of each Lambda target and the digests of its models, without a build."""

from __future__ import annotations

from collections.abc import Callable

from bareboat.artifact.beside import Beside
from bareboat.artifact.dependencies import Needs, resolve_dependencies
from bareboat.artifact.fetch import fetched
from bareboat.artifact.layers import LayerBuilder
from bareboat.artifact.locking import Locking, declared_target, lock_models
from bareboat.artifact.output import OUTPUT, prepare_output
from bareboat.artifact.plan import Plan, make_plans
from bareboat.errors import PackagingError, Problem
from bareboat.packaging.lock import LOCK, Lock, read_lock
from bareboat.service.model import Note, Service


def lock_service(
    service: Service,
    *,
    function: str | None = None,
    locking: Locking | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    on_note: Callable[[Note], None] = lambda _: None,
) -> Lock:
    """Bring bareboat.lock up to date, or check that it is.

    What still answers to the requirements stays as it is.

    Args:
        function: only what it needs.
        locking: what is chosen anew; with `locked`, nothing is written, and what would change is an error.
        on_step: told what is under way.
        on_note: told what a person should know, such as another tool's lock that is older than its project.
    Returns:
        The lock as it is now.
    Raises:
        PackagingError: a requirement does not exist, conflicts, or has nothing that runs on the target; the lock is
            damaged or, with `locked`, not up to date: every place of it at once.
        RemoteError: the store of a model refuses.
    """
    locking = locking or Locking()
    prepare_output(service.folder / OUTPUT)
    service = fetched(service, function=function, locked=locking.locked, upgrade=locking.upgrade, on_step=on_step)
    layers = LayerBuilder(service, on_step, locking=locking)
    problems: list[Problem] = []
    for plan in make_plans(service, function=function):
        if plan.ready is not None:
            continue
        try:
            for note in _lock(service, plan, layers, locking, on_step):
                on_note(note)
        except PackagingError as error:
            if not locking.locked:
                raise
            problems += error.problems
    if function is None:
        layers.build_rest()
    if problems:
        told = {str(problem): problem for problem in problems}
        raise PackagingError(problems[0].found, problems=tuple(told.values()))
    return read_lock(service.folder / LOCK)


def _lock(
    service: Service, plan: Plan, layers: LayerBuilder, locking: Locking, on_step: Callable[[str], None]
) -> tuple[Note, ...]:
    needs = Needs()
    if plan.model is not None:
        from bareboat.artifact.models import model_files

        made = model_files(plan.model, on_step, folder=service.folder, python=plan.target.python)
        needs = Needs(made.packages, made.modules)
        lock_models(service, plan, locking)
    beside = Beside(layers.build(plan.layers, plan.target, declared=declared_target(plan)))
    return resolve_dependencies(service, plan, needs, on_step, locking=locking, beside=beside).notes
