"""`bareboat.package`: a model in memory or on disk -> its artifact for Lambda."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from bareboat.artifact import build
from bareboat.errors import BareboatError, ConfigurationError
from bareboat.project.around import ARCHITECTURE, Wish
from bareboat.project.temporary import project_of
from bareboat.project.values import json_rows
from bareboat.service import load_service
from bareboat.service.model import Architecture, Note
from bareboat.service.runtimes import LIVE

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact

FUNCTION = "predict"


def package(
    model: Any,
    sample: Any = None,
    *,
    path: str | os.PathLike[str] = ".",
    name: str | None = None,
    python: str | None = None,
    architecture: str = ARCHITECTURE,
) -> Artifact:
    """Build the artifact for Lambda that `bareboat create --model` and `bareboat package` would.

    Args:
        model: a model file, or a fitted estimator, pipeline or Booster.
        sample: rows such as `X.head()`; an artifact that is slimmed must answer the first as the full one does.
        path: the folder to write the zip to, or the zip's own name.
        name: of the service; None takes it from the model.
        python: Lambda's, "3.10" to "3.14"; None is "3.13", or that of a pickle with code that runs on no other.
        architecture: Lambda's, "arm64" or "x86_64".
    Returns:
        The artifact, at `path`.
    Raises:
        ModelError: the model cannot be read, saved or served.
        ConfigurationError: Lambda has no such Python or CPU.
        BareboatError: what `bareboat package` would say, or the file cannot be written.
    """
    if python is not None:
        _check("python", python, tuple(runtime.removeprefix("python") for runtime in LIVE))
    _check("architecture", architecture, get_args(Architecture))
    rows = [] if sample is None else json_rows(sample)
    with tempfile.TemporaryDirectory(prefix="bareboat-package-") as folder:
        wish = Wish(rows[0] if rows else None, python=python or "", architecture=architecture)
        project = project_of(model, Path(folder) / "project", wish, name=name)
        artifact = build(load_service(project.folder / "serverless.yml"))[FUNCTION]
        notes = (*artifact.notes, *(Note("warning", text) for text in project.notes))
        return replace(artifact, path=_copied(artifact.path, Path(path)), notes=notes)


def _check(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise ConfigurationError(f"{name} is {given!r}", expected=f"one of {', '.join(known)}, which Lambda has")


def _copied(archive: Path, path: Path) -> Path:
    path = path.absolute()
    if path.suffix.lower() != ".zip":
        path = path / archive.name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(archive, path)
    except OSError as error:
        raise BareboatError(f"{path} cannot be written: {error.strerror}", fix="path= with another folder") from error
    return path
