"""The version of a model that a service takes, set in bareboat.lock."""

from __future__ import annotations

from collections.abc import Callable

from bareboat.artifact.fetch import write_pins
from bareboat.artifact.model_pins import Pins
from bareboat.errors import ConfigurationError
from bareboat.packaging.lock import LOCK, LockedModel, read_lock
from bareboat.service.model import RemoteModel, Service


def remote_models(service: Service) -> dict[str, RemoteModel]:
    """Return the models of stores that a service names: `FUNCTION.MODEL`, with `[N]` of an older version -> it."""
    found: dict[str, RemoteModel] = {}
    for function in service.functions.values():
        for model in function.served_models:
            for at, file in enumerate(model.files):
                if isinstance(file, RemoteModel):
                    name = function.name if function.model is not None else f"{function.name}.{model.name}"
                    found[f"{name}[{at}]" if at else name] = file
    return found


def pin_model(
    service: Service, target: str, version_id: str = "", *, on_step: Callable[[str], None] = lambda _: None
) -> tuple[LockedModel | None, LockedModel]:
    """Pin a model of a service to a version, which is fetched and kept.

    Args:
        target: a name of `remote_models`, or a source as serverless.yml has it.
        version_id: "" for the newest.
    Returns:
        what was pinned before, and what is now.
    Raises:
        ConfigurationError: the service has no such model, or serverless.yml itself says which version it is.
        RemoteError, PackagingError: as `fetched`.
    """
    models = remote_models(service)
    remote = models.get(target) or next(
        (each for each in models.values() if target in (each.source, each.pin, each.source.rstrip("/"))), None
    )
    if remote is None:
        raise ConfigurationError(
            f"the service takes no model {target} from a store",
            expected="one of " + ", ".join(f"{name} ({each.source})" for name, each in models.items())
            if models
            else "a function whose model is in a store",
            where=str(service.path),
        )
    if remote.version_id:
        raise ConfigurationError(
            f"{target} is pinned by serverless.yml itself: versionId {remote.version_id}",
            expected="no versionId there, so that bareboat.lock says which",
            fix="change it there, or take it out",
            where=str(remote.where),
        )
    if version_id and (not remote.source.startswith("s3://") or remote.source.endswith("/")):
        raise ConfigurationError(
            f"{remote.source} has no versions of its own",
            expected="no version, for what is there now",
            where=str(remote.where),
        )
    path = service.folder / LOCK
    lock = read_lock(path)
    before = lock.model(remote.pin)
    pins = Pins(lock, service.provider.region, on_step, upgrade=True)
    pins.fetch(remote, version_id)
    after = write_pins(service, pins).model(remote.pin)
    assert after is not None
    return before, after
