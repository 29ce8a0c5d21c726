"""The folder beside serverless.yml that builds write into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.packaging.cache import cannot_write

if TYPE_CHECKING:
    from bareboat.artifact.model import Artifact
    from bareboat.artifact.plan import Plan

OUTPUT = ".bareboat"
_KEPT_ARCHIVES = 3


def prepare_output(folder: Path) -> None:
    """Make the folder, which keeps itself out of git.

    Raises:
        PackagingError: it cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise cannot_write(folder, error) from error


def forget_archives(folder: Path, plan: Plan, artifact: Artifact) -> None:
    """Keep the newest few archives of a plan."""
    archives = sorted(folder.glob(f"{plan.stem}-*.zip"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in archives[_KEPT_ARCHIVES:]:
        if path != artifact.path:
            path.unlink(missing_ok=True)
