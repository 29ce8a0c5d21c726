"""A table -> a trained model and the project that serves it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.train.options import Options
from bareboat.train.training import Training, train

if TYPE_CHECKING:
    from bareboat.project import Project

__all__ = ["Options", "Training", "check_folder", "train", "write_project"]

_WRITTEN = ("serverless.yml", "event.json", "samples.json", "background.json", "train.json", "report.html")


def check_folder(folder: Path, *, name: str | None = None) -> None:
    """See, before the work of training, that its project can be written.

    Raises:
        ConfigurationError: as for `write_project`.
    """
    from bareboat.project.create import check_free, service_name

    service_name(name, folder.resolve())
    check_free(folder.resolve(), _WRITTEN)


def write_project(training: Training, folder: Path, *, name: str | None = None) -> Project:
    """Write the project of a training into a folder: all of it, or nothing; nothing there is overwritten.

    Args:
        name: of the service; None derives it from the folder's name.
    Raises:
        ConfigurationError: the name is none that AWS takes, or a file stands in the way.
    """
    from bareboat.project.create import Project, service_name, write_files
    from bareboat.train.project import project_files

    folder = folder.resolve()
    name = service_name(name, folder)
    files, sample = project_files(training, name)
    return Project(name, folder, write_files(folder, files), sample)
