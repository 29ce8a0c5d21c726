"""An artifact, the zip that `zip: true` leaves in it, and the layers beside it -> their files as Lambda has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bareboat.artifact.beside import OPT
from bareboat.artifact.contents import Contents, opened, opened_within
from bareboat.errors import ArtifactError, Problem

_NESTED = re.compile(r"(^|/)\.?requirements\.zip$")


@dataclass(slots=True)
class Parts:
    """Files by the path that a function has them at.

    Args:
        own: the artifact itself.
        inner: path of a zip in it -> what that holds; its files are below that path, as in a folder.
        layers: in the order in which they are laid over each other; their files are below /opt.
        problems: of zips in it that cannot be read.
    """

    own: Contents
    inner: dict[str, Contents] = field(default_factory=dict)
    layers: list[Contents] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _at: dict[str, tuple[Contents, str]] = field(default_factory=dict)

    def open_inner(self, stack: ExitStack) -> None:
        """Open the zips in it that are unpacked at a cold start."""
        for entry in self.own.entries:
            if _NESTED.search(entry.path):
                try:
                    self.inner[entry.path] = stack.enter_context(opened_within(self.own, entry.path))
                except ArtifactError as error:
                    self.problems += error.problems

    def open_layer(self, path: Path, stack: ExitStack) -> None:
        """Lay a zip or a folder to /opt.

        Raises:
            ArtifactError: it is neither, or cannot be read.
        """
        self.layers.append(stack.enter_context(opened(path)))

    def within(self) -> Iterator[tuple[str, Contents]]:
        """Yield what a function unpacks of its own, with the beginning of its paths."""
        yield "", self.own
        yield from ((f"{path}/", contents) for path, contents in self.inner.items())

    def everything(self) -> Iterator[tuple[str, Contents]]:
        """Yield these and the layers."""
        yield from self.within()
        yield from ((OPT, contents) for contents in self.layers)

    def names(self) -> list[str]:
        """Return all paths."""
        self._at = {
            prefix + entry.path: (contents, entry.path)
            for prefix, contents in self.everything()
            for entry in contents.entries
        }
        return list(self._at)

    def read(self, path: str) -> bytes:
        """Return the bytes of one of `names`.

        Raises:
            ArtifactError: it is damaged.
        """
        contents, inside = self._at[path]
        return contents.read(inside)
