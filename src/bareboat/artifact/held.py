"""Unpacked folders that are in use: each is locked, and the system lets go of the lock with its process."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

_YOUNG_S = 3600.0

_guard = threading.Lock()
_held: dict[Path, tuple[int | None, int]] = {}  # the lock, where there are locks, and how many hold it

if sys.platform == "win32":

    def _lock(handle: int, *, alone: bool) -> bool:  # noqa: ARG001
        """Raise: a folder cannot be locked."""
        raise OSError

else:
    import fcntl

    def _lock(handle: int, *, alone: bool) -> bool:
        """Lock a folder, with others or alone; return whether it is locked, which only `alone` may not be.

        Raises:
            OSError: the file system knows no locks.
        """
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        except BlockingIOError:
            return False
        return True


def hold(folder: Path) -> bool:
    """Keep a folder from being removed until it is released as often; return whether it is there."""
    with _guard:
        lock, count = _held.get(folder, (None, 0))
        if lock is None or not _leads_to(lock, folder):
            if lock is not None:  # the folder was removed, and made again
                os.close(lock)
            lock = _locked(folder)
        if not folder.is_dir():
            if lock is not None:
                os.close(lock)
            if count:
                _held[folder] = (None, count)
            return False
        _held[folder] = (lock, count + 1)
        return True


def release(folder: Path) -> None:
    """Let a folder be removed when nobody else holds it."""
    with _guard:
        lock, count = _held.pop(folder, (None, 0))
        if count > 1:
            _held[folder] = (lock, count - 1)
        elif lock is not None:
            os.close(lock)


def remove_unheld(folder: Path) -> None:
    """Remove a folder that no process holds; without locks, one that was not unpacked or looked at for an hour."""
    handle: int | None = None
    try:
        if sys.platform != "win32":
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            is_free = _lock(handle or 0, alone=True)
        except OSError:
            is_free = time.time() - folder.stat().st_mtime > _YOUNG_S
        if is_free:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # another process has removed it
        return
    finally:
        if handle is not None:
            os.close(handle)


def _locked(folder: Path) -> int | None:
    """Lock a folder with others; return None where there is no folder, or there are no locks."""
    if sys.platform == "win32":
        return None
    while True:
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        with suppress(OSError):
            _lock(handle, alone=False)  # waits for who removes it
        if _leads_to(handle, folder):
            return handle
        os.close(handle)


def _leads_to(handle: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), folder.stat())
    except OSError:
        return False
