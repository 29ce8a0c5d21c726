"""One attempt to take up what was changed on disk, and what became of it."""

from __future__ import annotations

import msgspec


class Reload(msgspec.Struct, frozen=True):
    """One reload.

    Args:
        at: when it was over, in seconds since 1970.
        took_ms: from the notice of the change.
        changed: the files, below the service's folder.
        functions: those that have a new generation.
        error: why the last good version goes on; "" when the new one serves.
    """

    at: float
    took_ms: float
    changed: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    error: str = ""
