"""One at a time, or many readers at a time: a lock file that two builds of one project share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bareboat.packaging.cache import cannot_write


@contextmanager
def exclusive(path: Path, *, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path`; wait for whoever holds it.

    The operating system lets go of the lock when its holder ends in any way, so none is ever stale. The file stays.

    Args:
        on_wait: called once before waiting.
    Raises:
        PackagingError: the file cannot be made.
    """
    handle = _open(path)
    try:
        if not _take(handle, wait=False):
            on_wait()
            _take(handle, wait=True)
        yield
    finally:
        os.close(handle)


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock file `path` together with others that share it; wait for whoever holds it alone.

    On Windows, which has no such lock, one at a time.

    Raises:
        PackagingError: the file cannot be made.
    """
    handle = _open(path)
    try:
        _take(handle, wait=True, alone=False)
        yield
    finally:
        os.close(handle)


@contextmanager
def exclusive_or_not(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` if nobody else does; yield whether it is held.

    Raises:
        PackagingError: the file cannot be made.
    """
    handle = _open(path)
    try:
        yield _take(handle, wait=False)
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as error:
        raise cannot_write(path, error) from error


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int, *, wait: bool, alone: bool = True) -> bool:  # noqa: ARG001
        while True:
            try:
                # LK_LOCK tries ten times, a second apart; LK_NBLCK once
                msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
            else:
                return True

else:
    import fcntl

    def _take(handle: int, *, wait: bool, alone: bool = True) -> bool:
        kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        try:
            fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
