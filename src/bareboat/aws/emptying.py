"""A bucket, or a folder of one -> nothing: every version, every delete marker, every upload that was begun."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bareboat.aws.client import Aws, AwsError
from bareboat.errors import RemoteError

_BATCH = 1_000  # DeleteObjects takes as many
_GONE = ("NoSuchBucket", "404")
_ROUNDS = 5


def empty(
    aws: Aws,
    bucket: str,
    prefix: str = "",
    *,
    owner: str = "",
    on_count: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Delete everything below a prefix, and return how many versions and markers that was; a bucket that is gone is 0.

    Raises:
        RemoteError: something cannot be deleted, such as an object under a lock.
        AwsError: S3 refuses.
    """
    place = {"Bucket": bucket, **({"ExpectedBucketOwner": owner} if owner else {})}
    count, failures = 0, 0
    try:
        abort_uploads(aws, place, prefix)
        while batch := next(_batches(aws, place, prefix), None):
            kept = _delete(aws, place, batch)
            count += len(batch) - len(kept)
            on_count(count)
            if not kept:
                failures = 0
                continue
            failures += 1
            if failures == _ROUNDS:
                raise _refused(bucket, kept[0])
            sleep(0.2 * 2**failures)
    except AwsError as error:
        if error.code not in _GONE:
            raise
    return count


def measure(aws: Aws, bucket: str, prefix: str = "", *, owner: str = "", most: int = 20_000) -> tuple[int, int]:
    """Return how many versions and markers lie below a prefix, and their bytes; of the first `most` only.

    Raises:
        AwsError: S3 refuses. A bucket that is gone has none.
    """
    place = {"Bucket": bucket, **({"ExpectedBucketOwner": owner} if owner else {})}
    count = size = 0
    try:
        for batch in _batches(aws, place, prefix):
            count += len(batch)
            size += sum(one.get("Size", 0) for one in batch)
            if count >= most:
                break
    except AwsError as error:
        if error.code not in _GONE:
            raise
    return count, size


def abort_uploads(aws: Aws, place: Mapping[str, Any], prefix: str = "") -> None:
    """Abort every upload that was begun below a prefix.

    Raises:
        AwsError: S3 refuses.
    """
    for one in list(aws.pages("s3", "list_multipart_uploads", "Uploads", **place, Prefix=prefix)):
        try:
            aws.call("s3", "abort_multipart_upload", **place, Key=one["Key"], UploadId=one["UploadId"])
        except AwsError as error:
            if error.code != "NoSuchUpload":
                raise


def delete_keys(aws: Aws, place: Mapping[str, Any], keys: Iterator[str] | list[str]) -> int:
    """Delete all versions and markers of some keys, and return how many those were.

    Raises:
        RemoteError: one cannot be deleted.
        AwsError: S3 refuses.
    """
    count = 0
    for key in keys:
        for batch in list(_batches(aws, place, key)):
            own = [one for one in batch if one["Key"] == key]
            kept = _delete(aws, place, own) if own else []
            if kept:
                raise _refused(str(place["Bucket"]), kept[0])
            count += len(own)
    return count


def _batches(aws: Aws, place: Mapping[str, Any], prefix: str) -> Iterator[list[Mapping[str, Any]]]:
    marks: dict[str, str] = {}
    while True:
        said = aws.call("s3", "list_object_versions", **place, Prefix=prefix, MaxKeys=_BATCH, **marks)
        batch = [*(said.get("Versions") or ()), *(said.get("DeleteMarkers") or ())]
        if batch:
            yield batch
        if not said.get("IsTruncated"):
            return
        marks = {"KeyMarker": said["NextKeyMarker"]}
        if said.get("NextVersionIdMarker"):
            marks["VersionIdMarker"] = said["NextVersionIdMarker"]


def _delete(aws: Aws, place: Mapping[str, Any], batch: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Delete versions and markers, and return what S3 says of those that it kept."""
    objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in batch]
    said = aws.call("s3", "delete_objects", **place, Delete={"Objects": objects, "Quiet": True})
    errors = [one for one in said.get("Errors") or () if one.get("Code") not in ("NoSuchKey", "NoSuchVersion")]
    return list(errors)


def _refused(bucket: str, error: Mapping[str, Any]) -> RemoteError:
    return RemoteError(
        f"s3://{bucket}/{error.get('Key')} cannot be deleted: {error.get('Message') or error.get('Code')}",
        expected="s3:DeleteObjectVersion, and no lock or policy against it",
        fix="allow it, or lift the lock (aws s3api put-object-legal-hold), then the same command again",
    )
