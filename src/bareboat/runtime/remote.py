"""`load: cold-start`: a model in a store -> a file in /tmp, whole and verified, before it is opened.

Ships only with models that are fetched so, and is imported when the first of them is loaded.
"""

from __future__ import annotations

import os
import sys
import time
from json import dumps

from bareboat.errors import ArtifactError, RemoteError
from bareboat.runtime.download import CHUNK, Address, Differs, Refused, part_of, save

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bareboat.runtime.download import Answer


def fetched(said: Mapping[str, Any], name: str) -> str:
    """Return the path of a model's file in /tmp, fetched if it is not there as it should be.

    Args:
        said: `fetch` of a model document: source, version_id, sha256, size_bytes.
        name: of the file, whose suffix an engine may look at.
    Raises:
        RemoteError: the store refuses or cannot be reached, or has something else.
        ArtifactError: /tmp has no room for it, or is not this function's own.
    """
    folder = _folder()
    path = os.path.join(folder, f"{said['sha256']}{os.path.splitext(name)[1]}")
    if _is_whole(path, said):
        return path
    started = time.perf_counter()
    _sweep(folder)
    _check_room(folder, said)
    part = part_of(path)
    try:
        _save(said, part)
        os.replace(part, path)
    except Differs as error:
        raise RemoteError(
            f"the model in the store is not the one that was packaged: {error.problems[0].found}",
            expected=error.problems[0].expected,
            fix="bareboat model pin, then package again",
            where=_shown(said),
        ) from None
    except OSError as error:
        raise ArtifactError(
            f"the model of {said['size_bytes'] / 1e6:.1f} MB cannot be written: {error.strerror or error}",
            expected="room in /tmp",
            fix="a larger ephemeralStorageSize",
            where=path,
        ) from error
    finally:
        try:
            os.unlink(part)
        except OSError:
            pass  # it has its name, or was never made
    _log("INFO", "model fetched", said, started)
    return path


def _folder() -> str:
    """Return the folder that only this user can write to; /tmp of a machine of one's own is everybody's."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = os.path.join(os.environ.get("TMPDIR") or os.environ.get("TEMP") or "/tmp", f"bareboat-models-{user}")  # noqa: S108
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise ArtifactError(f"no folder for models can be made: {error.strerror}", where=folder) from error
    about = os.lstat(folder)
    if hasattr(os, "getuid") and (about.st_uid != user or about.st_mode & 0o170022 != 0o040000):
        raise ArtifactError("the folder for models is somebody else's, or open to others", where=folder)
    return folder


def _sweep(folder: str) -> None:
    """Remove what starts that were killed left half-written: Lambda ends an init after ten seconds, and keeps /tmp."""
    for name in os.listdir(folder):
        if not name.endswith(".part"):
            continue
        pid = name.split(".")[-2].partition("-")[0]
        if pid == str(os.getpid()) or (os.path.isdir("/proc/self") and not os.path.exists(f"/proc/{pid}")):
            try:
                os.unlink(os.path.join(folder, name))
            except OSError:
                pass  # another process was quicker


def _is_whole(path: str, said: Mapping[str, Any]) -> bool:
    """Tell whether an earlier start of this environment left the very file; one that is damaged is taken away."""
    from hashlib import sha256

    try:
        if os.stat(path).st_size == said["size_bytes"]:
            digest = sha256()
            with open(path, "rb") as file:
                while True:
                    data = file.read(CHUNK)
                    if not data:
                        break
                    digest.update(data)
            if digest.hexdigest() == said["sha256"]:
                return True
        os.unlink(path)
    except OSError:
        pass  # it is not there
    return False


def _check_room(folder: str, said: Mapping[str, Any]) -> None:
    if not hasattr(os, "statvfs"):
        return
    about = os.statvfs(folder)
    free = about.f_bavail * about.f_frsize
    if free < said["size_bytes"]:
        raise ArtifactError(
            f"the model has {said['size_bytes'] / 1e6:.1f} MB, and {free / 1e6:.1f} MB of /tmp are free",
            expected="room for the model",
            fix="a larger ephemeralStorageSize",
            where=_shown(said),
        )


def _save(said: Mapping[str, Any], part: str) -> None:
    source, version_id = said["source"], said["version_id"]
    opener: Callable[[int], Answer] | None = Address(source)
    if source.startswith("s3://"):
        from bareboat.runtime.signed import signed_address

        opener = signed_address(source, version_id)
    if opener is not None:
        try:
            save(opener, part, source=_shown(said), digest=said["sha256"], on_retry=_tell)
            return
        except Refused:
            if not source.startswith("s3://"):
                raise  # else boto3 knows regions, and can say what is wrong
    save(_with_boto3(source, version_id), part, source=_shown(said), digest=said["sha256"], on_retry=_tell)


def _with_boto3(source: str, version_id: str) -> Callable[[int], Answer]:
    try:
        from botocore.session import get_session
    except ImportError as error:
        raise ArtifactError(
            f"a model of S3 needs boto3, and it cannot be imported: {error}",
            expected="that of Lambda's image",
            fix="name boto3 in requirements.txt",
            where=source,
        ) from error
    from bareboat.runtime.s3 import Object, new_client

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return Object(new_client(get_session(), region), source, version_id)


def _shown(said: Mapping[str, Any]) -> str:
    version: str = said["version_id"]
    return f"{said['source']}?versionId={version}" if version else str(said["source"])


def _tell(why: str) -> None:
    sys.stdout.write(dumps({"level": "WARNING", "message": f"fetching the model again: {why}"}) + "\n")


def _log(level: str, message: str, said: Mapping[str, Any], started: float) -> None:
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    line = {"level": level, "message": message, "source": _shown(said), "sizeBytes": said["size_bytes"]}
    sys.stdout.write(dumps({**line, "durationMs": took_ms}) + "\n")
