"""Where things that can be made again are kept between builds."""

from __future__ import annotations

import os
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bareboat.errors import PackagingError


def cache_folder(name: str) -> Path:
    """Return the folder `name` of the cache, made if need be.

    The cache is `BAREBOAT_CACHE_DIR`, else `bareboat` in the user's cache folder (`$XDG_CACHE_HOME` or `~/.cache`,
    `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows). Anything in it may be deleted at any time.

    Raises:
        PackagingError: the folder cannot be made.
    """
    folder = _root() / name
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
    """Yield a new folder inside `beside`, on the same file system, so that a rename out of it is atomic."""
    folder = beside / f".tmp-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is either there whole or not at all.

    Raises:
        PackagingError: the disk is full or the folder cannot be written to.
    """
    part = path.with_name(f".tmp-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> PackagingError:
    """Return what to tell a person when a file could not be written."""
    return PackagingError(
        f"cannot be written: {error.strerror or error}",
        expected="room on the disk and the right to write there",
        where=str(path),
    )


def tidy(folder: Path, *, older_than_s: float = 3600.0) -> None:
    """Remove what interrupted builds left behind in `folder`."""
    now = time.time()
    for left in folder.glob(".tmp-*"):
        try:
            if now - left.stat().st_mtime < older_than_s:
                continue
        except OSError:
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _root() -> Path:
    said = os.environ.get("BAREBOAT_CACHE_DIR")
    if said:
        return Path(said).expanduser().absolute()
    try:
        home = Path.home()
    except RuntimeError as error:
        raise PackagingError(
            "this user has no home folder to keep a cache in", fix="set BAREBOAT_CACHE_DIR to a folder"
        ) from error
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "bareboat" / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "bareboat"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "bareboat"
