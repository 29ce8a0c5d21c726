"""The Artifact: one archive that is served, deployed, explained and submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareboat.packaging.target import Target
from bareboat.service.model import Note

MANIFEST = ".bareboat/manifest.json"
FUNCTION = ".bareboat/function.json"
MODEL_HANDLER = "bareboat.runtime.handler.handle"


@dataclass(frozen=True, slots=True, repr=False)
class LayerArtifact:
    """A built layer: a zip that Lambda lays to /opt, beside the archives of the functions with it.

    Args:
        name: its key in `layers`.
        path: the zip, absolute.
        digest: sha256 of the zip, hex.
        size_bytes, unzipped_bytes: of the zip, and of its files as Lambda counts them.
        manifest: as an Artifact's, which lies in no file of the layer: files and their digests, versions, sizes by
            package, and `elves`, the headers of its native files.
        reused: whether nothing had changed and the zip of an earlier build was taken.
        notes: what a person should know of it.
    """

    name: str
    path: Path
    digest: str
    target: Target
    size_bytes: int
    unzipped_bytes: int
    manifest: Mapping[str, Any]
    reused: bool = False
    notes: tuple[Note, ...] = ()

    def __repr__(self) -> str:
        return f"<bareboat layer {self.name}: {self.path}, {self.size_bytes / 1e6:.3f} MB, {len(self.notes)} notes>"


@dataclass(frozen=True, slots=True, repr=False)
class Artifact:
    """A built archive and what its manifest says of it.

    Args:
        path: the zip, absolute.
        digest: sha256 of the zip, hex.
        functions: the names of the functions that it serves.
        target: what it was built for.
        handlers: for each function, the handler string that Lambda is given (`handler.predict`; for a model function
            `bareboat.runtime.handler.handle`).
        size_bytes, unzipped_bytes: of the zip, and of its files as Lambda counts them.
        manifest: the parsed manifest: files, digests, target, versions, signature, sizes by package. {} for a
            ready-made zip that has none.
        reused: whether nothing had changed and the archive of an earlier build was taken.
        notes: what a person should know of this archive, such as missing bytecode.
        layers: those of the functions that the service makes, in the order in which they are laid over each other.
    """

    path: Path
    digest: str
    functions: tuple[str, ...]
    target: Target
    handlers: Mapping[str, str]
    size_bytes: int
    unzipped_bytes: int
    manifest: Mapping[str, Any]
    reused: bool = False
    notes: tuple[Note, ...] = ()
    layers: tuple[LayerArtifact, ...] = ()

    @property
    def size_mb(self) -> float:
        """Return the zip's size in MB (10^6 bytes)."""
        return self.size_bytes / 1e6

    def __repr__(self) -> str:
        names = ", ".join(self.functions)
        return f"<bareboat artifact of {names}: {self.path}, {self.size_mb:.3f} MB, {len(self.notes)} notes>"
