"""A deployment bucket that lost what the stack runs -> one that has it: code, and a record to go back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bareboat.aws.bucket import Bucket
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.commit import Commit
from bareboat.aws.live import Live, look
from bareboat.aws.record import Record, Records
from bareboat.aws.shipment import Shipment
from bareboat.aws.together import Ahead, ready
from bareboat.aws.versions import code_keys
from bareboat.service.model import Service


@dataclass(frozen=True, slots=True)
class Lack:
    """What the bucket lacks of what the stack runs.

    Args:
        code: keys of archives.
        record: whether no record tells of it.
    """

    bucket: Bucket
    code: tuple[str, ...] = ()
    record: bool = False

    @property
    def text(self) -> str:
        """What is missing, for a sentence: "2 archives and the record of what runs"."""
        count = len(self.code)
        archives = f"{count} archive{'' if count == 1 else 's'}" if count else ""
        return " and ".join(one for one in (archives, "the record of what runs" if self.record else "") if one)


def look_ahead(
    aws: Aws, service: Service, functions: Sequence[str], *, keys: bool = True
) -> tuple[Live, Ahead[frozenset[str] | None]]:
    """Ask AWS what there is, and begin to ask what the bucket holds: the client for that is made while AWS answers.

    Args:
        functions: as `look` has them.
        keys: whether the bucket is asked.
    Raises:
        AwsError: AWS refuses; what S3 refuses is raised where the keys are taken.
    """
    if not keys:
        return look(aws, service, functions), Ahead(lambda: None)
    live = look(aws, service, functions, meanwhile=lambda: ready(aws, ("s3",)))
    return live, Ahead(lambda: keys_there(aws, live.bucket))


def keys_there(aws: Aws, bucket: Bucket | None) -> frozenset[str] | None:
    """Return the keys that a bucket holds of a service and stage; None where there is none, or that may not be asked.

    Raises:
        AwsError: S3 does not answer.
    """
    if bucket is None:
        return None
    asked = {**bucket.owned, "Prefix": f"{bucket.folder}/"}
    try:
        return frozenset(one["Key"] for one in aws.pages("s3", "list_objects_v2", "Contents", **asked))
    except AwsError as error:
        if error.status in (400, 403):
            return None
        if error.code not in ("NoSuchBucket", "404"):
            raise
        return frozenset()


def find_lack(bucket: Bucket | None, there: frozenset[str] | None, template: Mapping[str, Any]) -> Lack | None:
    """Return what a bucket lacks of a live template; None for nothing, or where that is not known.

    Such as after a removal that was interrupted, or a bucket that somebody emptied.

    Args:
        there: of `keys_there`.
    """
    if bucket is None or there is None:
        return None
    folder = f"{bucket.folder}/"
    wanted = {key for key in code_keys(template) if key.startswith(f"{folder}code/")}
    has_records = any(key.startswith(f"{folder}deployments/") for key in there)
    lack = Lack(bucket, tuple(sorted(wanted - there)), bool(wanted) and not has_records)
    return lack if lack.code or lack.record else None


def refill(
    aws: Aws,
    service: Service,
    lack: Lack,
    template: Mapping[str, Any],
    shipment: Shipment,
    *,
    send: Callable[[Bucket | None], Any],
    commit: Commit = Commit(),  # noqa: B008 - it is a tuple
) -> Record | None:
    """Put back what is missing; the stack itself is as it should be.

    Returns:
        the new record; None where only code was missing.
    Raises:
        RemoteError: the bucket is not ours.
        AwsError: S3 refuses.
    """
    send(lack.bucket)
    if not lack.record:
        return None
    records = Records(aws, lack.bucket)
    return records.finish(
        records.begin(template, service, shipment, commit=commit.id, dirty=commit.dirty, live=template)
    )
