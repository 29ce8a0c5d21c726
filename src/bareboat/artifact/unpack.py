"""Artifact -> a folder with its files, as Lambda unpacks them to /var/task."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import threading
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from bareboat.artifact.former import DATE_S, as_unpacked, link_unchanged, newest_folders
from bareboat.artifact.held import hold, release, remove_unheld
from bareboat.artifact.model import MANIFEST, Artifact, LayerArtifact
from bareboat.errors import ArtifactError
from bareboat.packaging.cache import cache_folder, cannot_write, scratch_folder, tidy
from bareboat.packaging.known import is_known, know, stamp

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

_KEPT = 5
_SHARES = 64  # of an archive's files, each a thread's work at a time

_HARMLESS = re.compile(r"[\w./+ -]+")  # what nearly all names consist of


def unpack(artifact: Artifact) -> Path:
    """Unpack an artifact, once for each digest, and return the folder.

    Every file is compared with the manifest on the way; a folder that is there already is compared by names, sizes and
    dates, and loses what a function wrote into it, since nothing can be written there on Lambda. It is held
    (`held.hold`), so that no process removes it, until it is released or this process ends.

    Raises:
        ArtifactError: the archive is not the one that the artifact speaks of, is damaged, or has names that lead out.
        PackagingError: the disk is full.
    """
    return unpacked([artifact], artifact.digest[:32])


def unpacked(archives: Sequence[Artifact | LayerArtifact], name: str) -> Path:
    """Unpack archives over each other into one folder called `name`, unless it is there; as `unpack` does."""
    folder = unpacked_folder(archives[0], name)
    below = folder.parent
    files = {path: said for archive in archives for path, said in archive.manifest.get("files", {}).items()}
    if hold(folder):
        if _is_whole(folder, files):
            _remove_strays(folder, files)
            os.utime(folder)
            return folder
        release(folder)
        shutil.rmtree(folder, ignore_errors=True)
    for archive in archives:
        _check_digest(archive)
    below.mkdir(parents=True, exist_ok=True)
    tidy(below)
    with scratch_folder(below) as scratch:
        task = scratch / "task"
        task.mkdir()
        there = link_unchanged(archives[0].manifest, task, below) if len(archives) == 1 else frozenset[str]()
        for archive in archives:
            _extract(archive, task, there)
        try:
            task.replace(folder)
        except OSError as error:
            if not folder.is_dir():  # another process was first: its folder is as good
                raise cannot_write(folder, error) from error
    hold(folder)
    threading.Thread(target=forget_folders, args=(below,), name="bareboat-forget").start()  # nobody waits for it
    return folder


def unpacked_folder(archive: Artifact | LayerArtifact, name: str) -> Path:
    """Return where `unpacked` puts the folder `name`, there or not."""
    home = archive.path.parent
    return (home / "unpacked" if home.name == ".bareboat" else cache_folder("unpacked")) / name


def forget_folders(below: Path) -> None:
    """Remove all but the newest few unpacked folders and those that are held."""
    with suppress(OSError):  # the project itself may go meanwhile
        for entry in newest_folders(below)[_KEPT:]:
            remove_unheld(entry)
        for note in below.glob("*.boto3"):  # what `mentions_boto3` remembers of them
            if not note.with_suffix("").exists():
                note.unlink(missing_ok=True)


def check_name(name: str, where: str) -> None:
    """Refuse a member's name that leads out of the folder it is unpacked to.

    Raises:
        ArtifactError: it is absolute, has `..`, a drive or a backslash.
    """
    if name and name[0] != "/" and _HARMLESS.fullmatch(name) and ".." not in name:
        return
    parts = PurePosixPath(name).parts
    if not name or name.startswith("/") or ".." in parts or "\\" in name or "\0" in name or ":" in (parts or ("",))[0]:
        raise ArtifactError(
            f"the archive has a member {name!r}, which leads out of it", expected="relative names", where=where
        )


def _check_digest(artifact: Artifact | LayerArtifact) -> None:
    if is_known(artifact.path, artifact.digest):
        return
    at = stamp(artifact.path)
    try:
        with artifact.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(
            f"cannot be read: {error.strerror}", fix="bareboat package", where=str(artifact.path)
        ) from error
    if digest != artifact.digest:
        raise ArtifactError(
            "the archive has changed since it was built",
            expected=f"sha256 {artifact.digest}, found {digest}",
            fix="bareboat package",
            where=str(artifact.path),
        )
    know(artifact.path, digest, at)


def _extract(artifact: Artifact | LayerArtifact, folder: Path, there: frozenset[str]) -> None:
    """Write what is not there yet."""
    import zipfile
    from concurrent.futures import ThreadPoolExecutor

    where = str(artifact.path)
    files: Mapping[str, Any] = artifact.manifest.get("files", {})
    try:
        with zipfile.ZipFile(artifact.path) as archive, ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as threads:
            infos = [info for info in _checked(archive.infolist(), files, where) if info.filename not in there]
            for parent in sorted({info.filename.rpartition("/")[0] for info in infos}):
                os.makedirs(f"{folder}/{parent}", exist_ok=True)  # noqa: PTH103 - thousands of files

            def extract(some: list[ZipInfo]) -> None:
                for info in some:
                    _extract_one(archive, info, folder, files, where)

            list(threads.map(extract, (infos[start::_SHARES] for start in range(min(_SHARES, len(infos))))))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _damaged(str(error), where) from error
    except OSError as error:
        raise cannot_write(folder, error) from error
    absent = next((path for path in files if path not in there and not (folder / path).is_file()), None)
    if absent is not None:
        raise _damaged(f"{absent} is missing", where)


def _checked(infos: list[ZipInfo], files: Mapping[str, Any], where: str) -> list[ZipInfo]:
    """Return the members that are files, every name checked before the first is written."""
    for info in infos:
        check_name(info.filename, where)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ArtifactError(f"the archive has a link, {info.filename}", expected="files", where=where)
        if files and info.filename not in files and info.filename != MANIFEST and not info.is_dir():
            raise _damaged(f"{info.filename} is not in the manifest", where)
    return [info for info in infos if not info.is_dir()]


def _extract_one(archive: ZipFile, info: ZipInfo, folder: Path, files: Mapping[str, Any], where: str) -> None:
    """Write one file. Threads share the archive; inflating and hashing run beside each other."""
    data = archive.read(info)
    said = files.get(info.filename)
    if said is not None and hashlib.sha256(data).hexdigest() != said["sha256"]:
        raise _damaged(f"{info.filename} is not what the manifest says", where)
    target = folder / info.filename
    target.write_bytes(data)
    target.chmod(0o755 if (info.external_attr >> 16) & 0o111 else 0o644)
    os.utime(target, (DATE_S, DATE_S))


def _damaged(found: str, where: str) -> ArtifactError:
    return ArtifactError(f"the archive is damaged: {found}", fix="bareboat package", where=where)


def _is_whole(folder: Path, files: Mapping[str, Any]) -> bool:
    return all(as_unpacked(f"{folder}/{path}", said["size"]) for path, said in files.items())


def _remove_strays(folder: Path, files: Mapping[str, Any]) -> None:
    """Remove the files that the manifest does not name; an archive without one keeps all."""
    if not files:
        return
    start = len(str(folder)) + 1
    found = (os.path.join(below, name)[start:] for below, _, names in os.walk(folder) for name in names)  # noqa: PTH118
    strays = [path for name in found if (path := name.replace(os.sep, "/")) not in files and path != MANIFEST]
    if not strays:
        return
    from unicodedata import normalize

    known = {normalize("NFC", path) for path in files}  # some file systems of macOS change the form of names
    for path in strays:
        if normalize("NFC", path) not in known:
            with suppress(OSError):
                (folder / path).unlink()
