"""The versions of a stage that one can go back to: bareboat's records, and the folders that Serverless left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from bareboat.aws.bucket import Bucket
from bareboat.aws.client import Aws, AwsError
from bareboat.aws.record import Json, Record, Records, digest
from bareboat.errors import RemoteError

# live: what the stack runs; kept: whole, so that it can be gone back to; pruned: its code or template is gone.
State = Literal["live", "kept", "pruned", "failed", "pending"]
_MILLISECONDS = 10**10  # since 1970: a name from here on is that of Serverless's folder, and not a record's number
SERVERLESS_TEMPLATE = "compiled-cloudformation-template.json"
_SERVERLESS = re.compile(r"((\d+)-(\d{4}-\d\d-\d\dT[\d:.]+Z))/(.+)\Z")  # {ms}-{ISO}/file, as Serverless names them


@dataclass(frozen=True, slots=True)
class Version:
    """One version.

    Args:
        name: what `--to` takes: the number of a record, or the milliseconds of Serverless's folder.
        at: when it was deployed, UTC.
        record: None for one that Serverless deployed.
        template_key: where its template lies.
        keys: the archives that it needs.
        template_sha256: of the canonical template; "" where it could not be read.
        missing: those of `keys`, or the template, that are not there.
    """

    name: str
    state: State
    at: str
    template_key: str
    record: Record | None = None
    keys: frozenset[str] = frozenset()
    template_sha256: str = ""
    missing: tuple[str, ...] = ()

    @property
    def by(self) -> str:
        """The caller's name, the last part of the ARN; "" where nobody wrote it down."""
        return self.record.by.rpartition("/")[2] if self.record is not None else ""

    @property
    def is_trial(self) -> bool:
        """Whether it only tried new functions with a share of the calls (`--canary`)."""
        return self.record is not None and self.record.action == "canary"

    @property
    def is_serverless(self) -> bool:
        """Whether Serverless deployed it."""
        return self.record is None


@dataclass(frozen=True, slots=True)
class Versions:
    """All versions of a stage, the oldest first.

    Args:
        objects: every key in the folder -> when it was written.
    """

    bucket: Bucket
    all: tuple[Version, ...]
    objects: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def live(self) -> Version | None:
        """The one that the stack runs, if there is a record of it."""
        return next((one for one in reversed(self.all) if one.state == "live"), None)

    def named(self, name: str) -> Version:
        """Return a version by its name.

        Raises:
            RemoteError: there is none.
        """
        for one in self.all:
            if one.name == name.removeprefix("v"):
                return one
        kept = ", ".join(one.name for one in self.all if one.state in ("kept", "live"))
        raise RemoteError(f"there is no version {name}", expected=f"one of {kept}" if kept else "one that was deployed")

    def before_live(self) -> Version | None:
        """Return the newest version that can be gone back to and differs from what the stack runs; None without one.

        After a rollback it is one before that which was gone back to, never the one that was left; that one counts
        where it was, too, when its record has been pruned since.
        """
        live = stands_at = self.live
        end = len(self.all) if live is None else self.all.index(live)
        while stands_at is not None and stands_at.record is not None and stands_at.record.restores:
            name = stands_at.record.restores
            stands_at = next((one for one in self.all if one.name == str(name)), None)
            end = self._place_of(name) if stands_at is None else self.all.index(stands_at)
        wrong = live.template_sha256 if live is not None else ""
        earlier = (one for one in reversed(self.all[:end]) if one.state == "kept" and not one.is_trial)
        return next((one for one in earlier if one.template_sha256 != wrong), None)

    def _place_of(self, name: int) -> int:
        """Return where a version stood that is not there any more: how many come before it."""
        is_folder = name >= _MILLISECONDS
        at = datetime.fromtimestamp(name / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if is_folder else ""
        after = (
            place
            for place, one in enumerate(self.all)
            if (one.at > at if is_folder else one.record is not None and one.record.number > name)
        )
        return next(after, len(self.all))


def read_versions(
    aws: Aws,
    bucket: Bucket,
    template: Mapping[str, Any] | None,
    *,
    busy: bool = False,
    records: Records | None = None,
) -> Versions:
    """Read what can be gone back to.

    Args:
        template: what the stack was made of; None when there is no stack.
        busy: whether something is being done to the stack, so that a pending record may yet be finished.
    Raises:
        AwsError: S3 refuses. A bucket that is gone has no versions.
    """
    objects = dict(_objects(aws, bucket))
    live = digest(template) if template is not None else ""
    keeper = records or Records(aws, bucket)
    found = [_of_record(one, bucket, objects) for one in keeper.settle(template, busy=busy)]
    found += _of_serverless(aws, bucket, objects)
    found = _in_order(found)
    newest = max(
        (number for number, one in enumerate(found) if _may_be_live(one) and one.template_sha256 == live), default=None
    )
    if newest is not None:
        found[newest] = replace(found[newest], state="live")
    return Versions(bucket, tuple(found), objects)


def version_template(aws: Aws, bucket: Bucket, version: Version) -> Json:
    """Return the template of a version, as it was sent.

    Raises:
        RemoteError: it is not there, or is none.
        AwsError: S3 refuses.
    """
    if version.record is not None:
        return Records(aws, bucket).template(version.record.number)
    template = _json(aws, bucket, version.template_key)
    if template is None:
        raise RemoteError(f"s3://{bucket.name}/{version.template_key} is no template", fix="another version")
    return template


def code_keys(template: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys in the deployment bucket that a template's functions and layers name."""
    return frozenset(_keys(template.get("Resources")))


def _in_order(found: list[Version]) -> list[Version]:
    """Put versions in order: records by their numbers, whatever clock wrote them; Serverless's between them by time."""
    places: dict[str, tuple[str, int]] = {}
    newest = ""
    for one in sorted((one for one in found if one.record is not None), key=_number):
        newest = max(newest, one.at)
        places[one.name] = (newest, _number(one))
    return sorted(found, key=lambda one: places.get(one.name, (one.at, 0)))


def _number(version: Version) -> int:
    return version.record.number if version.record is not None else 0


def _may_be_live(version: Version) -> bool:
    return version.record is None or version.record.state == "done"


def _of_record(record: Record, bucket: Bucket, objects: Mapping[str, datetime]) -> Version:
    key = f"{bucket.folder}/deployments/{record.number:06d}/template.json"
    missing = tuple(one for one in (key, *sorted(record.keys)) if one not in objects)
    state: State = "pending" if record.state == "pending" else "failed" if record.state == "failed" else "kept"
    if state == "kept" and missing:
        state = "pruned"
    return Version(
        name=str(record.number),
        state=state,
        at=record.at,
        template_key=key,
        record=record,
        keys=frozenset(record.keys),
        template_sha256=record.template_sha256,
        missing=missing,
    )


def _of_serverless(aws: Aws, bucket: Bucket, objects: Mapping[str, datetime]) -> list[Version]:
    folders: dict[str, re.Match[str]] = {}
    for key in objects:
        found = _SERVERLESS.match(key.removeprefix(f"{bucket.folder}/"))
        if found:
            folders[found[1]] = found
    if not folders:
        return []
    aws.client("s3")
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda found: _serverless(aws, bucket, found, objects), folders.values()))


def _serverless(aws: Aws, bucket: Bucket, found: re.Match[str], objects: Mapping[str, datetime]) -> Version:
    key = f"{bucket.folder}/{found[1]}/{SERVERLESS_TEMPLATE}"
    template = _json(aws, bucket, key) if key in objects else None
    keys = code_keys(template) if template is not None else frozenset()
    missing = tuple(sorted(one for one in keys if one not in objects)) if template is not None else (key,)
    return Version(
        name=found[2],
        state="pruned" if missing else "kept",
        at=found[3][:19] + "Z",
        template_key=key,
        keys=keys,
        template_sha256=digest(template) if template is not None else "",
        missing=missing,
    )


def _objects(aws: Aws, bucket: Bucket) -> Iterator[tuple[str, datetime]]:
    try:
        for one in aws.pages("s3", "list_objects_v2", "Contents", **bucket.owned, Prefix=f"{bucket.folder}/"):
            yield one["Key"], one["LastModified"]
    except AwsError as error:
        if error.code not in ("NoSuchBucket", "404"):
            raise


def _json(aws: Aws, bucket: Bucket, key: str) -> Json | None:
    try:
        said = json.loads(aws.read("s3", "get_object", "Body", **bucket.owned, Key=key))
    except AwsError as error:
        if error.code in ("NoSuchKey", "404"):
            return None
        raise
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _keys(node: Any) -> Iterator[str]:
    """Yield each S3Key of code that lies in the deployment bucket, or in one that is named outright."""
    if isinstance(node, Mapping):
        if isinstance(node.get("S3Key"), str):
            yield node["S3Key"]
        for child in node.values():
            yield from _keys(child)
    elif isinstance(node, list):
        for child in node:
            yield from _keys(child)


def names_of(versions: Iterable[Version]) -> str:
    """Return names for a sentence: `3, 4 and 5`."""
    names = [one.name for one in versions]
    return " and ".join(([", ".join(names[:-1])] if names[:-1] else []) + names[-1:])
