"""A stack that gets its code from another bucket: what becomes of its own one, and how versions are numbered then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bareboat.aws.bucket import OWN_BUCKET, Bucket, bucket_name_of, own_bucket
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.record import Records
from bareboat.aws.stack import Stack
from bareboat.aws.template.naming import BUCKET_OUTPUT
from bareboat.errors import RemoteError
from bareboat.service.model import Service


@dataclass(frozen=True, slots=True)
class LeftBucket:
    """The stack's own bucket, once `provider.deploymentBucket` names another.

    Args:
        name: "" where the stack does not tell it.
        last: the number of the last version whose record lies there; 0 for none.
    """

    name: str
    last: int = 0

    @property
    def text(self) -> str:
        """What becomes of it, for a person."""
        bucket = f"the bucket {self.name}" if self.name else f"the bucket {OWN_BUCKET}"
        said = (
            f"{bucket} leaves the stack and stays with what it holds, which costs money: CloudFormation deletes only "
            "empty buckets (DELETE_FAILED says so); the S3 console empties and deletes it"
        )
        if not self.last:
            return said
        versions = "version 1 stays" if self.last == 1 else f"versions 1 to {self.last} stay"
        return (
            f"{said}. Records and code of {versions} there, where rollback does not look; the next is {self.last + 1}"
        )


def left_bucket(aws: Aws, service: Service, stack: Stack, before: Mapping[str, Any]) -> LeftBucket | None:
    """Return the bucket that a stack is about to leave; None where it keeps the one that it has.

    Rollback cannot follow: the older templates name the stack's own bucket, which would be made anew, and be empty.

    Args:
        before: the stack's own template.
    Raises:
        AwsError: S3 does not answer. Where the records may not be read, none are counted.
    """
    if not bucket_name_of(service) or OWN_BUCKET not in (before.get("Resources") or {}):
        return None
    name = stack.outputs.get(BUCKET_OUTPUT, "")
    if not name:
        return LeftBucket("")
    try:
        return LeftBucket(name, Records(aws, own_bucket(service, name, stack.account)).last)
    except AwsError as error:
        if error.status in (400, 403):
            return LeftBucket(name)
        raise


def refuse_new_bucket(before: Mapping[str, Any], after: Mapping[str, Any], bucket: Bucket | None) -> None:
    """Refuse a template whose code is to lie in a bucket that the same change set would make: it would be empty.

    Args:
        before: the stack's own template; after: the new one.
        bucket: where code lies until now.
    Raises:
        RemoteError: with the bucket that the stack has.
    """
    if OWN_BUCKET not in (after.get("Resources") or {}) or OWN_BUCKET in (before.get("Resources") or {}):
        return
    name = bucket.name if bucket is not None else ""
    raise RemoteError(
        f"the stack has no bucket of its own{f': its code lies in {name}' if name else ''}",
        expected="the bucket that it was deployed with: one that is made now would still be empty",
        fix=f"provider: {{deploymentBucket: {name or 'NAME'}}}; for a bucket of its own: bareboat remove, then "
        "bareboat deploy",
    )
