"""The pins of models in stores: what bareboat.lock has of them, and what is added to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.errors import PackagingError, RemoteError
from bareboat.service.model import RemoteModel, StoredObject

if TYPE_CHECKING:
    from bareboat.packaging.lock import Lock
    from bareboat.packaging.store import Store

MLMODEL = "MLmodel"


class Pins:
    """The models of a lock, and those that are added to it.

    Args:
        lock: what is pinned.
        region: where S3 is asked when nothing else says so.
        locked, upgrade: as in `fetched`.
    """

    def __init__(
        self,
        lock: Lock,
        region: str,
        on_step: Callable[[str], None] = lambda _: None,
        *,
        locked: bool = False,
        upgrade: bool = False,
    ) -> None:
        self.lock = lock
        self.new: list[StoredObject] = []
        self._region = region
        self._on_step = on_step
        self._locked = locked
        self._upgrade = upgrade
        self._made: Store | None = None
        self._gone: set[str] = set()
        self._done: dict[str, tuple[StoredObject, ...]] = {}

    def store(self) -> Store:
        """Return S3, asked for the first time or again."""
        if self._made is None:
            from bareboat.packaging.store import Store

            self._made = Store(self._region)
        return self._made

    def over(self, lock: Lock) -> Lock:
        """Return a lock with the new pins in it."""
        from bareboat.packaging.lock import LockedModel

        kept = tuple(each for each in lock.models if not each.source.startswith(tuple(self._gone)))
        lock = replace(lock, models=kept)
        for each in self.new:
            lock = lock.with_model(LockedModel(each.source, each.sha256, each.size_bytes, each.version_id))
        return lock

    def fetch(self, remote: RemoteModel, version_id: str = "") -> RemoteModel:
        """Return a model with its file and its objects; raises as `fetched` does.

        Args:
            version_id: what to pin of a model that is not pinned yet; "" for the newest.
        """
        pinned = self._done.get(remote.pin) or self._pinned(remote)
        if pinned:
            return self._fetch(remote, pinned)
        if self._locked:
            raise PackagingError(
                f"bareboat.lock has no pin for {remote.pin}", expected="a lock that names it", fix="bareboat lock"
            )
        if remote.source.endswith("/"):
            return self._resolve_folder(remote)
        from bareboat.runtime.s3 import Missing

        try:
            return self._resolve(remote, version_id or remote.version_id)
        except Missing:
            if not self.store().has(f"{remote.source}/{MLMODEL}"):
                raise
            raise RemoteError(
                f"{remote.source} is a folder", expected="the key of a file", fix=f"write {remote.source}/"
            ) from None

    def _pinned(self, remote: RemoteModel) -> tuple[StoredObject, ...]:
        """Return the objects that a lock, or serverless.yml, pins; () when neither does."""
        declared = bool(remote.version_id or (remote.sha256 and not remote.source.startswith("s3://")))
        entry = self.lock.model(remote.pin)
        if entry is None or (self._upgrade and not declared) or remote.sha256 not in ("", entry.sha256):
            return ()
        if not remote.source.endswith("/"):
            return (StoredObject(remote.source, entry.version_id, entry.sha256, entry.size_bytes),)
        from bareboat.packaging.model_cache import tree_digest

        objects = tuple(
            StoredObject(each.source, each.version_id, each.sha256, each.size_bytes)
            for each in self.lock.models
            if each.source.startswith(remote.source) and each.source != remote.source
        )
        if tree_digest({_path(remote, each): each.sha256 for each in objects}) != entry.sha256:
            raise PackagingError(
                f"the pins of {remote.source} do not belong together",
                expected="those that bareboat wrote",
                fix=f"bareboat model pin {remote.source}",
            )
        return objects

    def _fetch(self, remote: RemoteModel, objects: tuple[StoredObject, ...]) -> RemoteModel:
        """Return the very objects that are pinned."""
        from bareboat.packaging.model_cache import find, keep, tree_digest
        from bareboat.packaging.store import opener_of
        from bareboat.runtime.download import Differs

        paths = {_path(remote, each): each for each in objects}
        digests = {name: each.sha256 for name, each in paths.items()}
        folder = find(tree_digest(digests), digests)
        if folder is None:
            self._on_step(f"Fetching {remote.source}")
            openers = {name: opener_of(each.source, each.version_id, self.store) for name, each in paths.items()}
            try:
                folder, _ = keep(openers, digests, source=remote.pin, on_step=self._on_step)
            except Differs as error:
                problem = error.problems[0]
                raise RemoteError(
                    f"{remote.pin} is not what bareboat.lock pins: {problem.found}",
                    expected=problem.expected,
                    fix=f"if the new content is wanted: bareboat model pin {remote.source}",
                ) from error
        return _complete(remote, folder, objects)

    def _resolve(self, remote: RemoteModel, version_id: str) -> RemoteModel:
        """Fetch a version, the newest when it is "", and pin it."""
        from bareboat.packaging.model_cache import find, keep, plain_name
        from bareboat.packaging.store import opener_of
        from bareboat.runtime.download import Differs
        from bareboat.runtime.s3 import Object

        name = plain_name(remote.source)
        is_s3 = remote.source.startswith("s3://")
        if remote.sha256 and (remote.version_id or not is_s3):
            folder = find(remote.sha256, {name: remote.sha256})
            if folder is not None:
                size_bytes = (folder / name).stat().st_size
                return self._pin(
                    remote, folder, StoredObject(remote.source, remote.version_id, remote.sha256, size_bytes)
                )
        self._on_step(f"Fetching {remote.source}")
        opener = opener_of(remote.source, version_id, self.store)
        try:
            folder, saved = keep({name: opener}, {name: remote.sha256}, source=remote.pin, on_step=self._on_step)
        except Differs as error:
            problem = error.problems[0]
            raise RemoteError(
                f"{remote.pin} is not what sha256 in serverless.yml says: {problem.found}",
                expected=problem.expected,
                fix="if the new content is wanted, write its sha256",
            ) from error
        found = opener.found_version if isinstance(opener, Object) else ""
        found = "" if found == "null" else found
        return self._pin(remote, folder, StoredObject(remote.source, found, saved[name].digest, saved[name].size_bytes))

    def _pin(self, remote: RemoteModel, folder: Path, found: StoredObject) -> RemoteModel:
        self.new.append(replace(found, source=remote.pin))
        self._done[remote.pin] = (found,)
        return _complete(remote, folder, (found,))

    def _resolve_folder(self, remote: RemoteModel) -> RemoteModel:
        """Fetch all that is below a prefix, and pin each object of it."""
        from bareboat.packaging.model_cache import checked_path, keep, tree_digest

        store = self.store()
        bucket = remote.source[5:].partition("/")[0]
        sources = [f"s3://{bucket}/{key}" for key in store.keys(remote.source)]
        if f"{remote.source}{MLMODEL}" not in sources:
            raise RemoteError(
                "there is no MLmodel below it" if sources else "there is nothing below it",
                expected="the folder of an MLflow model",
                fix="name the folder that holds MLmodel, or a file (no '/' at the end)",
            )
        self._on_step(f"Fetching {remote.source}: {len(sources)} files")
        openers = {checked_path(each.removeprefix(remote.source), each): store.opener(each) for each in sources}
        folder, saved = keep(openers, {}, source=remote.source, on_step=self._on_step)
        objects = tuple(
            StoredObject(
                f"{remote.source}{name}",
                "" if openers[name].found_version == "null" else openers[name].found_version,
                each.digest,
                each.size_bytes,
            )
            for name, each in saved.items()
        )
        digest = tree_digest({name: each.digest for name, each in saved.items()})
        if remote.sha256 not in ("", digest):
            raise RemoteError(
                f"{remote.source} has sha256 {digest}", expected=f"sha256 {remote.sha256}, as serverless.yml says"
            )
        self._gone.add(remote.source)
        size_bytes = sum(each.size_bytes for each in objects)
        self.new += [StoredObject(remote.source, "", digest, size_bytes), *objects]
        self._done[remote.pin] = objects
        return _complete(remote, folder, objects)


def _path(remote: RemoteModel, found: StoredObject) -> str:
    from bareboat.packaging.model_cache import checked_path, plain_name

    if remote.source.endswith("/"):
        return checked_path(found.source.removeprefix(remote.source), found.source)
    return plain_name(remote.source)


def _complete(remote: RemoteModel, folder: Path, objects: tuple[StoredObject, ...]) -> RemoteModel:
    file = folder if remote.source.endswith("/") else folder / _path(remote, objects[0])
    return replace(remote, file=file, objects=objects)
