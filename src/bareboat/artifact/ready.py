"""`package.artifact`: a zip that somebody else made -> Artifact, opened and checked."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from bareboat.artifact.handlers import check_handlers
from bareboat.artifact.model import MODEL_HANDLER, Artifact
from bareboat.artifact.plan import Plan, handler_strings
from bareboat.artifact.reader import read_manifest
from bareboat.artifact.unpack import check_name
from bareboat.errors import ArtifactError, PackagingError
from bareboat.packaging.sizes import UNZIPPED_BYTES


def ready_artifact(plan: Plan, path: Path) -> Artifact:
    """Take a zip as it is.

    Raises:
        ArtifactError: it is not there, no zip, damaged, or has names that lead out of it.
        ConfigurationError: a handler's file is not in it.
        PackagingError: it is over Lambda's limit.
    """
    where = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            for info in infos:
                check_name(info.filename, where)
            broken = archive.testzip()
            if broken is not None:
                raise ArtifactError(f"is damaged at {broken}", expected="a whole zip", where=where)
            manifest = read_manifest(archive, where) or {}
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, 2)
    except zipfile.BadZipFile as error:
        raise ArtifactError(f"is no zip, or is cut off: {error}", expected="a zip", where=where) from error
    except OSError as error:
        raise ArtifactError(f"cannot be read: {error.strerror or error}", where=where) from error
    unzipped = sum(info.file_size for info in infos)
    if unzipped > UNZIPPED_BYTES:
        raise PackagingError(
            f"unzipped the archive has {unzipped:,} bytes",
            expected=f"at most {UNZIPPED_BYTES:,}, Lambda's limit",
            where=where,
        )
    check_handlers(plan.functions, {info.filename for info in infos}, path.parent)
    return Artifact(
        path=path,
        digest=digest,
        functions=tuple(one.name for one in plan.functions),
        target=plan.target,
        handlers=handler_strings(plan.functions, MODEL_HANDLER),
        size_bytes=size,
        unzipped_bytes=unzipped,
        manifest=manifest,
    )
