"""Where a service's observations are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.service.model import Service

FILE = "observed.sqlite"


def observed_path(service: Service) -> Path:
    """Return the file that holds what a service did on this machine: `.bareboat/observed.sqlite`."""
    return service.folder / ".bareboat" / FILE
