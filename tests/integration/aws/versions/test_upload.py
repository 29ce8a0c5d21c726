"""Uploads: each content once, checked, in parts that another run goes on with."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta

import pytest

from bareboat.aws.bucket import Bucket, bucket_notes, make_again, require_bucket
from bareboat.aws.client import AwsError
from bareboat.aws.parcels import Parcel, code_key
from bareboat.aws.upload import is_stored, upload
from bareboat.errors import ArtifactError, RemoteError

PART = 5 * 1024 * 1024  # the least that S3 takes


@pytest.fixture
def bucket(aws, aws_cloud):
    made = Bucket("code", "serverless/demo/dev", owner=aws_cloud.account)
    make_again(aws, made)
    return made


def parcel(bucket, folder, name, size):
    path = folder / name
    path.write_bytes(os.urandom(1024) * (size // 1024) + b"x" * (size % 1024))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Parcel((name,), path, code_key(bucket.folder, digest), digest, size)


def puts(aws_cloud, operation):
    return sum(one.operation == operation for one in aws_cloud.calls)


def test_what_is_there_is_not_sent_again(aws, aws_cloud, bucket, tmp_path):
    parcels = [parcel(bucket, tmp_path, "small", 1000), parcel(bucket, tmp_path, "large", 3 * PART + 7)]
    told = []

    first = upload(aws, bucket, parcels, told.append, part_bytes=PART)
    second = upload(aws, bucket, parcels, part_bytes=PART)

    assert (first.sent_bytes, len(first.sent), len(first.found)) == (3 * PART + 1007, 2, 0)
    assert (second.sent_bytes, len(second.sent), len(second.found)) == (0, 0, 2)
    assert (told[-1].sent_bytes, told[-1].done, told[-1].total) == (3 * PART + 1007, 2, 2)
    for one in parcels:
        assert aws.read("s3", "get_object", "Body", Bucket="code", Key=one.key) == one.path.read_bytes()


def test_an_interrupted_upload_goes_on_where_it_ended(aws, aws_cloud, bucket, tmp_path):
    large = parcel(bucket, tmp_path, "large", 4 * PART + 7)
    aws_cloud.fail("s3:UploadPart", "refuse", nth=3, times=1)
    with pytest.raises(AwsError):
        upload(aws, bucket, [large], part_bytes=PART)
    aws_cloud.heal()

    again = upload(aws, bucket, [large], part_bytes=PART)

    assert again.resumed_parts >= 2
    assert again.sent_bytes <= 3 * PART
    assert is_stored(aws, bucket, large)


def test_an_upload_of_other_content_is_not_gone_on_with(aws, bucket, tmp_path):
    large = parcel(bucket, tmp_path, "large", 3 * PART)
    begun = aws.call("s3", "create_multipart_upload", Bucket="code", Key=large.key)["UploadId"]
    aws.call("s3", "upload_part", Bucket="code", Key=large.key, UploadId=begun, PartNumber=1, Body=b"y" * PART)

    done = upload(aws, bucket, [large], part_bytes=PART)

    assert (done.resumed_parts, done.sent_bytes) == (0, 3 * PART)
    assert aws.read("s3", "get_object", "Body", Bucket="code", Key=large.key) == large.path.read_bytes()


def test_uploads_that_nobody_goes_on_with_are_aborted(aws, bucket, tmp_path, monkeypatch):
    aws.call("s3", "create_multipart_upload", Bucket="code", Key=code_key(bucket.folder, "0" * 64))
    aws.call("s3", "create_multipart_upload", Bucket="code", Key="of/others")
    monkeypatch.setattr("bareboat.aws.upload.STALE", timedelta(days=-1))

    upload(aws, bucket, [parcel(bucket, tmp_path, "small", 10)])

    left = [one["Key"] for one in aws.pages("s3", "list_multipart_uploads", "Uploads", Bucket="code")]
    assert left == ["of/others"]


def test_an_archive_that_changed_on_disk_is_refused(aws, bucket, tmp_path):
    small = parcel(bucket, tmp_path, "small", 1000)
    small.path.write_bytes(b"other")

    with pytest.raises(ArtifactError, match="has changed since it was built"):
        upload(aws, bucket, [small])


def test_another_object_under_the_key_is_replaced(aws, bucket, tmp_path):
    small = parcel(bucket, tmp_path, "small", 1000)
    aws.call("s3", "put_object", Bucket="code", Key=small.key, Body=b"z" * 1000)

    done = upload(aws, bucket, [small])

    assert len(done.sent) == 1
    assert aws.read("s3", "get_object", "Body", Bucket="code", Key=small.key) == small.path.read_bytes()


def test_a_bucket_is_checked(aws, bucket):
    aws.call("s3", "create_bucket", Bucket="plain")

    require_bucket(aws, bucket)
    assert bucket_notes(aws, bucket) == ()
    said = [note.text for note in bucket_notes(aws, Bucket("plain", "x", own=False))]
    assert "keeps no versions" in said[0]
    assert "aws:SecureTransport" in said[1]
    with pytest.raises(RemoteError, match="there is no bucket nowhere"):
        require_bucket(aws, Bucket("nowhere", "x", own=False))
    with pytest.raises(RemoteError, match="the deployment bucket nowhere is gone"):
        require_bucket(aws, Bucket("nowhere", "x"))
