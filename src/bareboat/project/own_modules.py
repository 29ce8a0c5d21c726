"""The user's own modules that a model's pickle needs -> the copies that a new project must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def copied_modules(modules: Mapping[str, Path], model: Path, folder: Path) -> dict[str, bytes]:
    """Return copies of the user's own modules, which ship from beside serverless.yml; none that lies there already.

    Those of an MLflow model stay in its folder, which ships them itself.
    """
    if model.is_dir():
        return {}
    own: dict[str, bytes] = {}
    for path, file in modules.items():
        content, there = file.read_bytes(), folder / path
        if not there.is_file() or there.read_bytes() != content:
            own[path] = content
    return own


def told(own: Iterable[str]) -> str:
    """Return what a README says of the copies, "" where there are none."""
    names = ", ".join(f"`{name}`" for name in own)
    return f"\n{names}: copied from beside the model, whose pickle needs them; they ship from here.\n" if names else ""
