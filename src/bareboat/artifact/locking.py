"""Requirements -> Resolution by way of bareboat.lock: taken from it, or chosen and written into it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.artifact.output import OUTPUT
from bareboat.artifact.plan import Plan
from bareboat.errors import PackagingError, Problem
from bareboat.packaging.asked import asked_digest, asked_lines
from bareboat.packaging.exclusive import exclusive
from bareboat.packaging.lock import LOCK, Environment, Lock, LockedModel, read_lock, write_lock
from bareboat.packaging.requirements import Requirements, canonical
from bareboat.packaging.target import Target
from bareboat.service.layer import Layer
from bareboat.service.model import RemoteModel, Service

if TYPE_CHECKING:
    from bareboat.packaging.pins import Pin
    from bareboat.packaging.resolve import Resolution


@dataclass(frozen=True, slots=True)
class Locking:
    """How a build treats bareboat.lock.

    Args:
        write: whether it may be written. Builds for Lambda may; those for this machine take what it has.
        locked: refuse whatever would change it.
        upgrade: choose all versions anew.
        packages: normalised names of those whose versions are chosen anew.
        renewed: the environments that were, so that none is twice.
        used: the environments and local models that were asked for.
    """

    write: bool = True
    locked: bool = False
    upgrade: bool = False
    packages: frozenset[str] = frozenset()
    renewed: set[tuple[str, str, str]] = field(default_factory=set, compare=False)
    used: set[tuple[str, str, str] | str] = field(default_factory=set, compare=False)

    @property
    def needs_lock(self) -> bool:
        """Whether a build must leave bareboat.lock as it would be after building anew."""
        return self.write or self.locked

    @property
    def renews(self) -> bool:
        """Whether anything is chosen anew."""
        return self.upgrade or bool(self.packages)


@dataclass(frozen=True, slots=True)
class LockedResolution:
    """A resolution, and whether bareboat.lock holds it as it is."""

    resolution: Resolution
    in_lock: bool


def declared_target(plan: Plan) -> Target:
    """Return the target whose packages the lock holds: the Lambda target that the functions of a plan name, whatever
    the plan is built for; of an image the machine in it.
    """
    first = plan.functions[0]
    return plan.declared or Target(first.python, first.architecture)


def environment_name(plan: Plan) -> str:
    """Return what bareboat.lock calls the packages of a plan."""
    name = "+".join([f"functions.{plan.functions[0].name}" if plan.model is not None else "project", *plan.layers])
    return name_within(name, declared_target(plan))


def layer_name(layer: Layer, declared: Target) -> str:
    """Return what bareboat.lock calls the packages of a layer."""
    return name_within(f"layers.{layer.name}", declared)


def name_within(name: str, declared: Target) -> str:
    """Return what bareboat.lock calls packages within an image that is not Lambda's: `project@glibc2.36`."""
    return name if declared.baseline is None else f"{name}@glibc{declared.glibc[0]}.{declared.glibc[1]}"


def locked_resolution(
    requirements: Requirements,
    target: Target,
    *,
    name: str,
    declared: Target,
    folder: Path,
    locking: Locking,
    on_step: Callable[[str], None] = lambda _: None,
) -> LockedResolution:
    """Return the exact packages of a target: those that bareboat.lock has, else newly chosen ones.

    What is chosen for the declared target is written into the lock, if that may be; what is chosen for another one,
    such as this machine, keeps to the lock's versions and is kept in `.bareboat`.

    Args:
        name: of the environment: `project`, `functions.NAME`, `layers.NAME`.
        declared: what serverless.yml names.
        folder: of serverless.yml, where bareboat.lock lies.
    Raises:
        PackagingError: `locked`, and the lock does not answer to the requirements; the lock is damaged; or there is no
            such choice.
    """
    from bareboat.packaging.resolve import Resolution, resolution_of

    if requirements.empty:
        return LockedResolution(Resolution(target, requirements.folder, ()), in_lock=True)
    path = folder / LOCK
    lock = read_lock(path)
    inputs = _inputs(requirements, declared)
    environment = lock.environment(name, declared.python, declared.architecture)
    fresh = environment is not None and environment.inputs == inputs
    for_lambda = target == declared
    key = (name, declared.python, declared.architecture)
    locking.used.add(key)
    renew = locking.renews and for_lambda and key not in locking.renewed
    if environment is not None and fresh and for_lambda and not renew:
        resolution = resolution_of(environment.packages, requirements, target, notes=environment.notes)
        return LockedResolution(resolution, in_lock=True)
    if locking.locked and not fresh:
        raise _stale(environment, name, declared, requirements, path)
    if not for_lambda or not locking.write:
        return LockedResolution(_kept_here(requirements, target, environment, inputs, name, folder, on_step), False)
    made = _choose(requirements, target, preferred(lock, key, locking if renew else Locking()), on_step)
    chosen = Environment(
        name=name,
        python=declared.python,
        architecture=declared.architecture,
        source=requirements.source,
        inputs=inputs,
        requirements=asked_lines(requirements),
        notes=made.notes,
        packages=tuple(sorted(made.pins, key=lambda pin: pin.name)),
    )
    _write(folder, lambda lock: lock.with_environment(chosen))
    locking.renewed.add(key)
    return LockedResolution(replace(made, pins=chosen.packages), in_lock=True)


def preferred(lock: Lock, key: tuple[str, str, str], locking: Locking) -> tuple[Pin, ...]:
    """Return the pins whose versions a new choice keeps where they fit: the environment's own, then those that others
    of the same Python have.
    """
    if locking.upgrade:
        return ()
    own = [one for one in lock.environments if one.key == key]
    beside = [one for one in lock.environments if one.key != key and one.python == key[1]]
    beside.sort(key=lambda one: one.name != key[0])
    found: dict[str, Pin] = {}
    for environment in (*own, *beside):
        for pin in environment.packages:
            found.setdefault(canonical(pin.name), pin)
    return tuple(pin for name, pin in found.items() if name not in locking.packages)


def lock_models(service: Service, plan: Plan, locking: Locking) -> bool:
    """Write the digests of a plan's local models into bareboat.lock, where they are not there yet and that may be.

    Returns:
        Whether the lock has them now.
    Raises:
        PackagingError: `locked`, and a model is not what the lock says.
    """
    models = list(local_models(service, plan))
    locking.used.update(model.source for model in models)
    lock = read_lock(service.folder / LOCK) if models else Lock()
    stale = [model for model in models if lock.model(model.source) != model]
    if stale and locking.locked:
        problems = tuple(_changed_model(model, lock, service.folder) for model in stale)
        raise PackagingError(problems[0].found, problems=problems)
    if stale and locking.write:
        _write(service.folder, lambda lock: _with_models(lock, stale))
    return locking.write or not stale


def local_models(service: Service, plan: Plan) -> Iterator[LockedModel]:
    """Yield what a plan's models on this machine are pinned to; those of stores are pinned when they are fetched."""
    if plan.model is None:
        return
    for served in plan.model.served_models:
        for file in served.files:
            if not isinstance(file, RemoteModel):
                yield _pinned(file, service.folder)


def unused(lock: Lock, locking: Locking) -> Lock:
    """Return the part of a lock that nothing asked for; models of stores are not looked at."""
    return Lock(
        tuple(one for one in lock.environments if one.key not in locking.used and not _of_images(one)),
        tuple(one for one in lock.models if "://" not in one.source and one.source not in locking.used),
    )


def _of_images(environment: Environment) -> bool:
    """Tell whether packages are those of images, which serverless.yml does not know of."""
    return environment.name.startswith("image.") or "@glibc" in environment.name


def prune(folder: Path, locking: Locking) -> None:
    """Remove from bareboat.lock what nothing asked for."""

    def pruned(lock: Lock) -> Lock:
        rest = unused(lock, locking)
        return Lock(
            tuple(one for one in lock.environments if one not in rest.environments),
            tuple(one for one in lock.models if one not in rest.models),
        )

    _write(folder, pruned)


def lock_state(folder: Path, name: str, declared: Target, models: Iterable[str] = ()) -> str:
    """Return a digest of what bareboat.lock says, to tell whether an archive is still what it asks for.

    Args:
        name: of an environment.
        models: sources.
    Raises:
        PackagingError: the lock is damaged.
    """
    lock = read_lock(folder / LOCK)
    said = [lock.environment(name, declared.python, declared.architecture), *map(lock.model, models)]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def plan_state(service: Service, plan: Plan) -> str:
    """Return a digest of what bareboat.lock says of a plan's packages and local models; raises as `lock_state`."""
    files = [file for served in plan.model.served_models for file in served.files] if plan.model is not None else []
    models = [_source(file, service.folder) for file in files if not isinstance(file, RemoteModel)]
    return lock_state(service.folder, environment_name(plan), declared_target(plan), models)


def _inputs(requirements: Requirements, declared: Target) -> str:
    """Return a digest of what was asked, and of the image that it was asked for: another glibc has other wheels."""
    asked = asked_digest(requirements)
    if declared.baseline is None:
        return asked
    return hashlib.sha256(f"{asked} glibc {declared.glibc}".encode()).hexdigest()


def _choose(
    requirements: Requirements, target: Target, keep: tuple[Pin, ...], on_step: Callable[[str], None]
) -> Resolution:
    from bareboat.packaging.resolve import resolve

    return resolve(requirements, target, preferred=keep, on_step=on_step)


def _kept_here(
    requirements: Requirements,
    target: Target,
    environment: Environment | None,
    inputs: str,
    name: str,
    folder: Path,
    on_step: Callable[[str], None],
) -> Resolution:
    """Return the packages of a target that the lock does not hold, at the lock's versions where these have wheels."""
    from bareboat.packaging.resolve import resolution_of

    keep = environment.packages if environment is not None else ()
    stamp = hashlib.sha256(
        f"{inputs}\n{target}\n{target.glibc}\n{[(pin.name, pin.version) for pin in keep]}".encode()
    ).hexdigest()
    place = folder / OUTPUT / "resolved" / f"{name}-{stamp[:12]}.toml"
    try:
        kept = read_lock(place).environments
    except PackagingError:
        kept = ()
    if kept and kept[0].inputs == stamp:
        return resolution_of(kept[0].packages, requirements, target, notes=kept[0].notes)
    made = _choose(requirements, target, keep, on_step)
    other = tuple(_differing(made, keep, target))
    made = replace(made, notes=(*made.notes, *other))
    place.parent.mkdir(parents=True, exist_ok=True)
    for old in place.parent.glob(f"{name}-*.toml"):
        _forget(old)
    one = Environment(
        name, target.python, target.architecture, requirements.source, stamp, (), made.notes, tuple(made.pins)
    )
    write_lock(place, Lock((one,)))
    return made


def _forget(old: Path) -> None:
    """Keep a handful of resolutions: those of a few targets."""
    others = sorted(old.parent.glob("*.toml"), key=lambda path: path.stat().st_mtime)
    if len(others) > 16 and old in others[:-16]:
        old.unlink(missing_ok=True)


def _differing(made: Resolution, keep: tuple[Pin, ...], target: Target) -> Iterator[str]:
    locked = {canonical(pin.name): pin.version for pin in keep}
    for pin in made.pins:
        version = locked.get(canonical(pin.name), pin.version)
        if version != pin.version:
            yield f"{pin.name} is {pin.version} for {target}: {LOCK} has {version}, which does not fit there"


def _write(folder: Path, change: Callable[[Lock], Lock]) -> None:
    (folder / OUTPUT).mkdir(exist_ok=True)
    with exclusive(folder / OUTPUT / "lock.lock"):
        path = folder / LOCK
        write_lock(path, change(read_lock(path)), by_way_of=folder / OUTPUT)


def _with_models(lock: Lock, models: list[LockedModel]) -> Lock:
    for model in models:
        lock = lock.with_model(model)
    return lock


def _source(file: Path, folder: Path) -> str:
    return os.path.relpath(file, folder).replace(os.sep, "/")


def _pinned(file: Path, folder: Path) -> LockedModel:
    if file.is_dir():
        from bareboat.packaging.model_cache import tree_digest

        files = [path for path in file.rglob("*") if path.is_file()]
        digest = tree_digest({path.relative_to(file).as_posix(): _digest(path) for path in files})
        return LockedModel(_source(file, folder), digest, sum(path.stat().st_size for path in files))
    return LockedModel(_source(file, folder), _digest(file), file.stat().st_size)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stale(
    environment: Environment | None, name: str, declared: Target, requirements: Requirements, path: Path
) -> PackagingError:
    command = "bareboat lock"
    if declared.baseline is not None:  # which `bareboat lock` knows nothing of
        command = f"the same command without --locked, for what an image on {declared.baseline.name} takes"
    if environment is None:
        found = f"has no packages for {name} on python{declared.python} {declared.architecture}"
        if not path.exists():
            found = "is not there"
        return PackagingError(found, expected="a lock that is committed", fix=command, where=str(path))
    before, now = set(environment.requirements), set(asked_lines(requirements))
    more = [*(f"+ {line}" for line in sorted(now - before)), *(f"- {line}" for line in sorted(before - now))]
    said = ", ".join(more[:6]) + (f" and {len(more) - 6} more" if len(more) > 6 else "")
    return PackagingError(
        f"does not answer to {requirements.source}: {said or 'versions, hashes or files that it names have changed'}",
        expected="a lock that was renewed with the requirements, since --locked must not change it",
        fix=f"{command}, and commit the file",
        where=str(path),
    )


def _changed_model(model: LockedModel, lock: Lock, folder: Path) -> Problem:
    before = lock.model(model.source)
    said = f"sha256 {before.sha256[:16]}... and {before.size_bytes} bytes" if before else "nothing"
    return Problem(
        f"{model.source} has sha256 {model.sha256[:16]}... and {model.size_bytes} bytes; {LOCK} has {said}",
        expected="the model that is locked, since --locked must not change it",
        fix="bareboat lock, and commit the file",
        where=str(folder / LOCK),
    )
