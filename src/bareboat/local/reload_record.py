"""What a change of the project came to."""

from __future__ import annotations

import msgspec


class Reload(msgspec.Struct, frozen=True):
    """One reload, or why there was none.

    Args:
        at: when the change was noticed, in seconds since 1970.
        took_ms: from then until the new generation answers, or until it was clear that it will not.
        generation: the one that serves now: 1 at the start, one more after each reload.
        changed: the files, relative to the project.
        functions: those whose code, model or settings are new.
        error: why the last good version goes on serving; "" when the new one serves.
        where: file:line of the error, as far as it is known.
        fix: how to mend it, as far as that is known.
    """

    at: float
    took_ms: float
    generation: int
    changed: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    error: str = ""
    where: str = ""
    fix: str = ""
