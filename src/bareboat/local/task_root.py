"""The folders that a function's processes run in: unpacked again when somebody has removed them, let go at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bareboat.artifact import unpack, unpack_layers
from bareboat.artifact.held import release
from bareboat.artifact.model import Artifact
from bareboat.errors import BareboatError, LocalError
from bareboat.local.spec import Spec


class TaskRoot:
    """What `prepare` unpacked for a function."""

    def __init__(self, spec: Spec, artifact: Artifact) -> None:
        self._name = spec.name
        self._artifact = artifact
        self._folders: tuple[Path, ...] = (spec.folder,) if spec.opt is None else (spec.folder, spec.opt)

    async def ensure(self) -> None:
        """Unpack again what is gone, such as after `git clean -xfd`.

        Raises:
            LocalError: the archive is gone too.
        """
        if not all(folder.is_dir() for folder in self._folders):
            await asyncio.to_thread(self._unpack_again)

    def _unpack_again(self) -> None:
        try:
            unpack(self._artifact)
            unpack_layers(self._artifact.layers)
        except BareboatError as error:
            raise LocalError(
                f"the files of {self._name} are gone, and cannot be unpacked again: {error.problems[0].found}",
                expected=str(self._folders[0]),
                fix="save a file of the project, or start it again",
                where=str(self._artifact.path),
            ) from error
        self.release()  # it was held once before

    def release(self) -> None:
        """Let the folders be removed."""
        for folder in self._folders:
            release(folder)
