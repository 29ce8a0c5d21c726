"""Models in stores -> files on this machine, each the very version that bareboat.lock pins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.artifact.model_pins import Pins
from bareboat.errors import BareboatError, ConfigurationError, PackagingError, Problem, RemoteError
from bareboat.service.model import (
    Function,
    ModelFile,
    Note,
    Place,
    RemoteModel,
    ServedModel,
    Service,
)

if TYPE_CHECKING:
    from bareboat.packaging.lock import Lock


def fetched(
    service: Service,
    *,
    function: str | None = None,
    locked: bool = False,
    upgrade: bool = False,
    write: bool = True,
    remember: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Service:
    """Return the service with every model of a store fetched, as bareboat.lock pins it.

    What the lock does not pin yet is pinned to its newest version. Without remote models nothing happens; with pinned
    ones that are kept from an earlier time, nothing is asked of the network.

    Args:
        function: only this one's models.
        locked: refuse to pin what is not pinned.
        upgrade: pin the newest versions anew.
        write: whether pins are written to bareboat.lock.
        remember: keep pins that are not written in `.bareboat`, and take those that were.
    Raises:
        RemoteError: a store refuses, cannot be reached, or has other content than the lock says.
        PackagingError: the disk is full, boto3 is missing, or the lock is damaged or has no pin.
    """
    wanted = dict.fromkeys(remote for _, remote in _missing(service, function))
    if not wanted:
        return service
    from bareboat.packaging.lock import LOCK, read_lock

    lock = read_lock(service.folder / LOCK)
    if remember and not write and not locked:
        lock = _with_remembered(lock, service)
    pins = Pins(lock, service.provider.region, on_step, locked=locked, upgrade=upgrade)
    found: dict[RemoteModel, RemoteModel] = {}
    problems: list[Problem] = []
    kind: type[BareboatError] = PackagingError
    for remote in wanted:
        try:
            found[remote] = pins.fetch(remote)
        except BareboatError as error:
            problems += (_placed(each, remote) for each in error.problems)
            kind = RemoteError if isinstance(error, RemoteError) else kind
    if problems:
        raise kind(problems[0].found, problems=tuple(problems))
    if pins.new and write:
        write_pins(service, pins)
    elif pins.new and remember:
        write_pins(service, pins, _remembered(service))
    return _with(service, found)


def _remembered(service: Service) -> Path:
    from bareboat.artifact.output import OUTPUT

    return service.folder / OUTPUT / "resolved" / "models.toml"


def _with_remembered(lock: Lock, service: Service) -> Lock:
    """Return a lock with the pins of this machine, where it has none itself."""
    from bareboat.packaging.lock import read_lock

    try:
        kept = read_lock(_remembered(service)).models
    except PackagingError:  # damaged: pinned anew
        return lock
    pinned = tuple(model.source for model in lock.models)
    folders = tuple(source for source in pinned if source.endswith("/"))
    for model in kept:
        if model.source not in pinned and not model.source.startswith(folders):
            lock = lock.with_model(model)
    return lock


def write_pins(service: Service, pins: Pins, path: Path | None = None) -> Lock:
    """Add pins to bareboat.lock, whatever another build has added to it meanwhile; return the whole.

    Args:
        path: another file to add them to.
    """
    from bareboat.artifact.output import OUTPUT, prepare_output
    from bareboat.packaging.exclusive import exclusive
    from bareboat.packaging.lock import LOCK, read_lock, write_lock

    prepare_output(service.folder / OUTPUT)
    path = path or service.folder / LOCK
    path.parent.mkdir(exist_ok=True)
    with exclusive(service.folder / OUTPUT / "lock.lock"):
        lock = pins.over(read_lock(path))
        write_lock(path, lock, by_way_of=service.folder / OUTPUT)
    return lock


def fetch_alone(source: str, on_step: Callable[[str], None] = lambda _: None) -> RemoteModel:
    """Fetch the newest version of a model, or the one that the source names, which no serverless.yml knows.

    Raises:
        ConfigurationError: the text is no source.
        RemoteError, PackagingError: as `fetched`.
    """
    from bareboat.packaging.lock import Lock

    return Pins(Lock(), "", on_step).fetch(remote_of(source))


def remote_of(source: str) -> RemoteModel:
    """Read `s3://bucket/key?versionId=ID`, or an address.

    Raises:
        ConfigurationError: it is none.
    """
    from bareboat.service.stores import Fault, parse_source

    parsed = parse_source(source)
    if isinstance(parsed, Fault):
        raise ConfigurationError(parsed.found, expected=parsed.expected, fix=parsed.fix)
    return RemoteModel(parsed.source, Place(source, 0, 0), parsed.version_id, parsed.sha256)


def remote_notes(remote: RemoteModel) -> Iterator[Note]:
    """Yield what a person should know of a model's pins."""
    if remote.source.startswith("s3://") and any(not each.version_id for each in remote.objects):
        from bareboat.packaging.store import turn_on_versioning

        text = (
            f"{remote.source} has no versions: only its digest is pinned, and a build fails once it is overwritten. "
            f"Turn them on with: {turn_on_versioning(remote.source)}"
        )
        yield Note("warning", text, str(remote.where))


@contextmanager
def told_by_source(named: ModelFile) -> Iterator[None]:
    """Let errors name a model of a store by its source and version, and not the copy of it on this machine."""
    try:
        yield
    except BareboatError as error:
        if isinstance(named, RemoteModel):
            copy, pin = str(named.file), _shown(named)
            error.problems = tuple(
                Problem(
                    each.found.replace(copy, pin),
                    expected=each.expected,
                    fix=each.fix,
                    where=each.where.replace(copy, pin),
                )
                for each in error.problems
            )
        raise


def _shown(remote: RemoteModel) -> str:
    """Return a source with the version that is pinned."""
    version_id = remote.objects[0].version_id if len(remote.objects) == 1 else ""
    return f"{remote.source}?versionId={version_id}" if version_id else remote.source


def _missing(service: Service, function: str | None) -> Iterator[tuple[str, RemoteModel]]:
    for one in service.functions.values():
        if function is None or one.name == function:
            for model in one.served_models:
                for file in model.files:
                    if isinstance(file, RemoteModel) and file.file is None:
                        yield one.name, file


def _with(service: Service, found: dict[RemoteModel, RemoteModel]) -> Service:
    def file_of(file: ModelFile) -> ModelFile:
        if not isinstance(file, RemoteModel) or file not in found:
            return file
        return replace(found[file], where=file.where, load=file.load)

    def model_of(model: ServedModel) -> ServedModel:
        return replace(model, files=tuple(map(file_of, model.files)))

    def function_of(one: Function) -> Function:
        if one.model is not None:
            return replace(one, model=file_of(one.model))
        return replace(one, models=tuple(map(model_of, one.models)))

    return replace(service, functions={name: function_of(one) for name, one in service.functions.items()})


def _placed(problem: Problem, remote: RemoteModel) -> Problem:
    """Put a problem where serverless.yml names the model."""
    found = problem.found if remote.source in problem.found else f"{remote.pin}: {problem.found}"
    where = str(remote.where) if remote.where.line else problem.where
    return Problem(found, expected=problem.expected, fix=problem.fix, where=where)
