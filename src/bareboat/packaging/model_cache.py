"""Models of stores, kept by digest: whole and verified, or not there."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

import msgspec

from bareboat.errors import RemoteError
from bareboat.packaging.cache import cache_folder, cannot_write, scratch_folder, tidy, write_whole
from bareboat.runtime.download import Answer, Saved, save

_KEPT_DAYS = 60
_SEEN = ".verified"


class Whole(msgspec.Struct, frozen=True):
    """What a file is, and how it was when its digest was last compared."""

    sha256: str
    size_bytes: int
    mtime_ns: int


def find(digest: str, files: Mapping[str, str]) -> Path | None:
    """Return the folder that holds a model, every file of it as its digest says; None when it is not kept.

    Files whose size and time are those of the last comparison are not read again. A model that is damaged is removed.

    Args:
        digest: of the file, or of the MLflow model's folder.
        files: path in the folder -> sha256.
    """
    folder = cache_folder("models") / digest
    seen = _seen(folder)
    if seen is None:
        return None
    renewed = dict(seen)
    for name, sha256 in files.items():
        known = seen.get(name)
        try:
            stat = (folder / name).stat()
            if known is None or known.sha256 != sha256:
                return None
            if (stat.st_size, stat.st_mtime_ns) == (known.size_bytes, known.mtime_ns):
                continue
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None
        if found != sha256:
            shutil.rmtree(folder, ignore_errors=True)
            return None
        renewed[name] = Whole(sha256, stat.st_size, stat.st_mtime_ns)
    if renewed != seen:
        _write_seen(folder, renewed)
    with suppress(OSError):
        (folder / _SEEN).touch()
    return folder


def keep(
    openers: Mapping[str, Callable[[int], Answer]],
    digests: Mapping[str, str],
    *,
    source: str,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[Path, dict[str, Saved]]:
    """Fetch the files of a model, and keep them when all of them are whole.

    Args:
        openers: path in the folder -> what asks for its bytes.
        digests: the same -> sha256 in hex, where it is known.
        source: for messages.
        on_step: told how far it is.
    Returns:
        The folder, and what was written to each path.
    Raises:
        RemoteError: the store refuses or cannot be reached; `Differs` when a digest is another one.
        PackagingError: the disk is full.
    """
    below = cache_folder("models")
    tidy(below)
    _forget(below)
    saved: dict[str, Saved] = {}
    with scratch_folder(below) as scratch:
        for name, opener in openers.items():
            path = scratch / "files" / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                saved[name] = save(
                    opener,
                    str(path),
                    source=source,
                    digest=digests.get(name, ""),
                    on_retry=on_step,
                    on_bytes=_Steps(f"Fetching {source}", on_step),
                    longest_wait_s=60.0,
                )
            except OSError as error:
                raise cannot_write(path, error) from error
        digest = tree_digest({name: each.digest for name, each in saved.items()})
        return _place(scratch / "files", below / digest, saved), saved


def tree_digest(digests: Mapping[str, str]) -> str:
    """Return what names a model: the digest of its one file, or of a folder that of the sorted lines `sha256  path`."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = sorted(f"{digest}  {name}\n" for name, digest in digests.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def plain_name(key: str) -> str:
    """Return the name that a file of a store has here."""
    name = re.sub(r"[^\w.+-]", "_", PurePosixPath(key).name).lstrip(".")[-100:]
    return name or "model"


def checked_path(name: str, source: str) -> str:
    """Return the path that an object of a folder has here, refused where it leads elsewhere.

    Raises:
        RemoteError: it leads out of the folder, or is none that a file system takes.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or re.search(r"[\0\\:]", name) or parts[0] == _SEEN:
        raise RemoteError(f"the folder has an object {name!r}", expected="paths inside the folder", where=source)
    return name


def _place(files: Path, folder: Path, saved: Mapping[str, Saved]) -> Path:
    """Give what is whole its name; another build may have been quicker, or have the same content by another name."""
    seen = {}
    try:
        for name, each in saved.items():
            stat = (files / name).stat()
            seen[name] = Whole(each.digest, stat.st_size, stat.st_mtime_ns)
        _write_seen(files, seen)
        try:
            files.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            for name in saved:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (files / name).replace(folder / name)
            _write_seen(folder, {**(_seen(folder) or {}), **seen})
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def _seen(folder: Path) -> dict[str, Whole] | None:
    try:
        return msgspec.json.decode((folder / _SEEN).read_bytes(), type=dict[str, Whole])
    except (OSError, msgspec.MsgspecError):
        return None


def _write_seen(folder: Path, seen: Mapping[str, Whole]) -> None:
    write_whole(folder / _SEEN, msgspec.json.encode(dict(sorted(seen.items()))))


def _forget(below: Path) -> None:
    """Remove models that no build has used for a long time."""
    limit = time.time() - _KEPT_DAYS * 86_400
    for folder in below.iterdir():
        with suppress(OSError):
            if not folder.name.startswith(".") and (folder / _SEEN).stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)


class _Steps:
    """Tells of a long download now and then."""

    def __init__(self, title: str, on_step: Callable[[str], None]) -> None:
        self._title = title
        self._on_step = on_step
        self._next = 8_000_000

    def __call__(self, at: int, size: int) -> None:
        if at < self._next:
            return
        self._next = at + max(8_000_000, size // 10)
        of = f" of {size / 1e6:.1f}" if size >= 0 else ""
        self._on_step(f"{self._title}: {at / 1e6:.1f}{of} MB")
