"""Where things that can be made again are kept between builds."""

from __future__ import annotations

import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from bareboat.errors import PackagingError


def cache_folder(name: str) -> Path:
    """Return the folder `name` of the cache, made if need be.

    The cache is `BAREBOAT_CACHE_DIR`, else `bareboat` in the user's cache folder (`$XDG_CACHE_HOME` or `~/.cache`,
    `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows). Anything in it may be deleted at any time.

    Raises:
        PackagingError: the folder cannot be made.
    """
    folder = user_folder("cache") / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PackagingError(
            f"the cache folder cannot be made: {error.strerror}",
            expected="a folder that can be written to",
            fix="set BAREBOAT_CACHE_DIR to such a folder",
            where=str(folder),
        ) from error
    return folder


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Yield a new folder inside `beside`, on the same file system, so that a rename out of it is atomic.

    It is locked as long as this process lives, so that `tidy` knows what a dead one left.
    """
    folder, lock = _locked_folder(beside)
    try:
        yield folder
    finally:
        _remove(folder)
        if lock is not None:
            os.close(lock)


def _remove(folder: Path) -> None:
    """Remove a folder, and read-only ones in it."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for parent, _, _ in os.walk(folder):
            with suppress(OSError):
                Path(parent).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _locked_folder(beside: Path) -> tuple[Path, int | None]:
    while True:
        folder = beside / f".tmp-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        lock = _lock(folder)
        if folder.exists():
            return folder, lock
        if lock is not None:  # taken for a dead one's before it was locked
            os.close(lock)


if sys.platform == "win32":

    def _lock(folder: Path, *, wait: bool = True) -> int | None:  # noqa: ARG001
        """Return None: a folder cannot be locked."""
        return None

else:
    import fcntl

    def _lock(folder: Path, *, wait: bool = True) -> int | None:
        """Return a descriptor that holds the lock of a folder, which the system lets go of with its holder."""
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # somebody holds it, or the file system knows no locks
            os.close(handle)
            return None
        return handle


def write_whole(
    path: Path, data: bytes, *, by_way_of: Path | None = None, mode: int = 0o666, replace: bool = True
) -> None:
    """Write a file so that it is either there whole or not at all.

    Args:
        by_way_of: a folder on the same file system for what is half-written, which is tidied; else the file's own.
        mode: its permissions from the first byte on, less the umask.
        replace: whether a file that is there gives way.
    Raises:
        PackagingError: the disk is full or the folder cannot be written to.
    """

    def write(part: Path) -> None:
        part.touch(mode, exist_ok=False)
        part.write_bytes(data)

    _place_whole(path, write, by_way_of or path.parent, replace=replace)


def copy_whole(source: Path, path: Path) -> None:
    """Copy a file so that the copy is either there whole or not at all; raises as `write_whole`."""
    _place_whole(path, lambda part: shutil.copyfile(source, part), path.parent)


def _place_whole(path: Path, write: Callable[[Path], object], folder: Path, *, replace: bool = True) -> None:
    part = folder / f".tmp-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        write(part)
        if replace:
            part.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(part, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:  # an interruption too leaves nothing
        with suppress(OSError):
            part.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> PackagingError:
    """Return what to tell a person when a file could not be written."""
    return PackagingError(
        f"cannot be written: {error.strerror or error}",
        expected="room on the disk and the right to write there",
        where=str(path),
    )


def tidy(folder: Path, *, older_than_s: float = 3600.0) -> None:
    """Remove what interrupted builds left behind in `folder`: at once where locks tell, else what is old."""
    now = time.time()
    for left in folder.glob(".tmp-*"):
        try:
            old = now - left.stat().st_mtime >= older_than_s
        except OSError:
            continue
        lock = _lock(left, wait=False) if left.is_dir() else None
        try:
            if left.is_dir():
                if lock is not None or old:
                    _remove(left)
            elif old:
                left.unlink(missing_ok=True)
        finally:
            if lock is not None:
                os.close(lock)


# kind -> its variable, then where it is: XDG's variable, its place below home without that, macOS's, Windows'
_USERS = {
    "cache": ("BAREBOAT_CACHE_DIR", "XDG_CACHE_HOME", ".cache", "Library/Caches/bareboat", "bareboat/cache"),
    "data": (
        "BAREBOAT_DATA_DIR", "XDG_DATA_HOME", ".local/share", "Library/Application Support/bareboat", "bareboat",
    ),
}  # fmt: skip


def user_folder(kind: Literal["cache", "data"]) -> Path:
    """Return where this user's things of a kind are kept, made or not.

    Raises:
        PackagingError: this user has no home.
    """
    variable, xdg, below_home, macos, windows = _USERS[kind]
    said = os.environ.get(variable)
    if said:
        return Path(said).expanduser().absolute()
    try:
        home = Path.home()
    except RuntimeError as error:
        what = "a cache" if kind == "cache" else "images"
        raise PackagingError(
            f"this user has no home folder to keep {what} in", fix=f"set {variable} to a folder"
        ) from error
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / windows
    if sys.platform == "darwin":
        return home / macos
    return Path(os.environ.get(xdg) or home / below_home) / "bareboat"
