"""Names of packages, as they are compared."""

from __future__ import annotations

import re


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it: lower case, runs of `-_.` as one `-` (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
