"""Buckets of S3: what versions an object has, new ones written. The only module of the tool that needs boto3."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from bareboat.errors import BareboatError, PackagingError, RemoteError
from bareboat.runtime.download import Address, Answer
from bareboat.runtime.s3 import Object, code_of, new_client, translated

INSTALL = "pip install 'bareboat[aws]'"
_ONE_PIECE = 5 << 30
_MOST_OBJECTS = 10_000


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an object.

    Args:
        source: `s3://bucket/key`.
        version_id: "" in a bucket without versions.
        modified: `2026-11-22T08:15:00Z`.
        sha256: as whoever pushed it, or S3, says; "" when neither does.
        newest: whether it is what those get who ask for no version.
        deleted: whether it is a mark of deletion.
    """

    source: str
    version_id: str
    modified: str
    size_bytes: int
    sha256: str = ""
    message: str = ""
    newest: bool = False
    deleted: bool = False


class Store:
    """S3 as boto3 finds it: credentials, region, profile and endpoint of the usual kinds.

    Args:
        region: when neither the environment nor the profile has one.
    Raises:
        PackagingError: boto3 is not installed.
        RemoteError: the profile that is named does not exist.
    """

    def __init__(self, region: str = "") -> None:
        try:
            from botocore.session import get_session
        except ImportError as error:
            raise PackagingError(
                "models of S3 need boto3, which is not installed", expected="the extra `aws`", fix=INSTALL
            ) from error
        self._session = get_session()
        self._region = region

    @cached_property
    def client(self) -> Any:
        """botocore's client, made when it is first used."""
        return self._client(attempts=3)

    @cached_property
    def _reader(self) -> Any:
        return self._client(attempts=1)

    def _client(self, *, attempts: int) -> Any:
        try:
            region = self._session.get_config_variable("region") or os.environ.get("AWS_REGION")
            return new_client(self._session, region or self._region or "us-east-1", attempts=attempts)
        except Exception as error:
            raise self._refusal(error, "") from error

    def opener(self, source: str, version_id: str = "") -> Object:
        """Return what asks for an object's bytes."""
        return Object(self._reader, source, version_id)

    def is_versioned(self, source: str) -> bool | None:
        """Tell whether the bucket keeps versions; None when one may not know."""
        try:
            return bool(self.client.get_bucket_versioning(Bucket=_bucket(source)).get("Status") == "Enabled")
        except Exception as error:
            if code_of(error) in ("AccessDenied", "403", "NotImplemented", "MethodNotAllowed"):
                return None
            raise self._refusal(error, source) from error

    def has(self, source: str) -> bool:
        """Tell whether there is such an object."""
        try:
            self.client.head_object(Bucket=_bucket(source), Key=_key(source))
        except Exception as error:
            if code_of(error) in ("404", "NoSuchKey", "NotFound", "403", "AccessDenied"):
                return False
            raise self._refusal(error, source) from error
        return True

    def keys(self, source: str) -> tuple[str, ...]:
        """Return the keys below a source that ends with `/`, without the marks of folders.

        Raises:
            RemoteError: S3 refuses, or there are more than 10,000.
        """
        found: list[str] = []
        for page in self._pages("list_objects_v2", source):
            found += [each["Key"] for each in page.get("Contents", ()) if not each["Key"].endswith("/")]
            if len(found) > _MOST_OBJECTS:
                raise RemoteError(
                    f"more than {_MOST_OBJECTS} objects", expected="the folder of one model", where=source
                )
        return tuple(sorted(found))

    def versions(self, source: str, *, limit: int = 100) -> tuple[Version, ...]:
        """Return the versions of an object, or of all objects whose keys begin so, the newest first.

        Args:
            limit: of so many the digest is asked for, a request each; of further ones it is "".
        """
        bucket, key = _bucket(source), _key(source)
        found: list[Version] = []
        for page in self._pages("list_object_versions", source):
            for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                version_id = "" if each["VersionId"] == "null" else each["VersionId"]
                found.append(
                    Version(
                        source=f"s3://{bucket}/{each['Key']}",
                        version_id=version_id,
                        modified=_moment(each["LastModified"]),
                        size_bytes=each.get("Size", 0),
                        newest=each["IsLatest"],
                        deleted="Size" not in each,
                    )
                )
            if len(found) > _MOST_OBJECTS:
                raise RemoteError(f"more than {_MOST_OBJECTS} versions", expected="a longer key", where=source)
        exact = [each for each in found if _key(each.source) == key]
        chosen = sorted(exact or found, key=lambda each: each.modified, reverse=True)
        chosen.sort(key=lambda each: (each.source, not each.newest))  # stable: the newest of each source first
        return tuple(self._described(each) if at < limit else each for at, each in enumerate(chosen))

    def newest(self, source: str) -> Version | None:
        """Return the newest version of an object; None when there is none, or it is deleted."""
        return self._head(source, "")

    def put(self, data: Path | bytes, source: str, sha256: str, metadata: Mapping[str, str]) -> Version:
        """Write a new version; S3 compares the digest with what arrives.

        Args:
            metadata: text by name; kept beside the object, and shown by `versions`.
        Raises:
            RemoteError: S3 refuses.
            PackagingError: it has more than 5 GiB, which S3 does not take in one piece.
        """
        size_bytes = len(data) if isinstance(data, bytes) else data.stat().st_size
        if size_bytes > _ONE_PIECE:
            raise PackagingError(
                f"{size_bytes / 1e9:.1f} GB, which S3 does not take in one piece",
                expected="at most 5 GiB",
                fix=f"aws s3 cp {data if isinstance(data, Path) else 'FILE'} {source}",
            )
        said = {name: quote(text, safe=" !#$&'()*+,-./:;<=>?@[]^_`{|}~") for name, text in metadata.items()}
        arguments = {
            "Bucket": _bucket(source),
            "Key": _key(source),
            "Metadata": {**said, "sha256": sha256},
            "ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode(),
        }
        try:
            if isinstance(data, bytes):
                answer = self.client.put_object(Body=data, **arguments)
            else:
                with data.open("rb") as file:
                    answer = self.client.put_object(Body=file, **arguments)
        except Exception as error:
            raise self._refusal(error, source, "s3:PutObject") from error
        version_id = answer.get("VersionId") or ""
        return Version(source, "" if version_id == "null" else version_id, "", size_bytes, sha256, newest=True)

    def _described(self, version: Version) -> Version:
        """Fill in what only a request for the version itself tells."""
        from dataclasses import replace

        if version.deleted:
            return version
        head = self._head(version.source, version.version_id or "null")
        return version if head is None else replace(version, sha256=head.sha256, message=head.message)

    def _head(self, source: str, version_id: str) -> Version | None:
        more = {"VersionId": version_id} if version_id else {}
        try:
            said = self.client.head_object(Bucket=_bucket(source), Key=_key(source), ChecksumMode="ENABLED", **more)
        except Exception as error:
            if code_of(error) in ("404", "NoSuchKey", "NoSuchVersion", "NotFound"):
                return None
            raise self._refusal(error, source) from error
        metadata = said.get("Metadata", {})
        digest = metadata.get("sha256", "")
        checksum = said.get("ChecksumSHA256", "")
        if checksum and "-" not in checksum:  # of the whole, not of parts
            digest = base64.b64decode(checksum).hex()
        found = said.get("VersionId") or ""
        return Version(
            source=source,
            version_id="" if found == "null" else found,
            modified=_moment(said["LastModified"]),
            size_bytes=said["ContentLength"],
            sha256=digest,
            message=unquote(metadata.get("message", "")),
            newest=not version_id,
        )

    def _pages(self, operation: str, source: str) -> Iterator[Mapping[str, Any]]:
        try:
            pages = self.client.get_paginator(operation).paginate(Bucket=_bucket(source), Prefix=_key(source))
            yield from pages
        except BareboatError:
            raise
        except Exception as error:
            raise self._refusal(error, source, "s3:ListBucket, s3:ListBucketVersions") from error

    @staticmethod
    def _refusal(error: Exception, source: str, action: str = "") -> BareboatError:
        return refusal(error, source, action)


def refusal(error: Exception, source: str, action: str = "") -> BareboatError:
    """Return what to tell a person of an error of botocore.

    Args:
        action: the permission that was needed, of others than reading.
    """
    found = error if isinstance(error, BareboatError) else translated(error, source)
    if not isinstance(found, BareboatError):
        text = " ".join(str(error).split())[:300]
        return RemoteError(
            f"S3 does not answer: {text}",
            expected="an endpoint that can be reached",
            fix="check the network, proxies (HTTPS_PROXY), AWS_REGION and AWS_ENDPOINT_URL_S3",
            where=source,
        )
    if action and code_of(error) in ("AccessDenied", "403"):
        return RemoteError(found.problems[0].found, fix=f"allow {action}", where=source)
    return found


def opener_of(source: str, version_id: str, store: Callable[[], Store]) -> Callable[[int], Answer]:
    """Return what asks for the bytes of a source.

    Args:
        store: makes the store when S3 is asked.
    """
    return store().opener(source, version_id) if source.startswith("s3://") else Address(source)


def turn_on_versioning(source: str) -> str:
    """Return the command that makes a bucket keep versions."""
    bucket = _bucket(source)
    return f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"


def _bucket(source: str) -> str:
    return source[5:].partition("/")[0]


def _key(source: str) -> str:
    return source[5:].partition("/")[2]


def _moment(when: Any) -> str:
    from datetime import UTC

    return str(when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
