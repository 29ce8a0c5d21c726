"""A zip on disk -> Artifact, checked."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from bareboat.artifact.model import MANIFEST, Artifact
from bareboat.artifact.unpack import check_name
from bareboat.errors import ArtifactError
from bareboat.packaging.target import Target
from bareboat.service.model import Architecture

if TYPE_CHECKING:
    import zipfile

FORMAT = 1


def open_artifact(path: Path) -> Artifact:
    """Open an archive that bareboat built and check every file of it against the manifest.

    Raises:
        ArtifactError: it is not there, no zip, no artifact, of a later format, or damaged.
    """
    import zipfile

    path = path.absolute()
    where = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = read_manifest(archive, where)
            if manifest is None:
                raise ArtifactError(
                    f"is a zip without {MANIFEST}",
                    expected="an artifact",
                    fix="bareboat package builds one",
                    where=where,
                )
            unzipped = _verify(archive, manifest, where)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise ArtifactError(
            f"is no zip, or is cut off: {error}", expected="an artifact", fix="bareboat package", where=where
        ) from error
    except OSError as error:
        raise ArtifactError(f"cannot be read: {error.strerror or error}", where=where) from error
    handlers = {name: str(said["handler"]) for name, said in manifest["functions"].items()}
    return Artifact(
        path=path,
        digest=digest,
        functions=tuple(handlers),
        target=Target(**manifest["target"]),
        handlers=handlers,
        size_bytes=path.stat().st_size,
        unzipped_bytes=unzipped,
        manifest=manifest,
    )


def read_manifest(archive: zipfile.ZipFile, where: str) -> dict[str, Any] | None:
    """Return an archive's manifest, its shape checked; None when it has none.

    Raises:
        ArtifactError: it is damaged, or of a later format.
    """
    try:
        data = archive.read(MANIFEST)
    except KeyError:
        return None
    try:
        manifest = msgspec.json.decode(data)
    except msgspec.MsgspecError as error:
        raise ArtifactError(f"{MANIFEST} is no JSON: {error}", fix="bareboat package", where=where) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise ArtifactError(
            f"{MANIFEST} has format {found!r}",
            expected=f"format {FORMAT}",
            fix="open it with the bareboat that built it, or build it again",
            where=where,
        )
    if not _is_well_formed(manifest):
        raise ArtifactError(f"{MANIFEST} lacks what a manifest has", fix="bareboat package", where=where)
    return manifest  # type: ignore[no-any-return]


def _is_well_formed(manifest: dict[str, Any]) -> bool:
    target, functions, files = (manifest.get(key) for key in ("target", "functions", "files"))
    return (
        isinstance(target, dict)
        and set(target) == {"python", "architecture", "system", "image"}
        and isinstance(target["python"], str)
        and isinstance(target["image"], str)
        and target["architecture"] in get_args(Architecture)
        and target["system"] in {"linux", "macos", "windows"}
        and isinstance(functions, dict)
        and all(isinstance(said, dict) and "handler" in said for said in functions.values())
        and isinstance(files, dict)
        and all(isinstance(said, dict) and {"sha256", "size"} <= set(said) for said in files.values())
    )


def _verify(archive: zipfile.ZipFile, manifest: dict[str, Any], where: str) -> int:
    """Compare every member with the manifest; return their size."""
    files = manifest["files"]
    total = 0
    seen = set()
    for info in archive.infolist():
        check_name(info.filename, where)
        if info.is_dir():
            continue
        total += info.file_size
        seen.add(info.filename)
        if info.filename == MANIFEST:
            continue
        said = files.get(info.filename)
        if said is None:
            raise ArtifactError(f"has a file that its manifest does not name: {info.filename}", where=where)
        if info.file_size != said["size"] or hashlib.sha256(archive.read(info)).hexdigest() != said["sha256"]:
            raise ArtifactError(
                f"{info.filename} is not what the manifest says",
                expected=f"sha256 {said['sha256']}",
                fix="bareboat package",
                where=where,
            )
    absent = sorted(set(files) - seen)
    if absent:
        raise ArtifactError(f"lacks {absent[0]}, which its manifest names", fix="bareboat package", where=where)
    return total
