"""Where a service's observations are."""

from __future__ import annotations

from pathlib import Path

FILE = "observed.sqlite"


def observed_path(folder: Path) -> Path:
    """Return the file that holds what a service did on this machine: `.bareboat/observed.sqlite` of its folder."""
    return folder / ".bareboat" / FILE
