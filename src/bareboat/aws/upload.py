"""Archives -> the deployment bucket: each content once, checked by S3, in parts that an interruption does not lose."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Any

from bareboat.aws.bucket import Bucket
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.parcels import Parcel
from bareboat.errors import ArtifactError

PART_BYTES = 8 * 1024 * 1024  # S3 takes 5 MiB to 5 GiB, and 10,000 parts; larger files get larger parts
PARTS = 10_000
THREADS = 8
STALE = timedelta(days=2)
# Who may not list a bucket is told 403 of what is not there; whether it may be written, the upload itself tells.
_ABSENT = ("404", "NoSuchKey", "NotFound", "403")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is.

    Args:
        sent_bytes: on their way in this run; total_bytes: all that has to go.
        done: archives that are there; total: all archives.
    """

    sent_bytes: int
    total_bytes: int
    done: int
    total: int


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload came to: archives sent and found there already, bytes sent, parts found of an earlier try."""

    sent: tuple[Parcel, ...]
    found: tuple[Parcel, ...]
    sent_bytes: int
    resumed_parts: int = 0


def upload(
    aws: Aws,
    bucket: Bucket,
    parcels: Iterable[Parcel],
    on_progress: OnProgress = lambda _: None,
    *,
    part_bytes: int = PART_BYTES,
) -> Uploaded:
    """Send archives that the bucket does not hold, several at once, large ones in parts.

    An archive is there when its size and the SHA-256 that S3 reckoned itself are right. One that was begun by an
    earlier run goes on where it ended. Uploads that somebody left lying for two days are aborted.

    Raises:
        AwsError: S3 refuses, or the bytes did not arrive as they were sent.
        ArtifactError: an archive was changed on disk since it was built.
    """
    parcels = tuple(parcels)
    if not parcels:
        return Uploaded((), (), 0)
    aws.client("s3")  # made before threads share it
    with ThreadPoolExecutor(THREADS) as pool:
        missing = [
            parcel
            for parcel, there in zip(parcels, pool.map(lambda one: is_stored(aws, bucket, one), parcels), strict=True)
            if not there
        ]
    found = tuple(parcel for parcel in parcels if parcel not in missing)
    if not missing:
        return Uploaded((), found, 0)
    sender = _Sender(aws, bucket, missing, len(parcels), on_progress, part_bytes)
    sender.run()
    sender.abort_stale()
    return Uploaded(tuple(missing), found, sender.sent_bytes, sender.resumed)


def is_stored(aws: Aws, bucket: Bucket, parcel: Parcel) -> bool:
    """Tell whether the bucket holds an archive, by its size and the digest that S3 reckoned.

    Raises:
        AwsError: S3 refuses.
    """
    try:
        said = aws.call("s3", "head_object", **bucket.owned, Key=parcel.key, ChecksumMode="ENABLED")
    except AwsError as error:
        if error.code in _ABSENT:
            return False
        raise
    if said["ContentLength"] != parcel.size_bytes:
        return False
    if said.get("ChecksumSHA256") == parcel.code_sha256:
        return True
    # In parts, S3's digest is one of digests of parts; a copy by another tool may have none. Then it is what the upload
    # wrote beside it, whose every part S3 checked.
    in_parts = "-" in said.get("ETag", "") or "ChecksumSHA256" not in said
    return in_parts and said.get("Metadata", {}).get("sha256") == parcel.sha256


def part_size(size_bytes: int, wanted: int = PART_BYTES) -> int:
    """Return the size of parts: the same for the same archive, so that another run finds them again."""
    return max(wanted, math.ceil(size_bytes / PARTS))


class _Sender:
    """One upload of several archives."""

    def __init__(
        self,
        aws: Aws,
        bucket: Bucket,
        parcels: list[Parcel],
        total: int,
        on_progress: OnProgress,
        part_bytes: int,
    ) -> None:
        self.aws = aws
        self.bucket = bucket
        self.parcels = parcels
        self.part_bytes = part_bytes
        self.sent_bytes = 0
        self.resumed = 0
        self._total = total
        self._total_bytes = sum(parcel.size_bytes for parcel in parcels)
        self._done_bytes = 0
        self._done = total - len(parcels)
        self._on_progress = on_progress
        self._lock = Lock()
        self._stopped = Event()

    def run(self) -> None:
        self._tell()
        with ThreadPoolExecutor(min(4, len(self.parcels))) as archives, ThreadPoolExecutor(THREADS) as parts:
            tasks: list[Future[None]] = [archives.submit(self._send, parcel, parts) for parcel in self.parcels]
            try:
                for task in as_completed(tasks):
                    task.result()
            except BaseException:  # Ctrl-C too: what is under way is left for the next run to go on with
                self._stopped.set()
                archives.shutdown(wait=False, cancel_futures=True)
                parts.shutdown(wait=False, cancel_futures=True)
                raise

    def _send(self, parcel: Parcel, parts: ThreadPoolExecutor) -> None:
        size = part_size(parcel.size_bytes, self.part_bytes)
        if parcel.size_bytes <= 2 * size:
            self._put(parcel)
        else:
            self._put_parts(parcel, size, parts)
        with self._lock:
            self._done += 1
        self._tell()

    def _put(self, parcel: Parcel) -> None:
        data = parcel.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != parcel.sha256:
            raise _changed(parcel)
        self.aws.call(
            "s3",
            "put_object",
            **self.bucket.owned,
            **self.bucket.encryption,
            Key=parcel.key,
            Body=data,
            ContentType="application/zip",
            ChecksumSHA256=parcel.code_sha256,
            Metadata={"sha256": parcel.sha256},
        )
        self._count(len(data))

    def _put_parts(self, parcel: Parcel, size: int, pool: ThreadPoolExecutor) -> None:
        digests = _digests(parcel, size)
        for last_try in (False, True):
            known = self._begun(parcel)
            upload_id = known or self._begin(parcel)
            try:
                self._finish(
                    parcel, upload_id, self._parts(parcel, upload_id, size, digests, pool, resumes=bool(known))
                )
                return
            except AwsError as error:
                # Another run that went on with the same upload has finished it, or aborted it.
                if error.code != "NoSuchUpload" or last_try:
                    raise
                if is_stored(self.aws, self.bucket, parcel):
                    return

    def _parts(
        self,
        parcel: Parcel,
        upload_id: str,
        size: int,
        digests: list[str],
        pool: ThreadPoolExecutor,
        *,
        resumes: bool,
    ) -> list[dict[str, Any]]:
        """Send the parts that are not there, and return all of them as CompleteMultipartUpload wants them."""
        there = self._parts_there(parcel, upload_id) if resumes else {}
        done: dict[int, dict[str, Any]] = {}
        tasks = []
        for number, digest in enumerate(digests, 1):
            length = min(size, parcel.size_bytes - (number - 1) * size)
            known = there.get(number)
            if known is not None and known.get("Size") == length and _is_part(known, parcel, number, size, digest):
                done[number] = {"PartNumber": number, "ETag": known["ETag"], "ChecksumSHA256": digest}
                self._count(length, sent=False)
            else:
                tasks.append(pool.submit(self._part, parcel, upload_id, number, (number - 1) * size, length, digest))
        for task in as_completed(tasks):
            part = task.result()
            done[part["PartNumber"]] = part
        return [done[number] for number in sorted(done)]

    def _part(
        self, parcel: Parcel, upload_id: str, number: int, offset: int, length: int, digest: str
    ) -> dict[str, Any]:
        if self._stopped.is_set():
            raise InterruptedError("the upload was stopped")
        with parcel.path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
        said = self.aws.call(
            "s3",
            "upload_part",
            **self.bucket.owned,
            Key=parcel.key,
            UploadId=upload_id,
            PartNumber=number,
            Body=data,
            ChecksumSHA256=digest,
        )
        self._count(length)
        return {"PartNumber": number, "ETag": said["ETag"], "ChecksumSHA256": digest}

    def _begin(self, parcel: Parcel) -> str:
        said = self.aws.call(
            "s3",
            "create_multipart_upload",
            **self.bucket.owned,
            **self.bucket.encryption,
            Key=parcel.key,
            ContentType="application/zip",
            ChecksumAlgorithm="SHA256",
            Metadata={"sha256": parcel.sha256},
        )
        return str(said["UploadId"])

    def _begun(self, parcel: Parcel) -> str:
        """Return the newest upload of this archive that was begun and not finished; "" for none."""
        uploads = [one for one in self._uploads(parcel.key) if one["Key"] == parcel.key]
        return str(max(uploads, key=lambda one: one["Initiated"])["UploadId"]) if uploads else ""

    def _uploads(self, prefix: str) -> list[Mapping[str, Any]]:
        try:
            pages = self.aws.pages("s3", "list_multipart_uploads", "Uploads", **self.bucket.owned, Prefix=prefix)
            return list(pages)
        except AwsError as error:
            if error.code in ("AccessDenied", "403"):  # going on with an upload is a convenience
                return []
            raise

    def _parts_there(self, parcel: Parcel, upload_id: str) -> dict[int, Mapping[str, Any]]:
        pages = self.aws.pages("s3", "list_parts", "Parts", **self.bucket.owned, Key=parcel.key, UploadId=upload_id)
        return {part["PartNumber"]: part for part in pages}

    def _finish(self, parcel: Parcel, upload_id: str, parts: list[dict[str, Any]]) -> None:
        self.aws.call(
            "s3",
            "complete_multipart_upload",
            **self.bucket.owned,
            Key=parcel.key,
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
        )

    def abort_stale(self) -> None:
        """Abort uploads that nobody has gone on with for two days: their parts are paid for."""
        for one in self._uploads(f"{self.bucket.folder}/code/"):
            if datetime.now(one["Initiated"].tzinfo) - one["Initiated"] > STALE:
                abort(self.aws, self.bucket, one)

    def _count(self, length: int, *, sent: bool = True) -> None:
        with self._lock:
            self._done_bytes += length
            if sent:
                self.sent_bytes += length
            else:
                self.resumed += 1
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            self._on_progress(Progress(self._done_bytes, self._total_bytes, self._done, self._total))


def abort(aws: Aws, bucket: Bucket, begun: Mapping[str, Any]) -> None:
    """Abort an upload that was begun.

    Raises:
        AwsError: S3 refuses.
    """
    try:
        aws.call("s3", "abort_multipart_upload", **bucket.owned, Key=begun["Key"], UploadId=begun["UploadId"])
    except AwsError as error:
        if error.code != "NoSuchUpload":
            raise


def _is_part(known: Mapping[str, Any], parcel: Parcel, number: int, size: int, digest: str) -> bool:
    """Tell whether a part that S3 holds is ours: by its SHA-256, else by its ETag, which is the MD5 without KMS."""
    if "ChecksumSHA256" in known:
        return bool(known["ChecksumSHA256"] == digest)
    with parcel.path.open("rb") as file:
        file.seek((number - 1) * size)
        data = file.read(size)
    return bool(known.get("ETag", "").strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest())


def _digests(parcel: Parcel, size: int) -> list[str]:
    """Return the SHA-256 of each part, in base64, having looked whether the whole is still what was built."""
    whole, digests = hashlib.sha256(), []
    with parcel.path.open("rb") as file:
        while data := file.read(size):
            whole.update(data)
            digests.append(base64.b64encode(hashlib.sha256(data).digest()).decode())
    if whole.hexdigest() != parcel.sha256:
        raise _changed(parcel)
    return digests


def _changed(parcel: Parcel) -> ArtifactError:
    return ArtifactError(
        f"the archive of {', '.join(parcel.names)} has changed since it was built",
        expected=f"the content with the SHA-256 {parcel.sha256[:12]}...",
        fix="bareboat package, then again",
        where=str(parcel.path),
    )
