"""Layers -> one folder with their files, as Lambda lays them over each other at /opt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from bareboat.artifact.model import LayerArtifact
from bareboat.artifact.unpack import unpacked, unpacked_folder


def unpack_layers(layers: Sequence[LayerArtifact]) -> Path | None:
    """Unpack layers into one folder, once for each order of them; of two files with one path the later layer's stays.

    Returns:
        The folder, or None without layers.
    Raises:
        ArtifactError: a zip is not the one that was built, is damaged, or has names that lead out.
        PackagingError: the disk is full.
    """
    return unpacked(layers, _name(layers)) if layers else None


def opt_folder(layers: Sequence[LayerArtifact]) -> Path | None:
    """Return where `unpack_layers` puts them, there or not."""
    return unpacked_folder(layers[0], _name(layers)) if layers else None


def _name(layers: Sequence[LayerArtifact]) -> str:
    return f"opt-{sha256(''.join(layer.digest for layer in layers).encode()).hexdigest()[:32]}"


def module_folders(opt: Path, python: str) -> tuple[Path, ...]:
    """Return where Python looks for modules of layers, in Lambda's order.

    Source:
        AWS Lambda, "Working with layers for Python Lambda functions"; the runtime's bootstrap.py.
    """
    return opt / "python" / "lib" / f"python{python}" / "site-packages", opt / "python"


def within(opt: Path, path_list: str) -> str:
    """Return a list of folders, such as a function's own PYTHONPATH, with those of /opt where they lie here."""
    entries = path_list.split(":")
    moved = [f"{opt}{entry[4:]}" if entry == "/opt" or entry.startswith("/opt/") else entry for entry in entries]
    return os.pathsep.join(moved)
